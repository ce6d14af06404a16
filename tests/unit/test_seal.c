/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form: the chain against numbers computed elsewhere (Python's hashlib), lines that give
 * back every byte, segments that are put in order, packed and unpacked within bounds. */
#include "tests/unit/check.h"

#include "common/io.h"
#include "storage/seal/chain.h"
#include "storage/seal/segment.h"

static void the_chain_is_that_of_the_format(void **state)
{
    static const char *const want[] = {
        "f111085f152b0b79387a879149a687009f45fabac237167faf4c008c352ae538",
        "7c98d1a47f6e719adcbafa9fe633d53a51aa504d570ec2d35d9edd9d2c51b886",
        "194c908ff8e0c4224245d66900d2fc84f4eea495319f85f1cf549a8aca1d87fb",
        "c9cdef43e0f2d9de49737d4632dd9d8c7c0a422437405b1450d4b544fbdd9b65"};
    uint8_t id[32], head[CHAIN_HASH], sha[CHAIN_HASH];
    char hex[65];

    (void)state;
    for (size_t i = 0; i < sizeof id; i++) {
        id[i] = (uint8_t)i;
    }
    chain_start("host-1", id, id + 16, head);
    assert_string_equal(io_hex(head, sizeof head, hex), want[0]);
    chain_sha256("segment zero", 12, sha);
    chain_extend(head, 0, sha);
    assert_string_equal(io_hex(head, sizeof head, hex), want[1]);
    chain_sha256("", 0, sha);
    chain_extend(head, 1, sha);
    assert_string_equal(io_hex(head, sizeof head, hex), want[2]);
    chain_tail(head, "frames", 6);
    assert_string_equal(io_hex(head, sizeof head, hex), want[3]);
}

/* ---- lines ---- */

struct lines {
    struct buf text, of[128];
    uint64_t last;
};

static void read_lines(struct lines *l, size_t chunk)
{
    struct cast_reader *r = NULL;
    struct cast_line line;
    struct error err;
    size_t at = 0;
    int rc;

    MUST(cast_reader_new(&r, 1U << 20, &err));
    for (;;) {
        err_clear(&err);
        rc = cast_reader_next(r, at == l->text.len, &line, &err);
        if (rc == 1) {
            assert_false(line.header);
            assert_true(line.t_us >= l->last);
            l->last = line.t_us;
            MUST(buf_append(&l->of[(unsigned char)line.kind & 127], line.bytes, line.len, &err));
            continue;
        }
        if (rc < 0) {
            fail_msg("%s", err.text);
        }
        if (at == l->text.len) {
            break;
        }
        chunk = chunk < l->text.len - at ? chunk : l->text.len - at;
        MUST(cast_reader_feed(r, buf_data(&l->text) + at, chunk, &err));
        at += chunk;
    }
    cast_reader_free(r);
}

/* Any bytes, in any pieces, of any kinds, at any times: exactly the same bytes come back, and no
 * line of valid text needs its exact bytes beside it. */
static void every_byte_comes_back(void **state)
{
    static const char *const pieces[] = {"\xe2",        "\x82\xac", "\xf0\x9f", "\x98", "\x80",
                                         "a\"\\\n\x1b", "\xff\xfe", "\xc3\xa9", "",     "\xed\xa0"};
    static const char kinds[] = "ooooiemrx";
    uint64_t random = 21;

    (void)state;
    for (int round = 0; round < 400; round++) {
        static struct buf want[128];
        static struct lines l;
        struct cast_writer w;
        struct error err;

        memset(&l, 0, sizeof l);
        buf_init(&l.text, 1U << 20);
        for (int k = 0; k < 128; k++) {
            buf_init(&want[k], 1U << 20);
            buf_init(&l.of[k], 1U << 20);
        }
        cast_writer_init(&w, 0);
        for (uint64_t n = 1; n < 40; n++) {
            const char *piece = pieces[check_random(&random) % 10];
            struct event ev = {.seq = n,
                               .t_us = check_random(&random) % 100000,
                               .kind = kinds[check_random(&random) % 9],
                               .bytes = (const uint8_t *)piece,
                               .len = strlen(piece)};

            MUST(cast_event(&w, &l.text, &ev, &err));
            MUST(buf_append(&want[(unsigned char)ev.kind], ev.bytes, ev.len, &err));
        }
        MUST(cast_flush(&w, &l.text, &err));
        cast_writer_clear(&w);
        read_lines(&l, 1 + check_random(&random) % 50);
        for (int k = 0; k < 128; k++) {
            assert_int_equal(l.of[k].len, want[k].len);
            assert_memory_equal(buf_data(&l.of[k]), buf_data(&want[k]), want[k].len);
            buf_clear(&l.of[k]);
            buf_clear(&want[k]);
        }
        buf_clear(&l.text);
    }
}

static void split_characters_are_put_together(void **state)
{
    struct cast_writer w;
    struct buf out;
    struct error err;
    struct event a = {
        .seq = 1, .t_us = 1000, .kind = 'o', .bytes = (const uint8_t *)"x\xe2\x82", .len = 3};
    struct event i = {.seq = 2, .t_us = 1500, .kind = 'i', .bytes = (const uint8_t *)"k", .len = 1};
    struct event b = {
        .seq = 3, .t_us = 500, .kind = 'o', .bytes = (const uint8_t *)"\xac", .len = 1};

    (void)state;
    buf_init(&out, 1000);
    cast_writer_init(&w, 0);
    MUST(cast_event(&w, &out, &a, &err));
    MUST(cast_event(&w, &out, &i, &err));
    MUST(cast_event(&w, &out, &b, &err)); /* its time would step back */
    assert_string_equal(
        buf_text(&out, &err),
        "[0.001,\"o\",\"x\"]\n[0.001,\"i\",\"k\"]\n[0.001,\"o\",\"\xe2\x82\xac\"]\n");
    buf_reset(&out);
    a.len = 2;
    MUST(cast_event(&w, &out, &a, &err));
    buf_reset(&out);
    MUST(cast_carry(&w, &out, &err)); /* for the next segment, as a frame */
    size_t used;
    assert_int_equal(event_next(buf_data(&out), out.len, &b, &used, &err), 1);
    assert_int_equal(b.len, 1);
    assert_int_equal(b.seq, 1);
    cast_writer_clear(&w);
    buf_clear(&out);
}

static void damaged_lines_are_named(void **state)
{
    static const char *const bad[] = {"[1,\"o\",\"x\"",
                                      "[1,\"o\"]",
                                      "[1,\"o\",5]",
                                      "[-1,\"o\",\"x\"]",
                                      "[nan,\"o\",\"x\"]",
                                      "[1,\"o\",\"x\"] y",
                                      "[1,\"o\",\"\\q\"]",
                                      "[1,\"o\",\"\\u12\"]",
                                      "[1,\"b\",\"a\"]",
                                      "[1,\"b\",\"====\"]",
                                      "text",
                                      "[1e30,\"o\",\"x\"]",
                                      "[1,\"b\",\"AA=A\"]",
                                      "[,\"o\",\"x\"]",
                                      "[1,o,\"x\"]"};

    static const char before[] = "{\"version\":2}\n[0,\"o\",\"a\"]\n";

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cast_reader *r = NULL;
        struct cast_line line;
        struct error err;
        int rc;

        MUST(cast_reader_new(&r, 1000, &err));
        MUST(cast_reader_feed(r, before, strlen(before), &err));
        MUST(cast_reader_feed(r, bad[i], strlen(bad[i]), &err));
        while ((rc = cast_reader_next(r, true, &line, &err)) == 1) {
        }
        if (rc != -1 || err.kind != ERR_CORRUPT || strstr(err.text, "line 3 ") == NULL) {
            fail_msg("%s: %d, %s", bad[i], rc, err.text);
        }
        cast_reader_free(r);
    }
}

