/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/policy.h"

#include <string.h>

void policy_defaults(struct policy *p)
{
    memset(p, 0, sizeof *p);
    p->commit_first = true;
    p->commit_ms = 50;
    p->input = true;
    p->stream_kib = 64;
    p->on_writer_loss = POLICY_LOSS_END;
    p->writer_timeout_s = 30;
    p->redact = POLICY_REDACT_BALANCED;
    p->hold_max_kib = 64;
    p->hold_max_s = 30;
    p->mask_hide = true;
    p->typeahead_hold_s = 2;
    p->tokens = true;
    p->max_no_echo = 512;
    p->ring_kib = 4096;
    p->idle_s = 900;
    p->max_depth = 16;
    p->record = true;
}

int policy_put(struct buf *out, const struct policy *p, struct error *err)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"commit_first", p->commit_first},
        {"commit_ms", p->commit_ms},
        {"input", p->input},
        {"stream_input", p->stream_input},
        {"stream_kib", p->stream_kib},
        {"on_writer_loss", p->on_writer_loss},
        {"writer_timeout_s", p->writer_timeout_s},
        {"redact", p->redact},
        {"hold_max_kib", p->hold_max_kib},
        {"hold_max_s", p->hold_max_s},
        {"blind", p->blind},
        {"mask_hide", p->mask_hide},
        {"typeahead_hold_s", p->typeahead_hold_s},
        {"tokens", p->tokens},
        {"max_no_echo", p->max_no_echo},
        {"on_disk_full", p->on_disk_full},
        {"ring_kib", p->ring_kib},
        {"on_idle", p->on_idle},
        {"idle_s", p->idle_s},
        {"max_depth", p->max_depth},
        {"record", p->record},
        {"break_glass", p->break_glass},
    };
    const struct {
        const char *key, *value;
    } texts[] = {
        {"prompt_patterns", p->prompt_patterns}, {"notice", p->notice}, {"shell", p->shell}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (facts_put_int(out, numbers[i].key, numbers[i].value, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (facts_put_text(out, texts[i].key, texts[i].value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ${key} as a number from 0 to ${max}, or ${old}. */
static uint32_t number(const struct facts *f, const char *key, uint32_t old, uint32_t max)
{
    int64_t n = facts_int(f, key, old);

    return n < 0 || n > max ? old : (uint32_t)n;
}

void policy_from(struct policy *p, const struct facts *f)
{
    p->commit_first = number(f, "commit_first", p->commit_first, 1) != 0;
    p->commit_ms = number(f, "commit_ms", p->commit_ms, 10000);
    p->input = number(f, "input", p->input, 1) != 0;
    p->stream_input = number(f, "stream_input", p->stream_input, 1) != 0;
    p->stream_kib = number(f, "stream_kib", p->stream_kib, 1048576);
    p->on_writer_loss = (enum policy_loss)number(f, "on_writer_loss", p->on_writer_loss, 2);
    p->writer_timeout_s = number(f, "writer_timeout_s", p->writer_timeout_s, 3600);
    p->redact = (enum policy_redact)number(f, "redact", p->redact, 2);
    p->hold_max_kib = number(f, "hold_max_kib", p->hold_max_kib, 1024);
    p->hold_max_s = number(f, "hold_max_s", p->hold_max_s, 600);
    p->blind = (enum policy_blind)number(f, "blind", p->blind, 1);
    p->mask_hide = number(f, "mask_hide", p->mask_hide, 1) != 0;
    p->typeahead_hold_s = number(f, "typeahead_hold_s", p->typeahead_hold_s, 30);
    p->tokens = number(f, "tokens", p->tokens, 1) != 0;
    p->max_no_echo = number(f, "max_no_echo", p->max_no_echo, 1048576);
    p->on_disk_full = (enum policy_full)number(f, "on_disk_full", p->on_disk_full, 2);
    p->ring_kib = number(f, "ring_kib", p->ring_kib, 1048576);
    p->on_idle = (enum policy_idle)number(f, "on_idle", p->on_idle, 3);
    p->idle_s = number(f, "idle_s", p->idle_s, 604800);
    p->max_depth = number(f, "max_depth", p->max_depth, 1000);
    p->record = number(f, "record", p->record, 1) != 0;
    p->break_glass = number(f, "break_glass", p->break_glass, 1) != 0;
    facts_text(f, "shell", p->shell, sizeof p->shell);
    facts_text(f, "prompt_patterns", p->prompt_patterns, sizeof p->prompt_patterns);
    facts_text(f, "notice", p->notice, sizeof p->notice);
}
