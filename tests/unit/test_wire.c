/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, events, facts and the policy: what goes in comes out, and every damaged field is refused.
 */
#include "tests/unit/check.h"

#include "storage/wire/event.h"
#include "storage/wire/frame.h"
#include "storage/wire/policy.h"

static void events_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 100, EVENT_MAX_BYTES};
    static const char kinds[] = "oirmex";
    static uint8_t bytes[EVENT_MAX_BYTES + 1];
    struct buf b;
    struct error err;
    struct event ev;
    size_t used = 0, at = 0;

    (void)state;
    buf_init(&b, 10 * EVENT_MAX_BYTES);
    for (size_t i = 0; i < 4 * 6; i++) {
        ev = (struct event){.seq = UINT64_MAX - i,
                            .t_us = i << 40,
                            .kind = kinds[i % 6],
                            .bytes = bytes,
                            .len = sizes[i / 6]};
        memset(bytes, (int)i, sizeof bytes);
        buf_reset(&b);
        MUST(event_put(&b, &ev, &err));
        assert_int_equal(event_next(buf_data(&b), b.len, &ev, &used, &err), 1);
        assert_int_equal(used, b.len);
        assert_true(ev.seq == UINT64_MAX - i && ev.t_us == i << 40);
        assert_int_equal(ev.kind, kinds[i % 6]);
        assert_int_equal(ev.len, sizes[i / 6]);
        assert_memory_equal(ev.bytes, bytes, ev.len);
        for (at = 1; at < b.len; at += 1 + b.len / 50) { /* any part of one is damaged */
            REFUSES(event_next(buf_data(&b), at, &ev, &used, &err), ERR_CORRUPT);
        }
    }
    assert_int_equal(event_next(buf_data(&b), 0, &ev, &used, &err), 0);
    ev = (struct event){.kind = 'o', .bytes = bytes, .len = sizeof bytes};
    REFUSES(event_put(&b, &ev, &err), ERR_LIMIT);
    buf_clear(&b);
}

static void damaged_frames_are_refused(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        const char *bytes;
        size_t len;
        int frame, event; /* what frame_next and event_next say */
    } cases[] = {
        {"nothing", 0, "", 0, 1, 1},
        {"4 GiB", 0, "\xff\xff\xff\xff", 4, -1, -1},
        {"one too many", 0, "\0\1\0\x11", 4, -1, -1},
        {"the most", 0, "\0\1\0\x10", 4, 0, -1},
        {"no room for seq and t", 0, "\0\0\0\x0f", 4, 1, -1},
        {"type 0", 4, "\0", 1, 1, -1},
        {"another type", 4, "\4", 1, 1, -1},
        {"kind 0", 5, "\0", 1, 1, -1},
        {"kind b", 5, "b", 1, 1, -1},
        {"kind x", 5, "x", 1, 1, 1},
        {"reserved", 6, "\1", 1, -1, -1},
        {"reserved too", 7, "\1", 1, -1, -1},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event ev = {
            .seq = 1, .t_us = 2, .kind = 'o', .bytes = (const uint8_t *)"hi", .len = 2};
        struct frame f;
        struct buf b;
        size_t used;

        buf_init(&b, 1000);
        MUST(event_put(&b, &ev, &err));
        memcpy(buf_data(&b) + cases[i].at, cases[i].bytes, cases[i].len);
        if (frame_next(buf_data(&b), b.len, &f, &used, &err) != cases[i].frame ||
            event_next(buf_data(&b), b.len, &ev, &used, &err) != cases[i].event) {
            fail_msg("%s", cases[i].what);
        }
        buf_clear(&b);
    }
}

/* ---- facts ---- */

static void facts_come_back(void **state)
{
    struct buf b;
    struct facts f;
    struct error err;
    const uint8_t *value;
    char text[8], key[65];
    size_t len, at = 0, n = 0;

    (void)state;
    buf_init(&b, FACTS_MAX);
    MUST(facts_put_text(&b, "user", "alice", &err));
    MUST(facts_put_int(&b, "n", INT64_MIN, &err));
    MUST(facts_put(&b, "raw", "\0\xff", 2, &err));
    MUST(facts_put(&b, "empty", NULL, 0, &err));
    MUST(facts_parse(buf_data(&b), b.len, &f, &err));
    while (facts_next(&f, &at, key, &value, &len)) {
        n++;
    }
    assert_int_equal(n, 4);
    assert_string_equal(facts_text(&f, "user", text, sizeof text), "alice");
    assert_string_equal(facts_text(&f, "user", text, 4), "ali");
    assert_string_equal(facts_text(&f, "none", text, sizeof text), "");
    assert_true(facts_int(&f, "n", 0) == INT64_MIN);
    assert_int_equal(facts_int(&f, "user", -3), -3);
    assert_int_equal(facts_int(&f, "none", 9), 9);
    assert_true(facts_get(&f, "raw", &value, &len));
    assert_int_equal(len, 2);
    assert_true(facts_get(&f, "empty", &value, &len));
    assert_int_equal(len, 0);
    buf_clear(&b);
}