static void foreign_lines_are_read(void **state)
{
    static const char text[] = "{\"version\": 2, \"width\": 80}\r\n\n"
                               " [ 1.5 , \"o\" , \"\\u00e9\\ud83d\\ude00\\/\\n\" ] \r\n"
                               "[2e0,\"marker\",\"x\"]\n[3,\"o\",\"?\"]\n[3,\"b\",\"/w==\"]";
    struct cast_reader *r = NULL;
    struct cast_line line;
    struct error err;

    (void)state;
    MUST(cast_reader_new(&r, 1000, &err));
    MUST(cast_reader_feed(r, text, strlen(text), &err));
    assert_int_equal(cast_reader_next(r, true, &line, &err), 1);
    assert_true(line.header);
    assert_int_equal(cast_reader_next(r, true, &line, &err), 1);
    assert_int_equal(line.t_us, 1500000);
    assert_int_equal(line.len, 8);
    assert_memory_equal(line.bytes, "\xc3\xa9\xf0\x9f\x98\x80/\n", 8);
    assert_int_equal(cast_reader_next(r, true, &line, &err), 1);
    assert_int_equal(line.kind, '?');
    assert_int_equal(cast_reader_next(r, true, &line, &err), 1);
    assert_int_equal(line.len, 1);
    assert_int_equal(line.bytes[0], 0xff);
    assert_int_equal(cast_reader_next(r, true, &line, &err), 0);
    cast_reader_free(r);
    MUST(cast_reader_new(&r, 10, &err));
    MUST(cast_reader_feed(r, text, strlen(text), &err));
    REFUSES(cast_reader_next(r, true, &line, &err), ERR_LIMIT);
    cast_reader_free(r);
}

