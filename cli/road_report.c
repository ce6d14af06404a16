/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/road_report.h"

#include <stdio.h>
#include <string.h>

#include "common/json_write.h"
#include "common/log.h"
#include "shipper/checks.h"

struct report {
    bool json;
    struct buf notes;
};

static void on_sentence(void *user, bool finding, const char *text, const char *advice)
{
    struct report *r = user;
    char line[1024];

    if (!r->json) {
        (void)printf("road: %s%s\n", finding ? "WARNING: " : "",
                     log_escape(text, strlen(text), line, sizeof line));
        if (advice != NULL) {
            (void)printf("      do: %s\n", advice);
        }
        return;
    }
    if (r->notes.len > 0) {
        (void)buf_putc(&r->notes, ',', NULL);
    }
    (void)json_string(&r->notes, text, NULL);
}

void road_report(const struct conf *conf, const char *to, bool json)
{
    struct report r = {.json = json};
    struct error err = {.kind = ERR_NONE};
    int kind;

    buf_init(&r.notes, 1U << 16);
    kind = checks_road(conf, to, on_sentence, &r, &err);
    if (kind < 0) {
        on_sentence(&r, true, err.text, json ? NULL : "correct [s3], or ask 'ttytrail doctor'");
    }
    if (json) {
        const char *notes = buf_text(&r.notes, NULL);

        (void)printf("{\"road\":\"%s\",\"notes\":[%s]}\n",
                     kind < 0 ? "unknown" : road_word((enum road_kind)kind),
                     notes == NULL ? "" : notes);
    } else if (kind >= 0) {
        (void)printf("road: %s\n", road_word((enum road_kind)kind));
    }
    buf_clear(&r.notes);
}