static void wrong_facts_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\0\0\0\0\0", 5},              /* no name */
        {"\1A\0\0\0\0", 6},             /* not our letters */
        {"\1a\0\0\0", 5},               /* cut */
        {"\1a\0\0\0\1", 6},             /* value missing */
        {"\1a\xff\xff\xff\xff", 6},     /* 4 GiB */
        {"\1a\0\0\0\0\1a\0\0\0\0", 12}, /* twice */
        {"\1a\0\0\0\0\1b\0\0\0\0\1a\0\0\0\0", 18},
        {"\xff", 1},
    };
    char long_key[66];
    static uint8_t big[FACTS_MAX + 1];
    struct facts f;
    struct buf b;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        REFUSES(facts_parse((const uint8_t *)bad[i].bytes, bad[i].len, &f, &err), ERR_CORRUPT);
    }
    REFUSES(facts_parse(big, sizeof big, &f, &err), ERR_LIMIT);
    buf_init(&b, FACTS_MAX);
    memset(long_key, 'k', 65);
    long_key[65] = '\0';
    REFUSES(facts_put_text(&b, long_key, "", &err), ERR_USAGE);
    REFUSES(facts_put_text(&b, "", "", &err), ERR_USAGE);
    REFUSES(facts_put_text(&b, "Upper", "", &err), ERR_USAGE);
    REFUSES(facts_put(&b, "k", big, FACTS_MAX - 5, &err), ERR_LIMIT);
    MUST(facts_put(&b, "k", big, FACTS_MAX - 6, &err));
    REFUSES(facts_put_text(&b, "l", "", &err), ERR_LIMIT);
    MUST(facts_parse(buf_data(&b), b.len, &f, &err));
    buf_clear(&b);
}

/* ---- policy ---- */

static void the_policy_comes_back(void **state)
{
    struct policy in, out;
    struct facts f;
    struct buf b;
    struct error err;

    (void)state;
    policy_defaults(&in);
    assert_true(in.commit_first && in.input && !in.stream_input);
    assert_int_equal(in.redact, POLICY_REDACT_BALANCED);
    assert_int_equal(in.on_writer_loss, POLICY_LOSS_END);
    assert_int_equal(in.blind, POLICY_BLIND_ALERT);
    assert_true(in.mask_hide && in.tokens);
    assert_int_equal(in.typeahead_hold_s, 2);
    assert_int_equal(in.max_no_echo, 512);
    assert_string_equal(in.prompt_patterns, "");
    in = (struct policy){.commit_ms = 1,
                         .stream_input = true,
                         .stream_kib = 7,
                         .on_writer_loss = POLICY_LOSS_CONTINUE,
                         .writer_timeout_s = 3600,
                         .redact = POLICY_REDACT_OFF,
                         .hold_max_kib = 1024,
                         .hold_max_s = 600,
                         .blind = POLICY_BLIND_REDACT,
                         .typeahead_hold_s = 30,
                         .max_no_echo = 1048576,
                         .prompt_patterns = "losung:|\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87|[|]",
                         .notice = "line\nline \xc3\xa9"};
    buf_init(&b, FACTS_MAX);
    MUST(policy_put(&b, &in, &err));
    MUST(facts_put_text(&b, "from_the_future", "1", &err));
    MUST(facts_parse(buf_data(&b), b.len, &f, &err));
    policy_defaults(&out);
    policy_from(&out, &f);
    assert_memory_equal(&in, &out, sizeof in);
    buf_reset(&b);
    MUST(facts_put_text(&b, "redact", "9", &err)); /* nonsense changes nothing */
    MUST(facts_put_text(&b, "commit_ms", "-1", &err));
    MUST(facts_put_text(&b, "input", "yes", &err));
    MUST(facts_put_text(&b, "blind", "2", &err));
    MUST(facts_put_text(&b, "mask_hide", "2", &err));
    MUST(facts_put_text(&b, "typeahead_hold_s", "31", &err));
    MUST(facts_put_text(&b, "max_no_echo", "1048577", &err));
    MUST(facts_parse(buf_data(&b), b.len, &f, &err));
    policy_from(&out, &f);
    assert_int_equal(out.redact, POLICY_REDACT_OFF);
    assert_int_equal(out.commit_ms, 1);
    assert_false(out.input);
    assert_int_equal(out.blind, POLICY_BLIND_REDACT);
    assert_false(out.mask_hide);
    assert_int_equal(out.typeahead_hold_s, 30);
    assert_int_equal(out.max_no_echo, 1048576);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back),      cmocka_unit_test(damaged_frames_are_refused),
        cmocka_unit_test(facts_come_back),       cmocka_unit_test(wrong_facts_are_refused),
        cmocka_unit_test(the_policy_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