/* ---- segments ---- */

static void put(struct buf *to, uint64_t seq, uint64_t t_us, char kind, const char *text)
{
    struct event ev = {.seq = seq,
                       .t_us = t_us,
                       .kind = kind,
                       .bytes = (const uint8_t *)text,
                       .len = strlen(text)};
    struct error err;

    MUST(event_put(to, &ev, &err));
}

static void events_are_put_in_order(void **state)
{
    struct cast_writer w;
    struct buf frames, out, rest;
    struct error err;
    struct event ev;
    size_t used;

    (void)state;
    buf_init(&frames, 1000);
    buf_init(&out, 1000);
    buf_init(&rest, 1000);
    put(&frames, 1, 3000, 'o', "c");
    put(&frames, 2, 9000, 'o', "later");
    put(&frames, 3, 1000, 'o', "a");
    put(&frames, 4, 3000, 'i', "held");
    put(&frames, 5, 3000, 'o', "d");
    cast_writer_init(&w, 2000);
    MUST(segment_lines(&out, &w, buf_data(&frames), frames.len, 9000, &rest, &err));
    assert_string_equal(buf_text(&out, &err),
                        "[0.002,\"o\",\"a\"]\n[0.003,\"i\",\"held\"]\n[0.003,\"o\",\"c\"]\n"
                        "[0.003,\"o\",\"d\"]\n");
    assert_int_equal(event_next(buf_data(&rest), rest.len, &ev, &used, &err), 1);
    assert_int_equal(used, rest.len);
    assert_int_equal(ev.seq, 2);
    REFUSES(segment_lines(&out, &w, buf_data(&frames), frames.len - 1, 9000, &rest, &err),
            ERR_CORRUPT);
    cast_writer_clear(&w);
    buf_clear(&frames);
    buf_clear(&out);
    buf_clear(&rest);
}

static void packs_and_unpacks_within_bounds(void **state)
{
    static const size_t sizes[] = {0, 1, 1000, 65535, 65536, 65537, 131072, 200000};
    uint64_t random = 2;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t len = sizes[i];
        uint8_t *text = malloc(len + 1);
        struct buf packed, out;
        struct error err;

        assert_non_null(text);
        for (size_t k = 0; k < len; k++) {
            text[k] = (uint8_t)(check_random(&random) % 7);
        }
        buf_init(&packed, 1U << 20);
        MUST(segment_pack(text, len, &packed, &err));
        buf_init(&out, len); /* room for exactly that much */
        MUST(segment_unpack(buf_data(&packed), packed.len, len, &out, &err));
        assert_int_equal(out.len, len);
        assert_memory_equal(buf_data(&out), text, len);
        buf_reset(&out);
        if (len > 0) {
            REFUSES(segment_unpack(buf_data(&packed), packed.len, len - 1, &out, &err), ERR_LIMIT);
        }
        for (size_t cut = 0; cut < packed.len; cut += 1 + packed.len / 40) {
            buf_reset(&out);
            REFUSES(segment_unpack(buf_data(&packed), cut, len, &out, &err), ERR_CORRUPT);
        }
        buf_clear(&out);
        buf_init(&out, 2 * len);
        MUST(segment_pack(text, len, &packed, &err)); /* a second member behind the first */
        MUST(segment_unpack(buf_data(&packed), packed.len, 2 * len, &out, &err));
        assert_int_equal(out.len, 2 * len);
        buf_reset(&out);
        MUST(buf_append(&packed, "garbage", 7, &err));
        REFUSES(segment_unpack(buf_data(&packed), packed.len, 2 * len, &out, &err), ERR_CORRUPT);
        buf_clear(&out);
        buf_clear(&packed);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_that_of_the_format),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(split_characters_are_put_together),
        cmocka_unit_test(damaged_lines_are_named),
        cmocka_unit_test(foreign_lines_are_read),
        cmocka_unit_test(events_are_put_in_order),
        cmocka_unit_test(packs_and_unpacks_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
