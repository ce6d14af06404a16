/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations in which a secret once came out, or honest text did not. */
#include "redact_rig.h"

#define FORM "\033[?1049h\033[2J\033[5;1HLogin:  ________\033[6;1HSecret: \033[5;9H"

static void test_the_next_prompt_is_no_echo(void **state)
{
    static const struct conversation table[] = {
        {"passwd behind an outer raw terminal",
         {SHOW(1, "New password: "), TYPE(10, "password123\r", R),
          SHOW(40, "\r\nRetype new password: "), TYPE(900, "password123\r", R),
          SHOW(930, "\r\npasswd: password updated\r\n")},
         "\r\r",
         "redacted prompt 10-10; redacted prompt 900-900",
         NULL},
        {"ssh-keygen",
         {SHOW(1, "Enter passphrase (empty for no passphrase): "), TYPE(10, "passphrase7\r", R),
          SHOW(40, "\r\nEnter same passphrase again: "), TYPE(900, "passphrase7\r", R),
          SHOW(930, "\r\nYour key\r\n")},
         "\r\r",
         "redacted prompt 10-10; redacted prompt 900-900",
         NULL},
        {"both answers in one paste",
         {SHOW(1, "New password: "), TYPE(10, "password123\rpassword123\r", R),
          SHOW(40, "\r\nRetype new password: "), SHOW(45, "\r\n")},
         "\r\r",
         "redacted prompt 10-10; redacted prompt 10-10",
         NULL},
        {"a prompt that nobody knows",
         {SHOW(1, "Say friend and enter: "), TYPE(10, "friendly\r", R),
          SHOW(40, "\r\nFriendly people say friendly twice: ")},
         "\r",
         "redacted silent 10-10",
         NULL},
        {"on a full screen",
         {SHOW(1, "\033[?1049h\033[2J\033[5;5HPassword: "), TYPE(10, "password123\r", R),
          SHOW(40, "\033[8;5HRetype the password: \033[8;26H")},
         "\r",
         "redacted prompt 10-10",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_a_field_behind_a_visible_one(void **state)
{
    static const struct conversation table[] = {
        {"masked",
         {SHOW(1, FORM), TYPE(10, "a", R), SHOW(11, "a"), TYPE(20, "l", R), SHOW(21, "l"),
          TYPE(30, "i", R), SHOW(31, "i"), TYPE(40, "\t", R), SHOW(41, "\033[6;9H"),
          TYPE(50, "x", R), SHOW(51, "*"), TYPE(60, "y", R), SHOW(61, "*"), TYPE(70, "z", R),
          SHOW(71, "*"), TYPE(80, "t", R), SHOW(81, "*"), TYPE(90, "\r", R),
          SHOW(91, "\033[7;1Hwelcome")},
         "ali\t\r",
         "redacted masked 50-90",
         FORM "ali\033[6;9H\033[7;1Hwelcome"},
        {"a cursor that moves over blanks",
         {SHOW(1, FORM), TYPE(10, "a", R), SHOW(11, "a"), TYPE(20, "l", R), SHOW(21, "l"),
          TYPE(40, "\t", R), SHOW(41, "\033[6;9H"), TYPE(50, "x", R), SHOW(51, "\033[C"),
          TYPE(60, "y", R), SHOW(61, "\033[C"), TYPE(70, "z", R), SHOW(71, "\033[C"),
          TYPE(80, "t", R), SHOW(81, "\033[C"), TYPE(90, "\r", R), SHOW(91, "\033[7;1Hwelcome")},
         "al\t\r",
         "redacted prompt 50-90",
         NULL},
        {"all of it typed before anything came back",
         {SHOW(1, "\033[?1049h\033[2J\033[5;1HLogin: \033[6;1HPassword: \033[5;11H"),
          TYPE(10, "ali", R), TYPE(20, "\t", R), TYPE(30, "xyzt", R), TYPE(40, "\r", R),
          SHOW(300, "ali"), SHOW(310, "\033[6;11H"), SHOW(320, "****"),
          SHOW(330, "\033[7;1Hwelcome")},
         "ali\t\r",
         "redacted prompt 30-40",
         "\033[?1049h\033[2J\033[5;1HLogin: \033[6;1HPassword: \033[5;11Hali\033[6;11H"
         "\033[7;1Hwelcome"},
        {"three digits in a hidden field",
         {SHOW(1, "\033[?1049h\033[2J\033[5;1HLogin: \033[6;1HPIN: \033[5;11H"), TYPE(10, "ali", R),
          SHOW(11, "ali"), TYPE(20, "\t", R), SHOW(21, "\033[6;11H"), TYPE(30, "7", R),
          TYPE(40, "3", R), TYPE(50, "9", R), TYPE(60, "\r", R), SHOW(70, "\033[7;1Hwelcome")},
         "ali\t\r",
         "redacted prompt 30-60",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_a_known_prompt_beside_a_pane_that_scrolls(void **state)
{
    static const struct conversation table[] = {
        {"sudo in tmux",
         {SHOW(1, "\033[?1049h\033[2J\033[9;1Hjob 1\033[10;1H[sudo] password for bob: "),
          TYPE(10, "h", R), SHOW(12, "\0337\033[9;1Hjob 2\0338"), TYPE(20, "u", R),
          SHOW(22, "\0337\033[9;1Hjob 3\0338"), TYPE(30, "n", R),
          SHOW(32, "\0337\033[9;1Hjob 4\0338"), TYPE(40, "t", R),
          SHOW(42, "\0337\033[9;1Hjob 5\0338"), TYPE(50, "2", R),
          SHOW(52, "\0337\033[9;1Hjob 6\0338"), TYPE(60, "\r", R), SHOW(62, "\033[11;1H")},
         "\r",
         "redacted prompt 10-60",
         NULL},
        {"in groups, beside a pane that scrolls",
         {SHOW(1, "\033[?1049h\033[2J\033[10;1HVerification code: \0337\033[10;41Hlog 1\0338"),
          TYPE(10, "12", R), SHOW(20, "\0337\033[10;41Hlog 2\0338"), TYPE(30, "3", R),
          SHOW(40, "\0337\033[10;41Hlog 3\0338"), TYPE(4000, "45", R),
          SHOW(4040, "\0337\033[10;41Hlog 4\0338"), TYPE(4100, "6", R),
          SHOW(4140, "\0337\033[10;41Hlog 5\0338"), TYPE(8000, "\r", R), SHOW(8100, "\033[11;1H")},
         "\r",
         "redacted prompt 10-8000",
         NULL},
        {"commands of a full screen that holds the word",
         {SHOW(1, "\033[?1049h\033[2J\033[9;1Hpassword: x\033[10;1H"), TYPE(10, "j", R),
          SHOW(12, "\033[11;1H"), TYPE(20, "j", R), SHOW(22, "\033[12;1H"), TYPE(30, "k", R),
          SHOW(32, "\033[11;1H"), TYPE(60, "\r", R), SHOW(62, "\033[12;1H")},
         "jjk\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_typed_ahead_anywhere(void **state)
{
    static const struct conversation table[] = {
        {"behind a text",
         {SHOW(1, "Connecting... "), TYPE(10, "hunter2\r", E), SHOW(11, "hunter2\r\n"),
          SHOW(300, "Password: ")},
         "\r",
         "redacted typed ahead 10-10",
         "Connecting... \r\nPassword: "},
        {"and corrected",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunz\1772\r", E), SHOW(11, "hunz\b \b2\r\n"),
          SHOW(300, "Password: ")},
         "\r",
         "redacted typed ahead 10-10",
         "$ prog\r\n\r\nPassword: "},
        {"a corrected line that nobody asks for",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunz\1772\r", E), SHOW(11, "hunz\b \b2\r\n"),
          SHOW(3000, "so\r\n")},
         "hunz\1772\r",
         "",
         NULL},
        {"the prompt and a new line in one piece",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunter2\r", E), SHOW(11, "hunter2\r\n"),
          SHOW(300, "Password:\r\n")},
         "\r",
         "redacted typed ahead 10-10",
         "$ prog\r\n\r\nPassword:\r\n"},
        {"a word in a report asks nothing",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunter2\r", E), SHOW(11, "hunter2\r\n"),
          SHOW(300, "checking the password file\r\n")},
         "hunter2\r",
         "",
         "$ prog\r\nchecking the password file\r\nhunter2\r\n"},
        {"a name, and then its password is asked for",
         {SHOW(1, "Username for 'https://h': "), TYPE(10, "bob\r", E), ANSWER(11, "bob\r\n", E),
          ANSWER(30, "Password for 'https://bob@h': ", N), TYPE(900, "hunter2\r", N),
          SHOW(901, "\r\n")},
         "bob\r\r",
         "redacted canonical no-echo 900-900",
         NULL},
        {"a name, and its password behind it at once",
         {SHOW(1, "Username: "), TYPE(10, "bob\r", E), ANSWER(11, "bob\r\n", E),
          TYPE(20, "hunter2\r", E), SHOW(21, "hunter2\r\n"), ANSWER(90, "Password: ", N)},
         "bob\r\r",
         "redacted typed ahead 20-20",
         "Username: bob\r\n\r\nPassword: "},
        {"with a tab and an arrow in it",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hun\tter\033[D2\r", E), SHOW(11, "hun\tter^[[D2\r\n"),
          SHOW(300, "Password: ")},
         "\r",
         "redacted typed ahead 10-10",
         "$ prog\r\n\r\nPassword: "},
        {"the recorder comes late, and both stand there",
         {SHOW(1, "Username: "), TYPE(10, "bob\r", E), ANSWER(100, "bob\r\nPassword for bob: ", N)},
         "bob\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

#define FRAME(masks)                                                                               \
    "\033[3A\r\033[2K+----+\r\n\033[2K| hi |\r\n\033[2K| Say: " masks "|\r\n\033[2K+----+"

static void test_frames(void **state)
{
    static const struct conversation table[] = {
        {"drawn anew for each key, the field within",
         {SHOW(1, "\r\n\r\n\r\n" FRAME("    ")), TYPE(10, "a", R), SHOW(11, FRAME("*   ")),
          TYPE(20, "b", R), SHOW(21, FRAME("**  ")), TYPE(30, "c", R), SHOW(31, FRAME("*** ")),
          TYPE(40, "d", R), SHOW(41, FRAME("****")), TYPE(60, "\r", R), SHOW(61, "\r\ndone\r\n")},
         "\r",
         "redacted silent 10-60",
         "\r\n\r\n\r\n" FRAME("    ") "\r\ndone\r\n"},
        {"without masks",
         {SHOW(1, "\r\n\r\n\r\n" FRAME("    ")), TYPE(10, "a", R), SHOW(11, FRAME("    ")),
          TYPE(20, "b", R), SHOW(21, FRAME("    ")), TYPE(30, "c", R), SHOW(31, FRAME("    ")),
          TYPE(40, "d", R), SHOW(41, FRAME("    ")), TYPE(60, "\r", R), SHOW(61, "\r\ndone\r\n")},
         "\r",
         "redacted silent 10-60",
         "\r\n\r\n\r\n" FRAME("    ") "\r\ndone\r\n"},
        {"a selection is drawn, and stays",
         {SHOW(1, "\033[?1049h\033[2J\033[1;1Htext"), TYPE(10, "v", R),
          SHOW(11, "\033[1;1H\033[7mte\033[m"), TYPE(20, "l", R),
          SHOW(21, "\033[1;1H\033[7mtex\033[m"), TYPE(4000, "x", R),
          SHOW(4001, "\033[1;1Ht   \033[1;2H")},
         "vlx",
         "",
         NULL},
        {"a bell at a command stays",
         {SHOW(1, "\033[?1049h\033[2Jtext"), TYPE(10, "j", R), SHOW(11, "\007")},
         "j",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_masks(void **state)
{
    static const struct conversation table[] = {
        {"later than the decision",
         {SHOW(1, "Password: "), TYPE(10, "secret\r", R), SHOW(9000, "******"), SHOW(9100, "\r\n")},
         "\r",
         "redacted prompt 10-10",
         "Password: \r\n"},
        {"a secret that begins with asterisks",
         {SHOW(1, "Password: "), TYPE(10, "*", R), SHOW(11, "*"), TYPE(20, "*", R), SHOW(21, "*"),
          TYPE(30, "*", R), SHOW(31, "*"), TYPE(40, "a", R), SHOW(41, "*"), TYPE(50, "b", R),
          SHOW(51, "*"), TYPE(60, "\r", R), SHOW(61, "\r\n")},
         "\r",
         "redacted prompt 10-60",
         "Password: \r\n"},
        {"a secret of nothing but asterisks",
         {SHOW(1, "Password: "), TYPE(10, "*", R), SHOW(11, "*"), TYPE(20, "*", R), SHOW(21, "*"),
          TYPE(30, "\r", R), SHOW(31, "\r\n")},
         "\r",
         "redacted prompt 10-30",
         "Password: \r\n"},
        {"two fields, one behind the other",
         {SHOW(1, "Old: "), TYPE(10, "abcd\r", R), SHOW(20, "****"), SHOW(21, "\r\nNew: "),
          TYPE(22, "efgh\r", R), SHOW(40, "****"), SHOW(41, "\r\n")},
         "\r\r",
         "redacted masked 10-10; redacted masked 22-22",
         "Old: \r\nNew: \r\n"},
        {"the new line comes with the last mask",
         {SHOW(1, "Password: "), TYPE(10, "a", R), SHOW(11, "*"), TYPE(20, "b", R), SHOW(21, "*"),
          TYPE(30, "c\r", R), SHOW(31, "*\r\n"), SHOW(60, "done\r\n")},
         "\r",
         "redacted prompt 10-30",
         "Password: \r\ndone\r\n"},
        {"an asterisk that a line begins with",
         {SHOW(1, "$ "), TYPE(10, "*", R), SHOW(11, "*"), TYPE(20, "/", R), SHOW(21, "/"),
          TYPE(30, "x", R), SHOW(31, "x"), TYPE(40, "\r", R), SHOW(41, "\r\n")},
         "*/x\r",
         "",
         NULL},
        {"an asterisk of a command stays where it is",
         {SHOW(1, "$ "), TYPE(10, "ls * x\r", R), SHOW(11, "ls * x\r\nfile\r\n")},
         "ls * x\r",
         "",
         NULL},
        {"asterisks that a line editor shows",
         {SHOW(1, "$ "), TYPE(10, "*", R), SHOW(11, "*"), TYPE(20, "*", R), SHOW(21, "*"),
          TYPE(30, "\r", R), SHOW(31, "\r\n")},
         "**\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_a_quick_secret_over_a_slow_line(void **state)
{
    static const struct conversation table[] = {
        {"the prompt comes when it is being typed",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "id", R), TYPE(20, "\r", R), TYPE(200, "h", R),
          TYPE(260, "u", R), SHOW(310, "id\r\n\033[?2004l\r"),
          SHOW(312, "[sudo] password for bob: "), TYPE(330, "n", R), TYPE(350, "t", R),
          TYPE(400, "\r", R), SHOW(700, "\r\n")},
         "id\r\r",
         "redacted prompt 200-400",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_lines_that_wait_their_turn(void **state)
{
    static const struct conversation table[] = {
        {"two commands in one paste, without brackets",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "date\recho hello\r", R),
          SHOW(12, "date\r\n\033[?2004l\r"), SHOW(20, "Fri\r\n"),
          SHOW(30, "\033[?2004h$ echo hello\r\n\033[?2004l\r"), SHOW(32, "hello\r\n\033[?2004h$ ")},
         "date\recho hello\r",
         "",
         NULL},
        {"the first takes a while",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "sleep 9\recho hello\r", R),
          SHOW(12, "sleep 9\r\n\033[?2004l\r"),
          SHOW(9030, "\033[?2004h$ echo hello\r\n\033[?2004l\r"),
          SHOW(9032, "hello\r\n\033[?2004h$ ")},
         "sleep 9\recho hello\r",
         "",
         NULL},
        {"typed within the round trip",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "date\r", R), TYPE(200, "hostname\r", R),
          SHOW(310, "date\r\n\033[?2004l\rFri\r\n\033[?2004h$ "),
          SHOW(500, "hostname\r\n\033[?2004l\rvm\r\n\033[?2004h$ ")},
         "date\rhostname\r",
         "",
         NULL},
        {"a secret among them",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "ask\rkestrel9\r", R),
          SHOW(12, "ask\r\n\033[?2004l\rZzyzx> "), SHOW(14, "\r\n\033[?2004h$ "),
          TYPE(900, "id\r", R), SHOW(901, "id\r\n\033[?2004l\r")},
         "ask\r\rid\r",
         "redacted silent 10-10",
         NULL},
        {"the next command behind output that names a secret",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "cat pam\r", R), TYPE(200, "h", R),
          SHOW(310, "cat pam\r\n\033[?2004l\r# a password: none\r\n"), TYPE(320, "ead x", R),
          TYPE(330, "\r", R), SHOW(340, "\033[?2004h$ "), SHOW(500, "head x\r\n")},
         "cat pam\rhead x\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_forms_typed_faster_than_they_are_drawn(void **state)
{
    static const struct conversation table[] = {
        {"two fields without labels that are known, typed before they are drawn",
         {SHOW(1, "\033[?1049h\033[2J\033[5;5HNew word: \033[7;5HAgain:    \033[5;15H"),
          TYPE(10, "kestrel9", R), TYPE(20, "\t", R), TYPE(30, "gander88", R), TYPE(40, "\r", R),
          SHOW(150, "****"), SHOW(160, "****"), SHOW(170, "\033[7;15H"), SHOW(180, "***"),
          SHOW(190, "*****"), SHOW(200, "\033[?1049l")},
         "\r",
         "redacted masked 10-20; redacted silent, full screen 30-40",
         "\033[?1049h\033[2J\033[5;5HNew word: \033[7;5HAgain:    \033[5;15H\033[7;15H"
         "\033[?1049l"},
        {"user, tab, password, enter while echoes come in",
         {SHOW(1, "\033[?1049h\033[2J\033[5;5HUser:     \033[7;5HPass:     \033[5;15H"),
          TYPE(10, "bob", R),
          TYPE(70, "\t", R),
          TYPE(90, "g", R),
          TYPE(110, "a", R),
          TYPE(130, "n", R),
          TYPE(150, "d", R),
          SHOW(310, "b"),
          TYPE(311, "e", R),
          SHOW(330, "o"),
          TYPE(331, "r", R),
          SHOW(350, "b"),
          TYPE(351, "7", R),
          TYPE(360, "\r", R),
          SHOW(370, "\033[7;15H"),
          SHOW(390, "*"),
          SHOW(410, "*"),
          SHOW(430, "*"),
          SHOW(450, "*"),
          SHOW(611, "*"),
          SHOW(631, "*"),
          SHOW(651, "*"),
          SHOW(660, "\033[?1049l")},
         "bob\t\r",
         "redacted prompt 90-360",
         "\033[?1049h\033[2J\033[5;5HUser:     \033[7;5HPass:     \033[5;15Hbob\033[7;15H"
         "\033[?1049l"},
    };

    (void)state;
    CHECK(table);
}

/* What a program takes that shows nothing of it is not held up for each 4,096 keys. */
static void test_a_program_that_shows_nothing(void **state)
{
    enum { ALL = 200000 };
    struct log *log = calloc(1, sizeof *log);
    struct redact *r;
    size_t done = 0;

    (void)state;
    assert_non_null(log);
    r = open_with(log, &standard);
    show(r, log, "GO\r\n");
    while (done < ALL) {
        uint8_t *to;
        const uint8_t *slice;
        size_t room = redact_space(r, &to), n = ALL - done < room ? ALL - done : room;
        struct redact_tty tty = tty_of(0);

        for (size_t i = 0; i < n; i++) {
            to[i] = (uint8_t)(33 + (done + i) * 7919 % 90);
        }
        if (n > 0) {
            redact_typed(r, n, log->now);
        }
        done += n;
        while ((n = redact_next(r, &slice)) > 0) {
            redact_before(r, &tty);
            redact_written(r, n, &tty, log->now);
        }
        log->now += 1000;
        redact_tick(r, &tty, log->now);
        log->marks[0] = log->input[0] = '\0';
    }
    assert_true(log->now < 1500000U);
    redact_free(r);
    free(log);
}

static void test_keys_as_sequences(void **state)
{
    static const struct conversation table[] = {
        {"kitty's protocol",
         {SHOW(1, "Password: "), TYPE(10, "\033[104u\033[117;1:1u\033[117;1:3u", R),
          TYPE(20, "\033[110:78;2u", R), TYPE(30, "\033[13u", R), SHOW(40, "\r\n")},
         "\033[13u",
         "redacted prompt 10-30",
         NULL},
        {"modifyOtherKeys, and a prompt that nobody knows",
         {SHOW(1, "Say: "), TYPE(10, "\033[27;1;104~\033[27;2;85~hu\r", R), SHOW(40, "\r\n")},
         "\r",
         "redacted silent 10-10",
         NULL},
        {"win32-input-mode",
         {SHOW(1, "Password: "), TYPE(10, "\033[72;35;104;1;0;1_\033[72;35;104;0;0;1_", R),
          TYPE(20, "\033[13;28;13;1;0;1_", R), SHOW(40, "\r\n")},
         "\033[13;28;13;1;0;1_",
         "redacted prompt 10-20",
         NULL},
        {"the keypad in application mode",
         {SHOW(1, "PIN: "), TYPE(10, "\033Oq\033Or", R), TYPE(20, "\033Os\033Ot\033OM", R),
          SHOW(40, "\r\n")},
         "\033OM",
         "redacted prompt 10-20",
         NULL},
        {"text that is shown",
         {SHOW(1, "$ "), TYPE(10, "\033[104u\033[105u", R), SHOW(11, "hi"), TYPE(30, "\033[13u", R),
          SHOW(31, "\r\n")},
         "\033[104u\033[105u\033[13u",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_a_command_and_its_enter(void **state)
{
    static const struct conversation table[] = {
        {"the prompt was up before the write was over",
         {SHOW(1, "$ "),
          {10, "sudo true\r", NULL, R, N, false},
          SHOW(12, "sudo true\r\npassword: "),
          TYPE(900, "hunter2\r", N),
          SHOW(901, "\r\n")},
         "sudo true\r\r",
         "redacted canonical no-echo 900-900",
         NULL},
        {"what was printed elsewhere is no echo of it",
         {SHOW(1, "$ "), {10, "password\r", NULL, R, N, false}, SHOW(12, "\r\npassword: ")},
         "\r",
         "redacted canonical no-echo 10-10",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_text_behind_dead_keys(void **state)
{
    static const struct conversation table[] = {
        {"at the foot of a full screen",
         {SHOW(1, "\033[?1049h\033[2J\033[24;1H"), TYPE(10, "Z", R), TYPE(400, "Y", R),
          TYPE(800, "X", R), TYPE(1200, "V", R), TYPE(1600, "U", R), TYPE(2000, ":", R),
          SHOW(2001, ":"), TYPE(2100, "s", R), SHOW(2101, "s"), TYPE(2200, "o", R), SHOW(2201, "o"),
          TYPE(2300, "\r", R), SHOW(2301, "\r\n")},
         ":so\r",
         "redacted silent, full screen 10-1600",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_a_prompt_on_a_wide_screen(void **state)
{
    struct redact_config wide = standard;
    static const struct conversation table[] = {
        {"among full rows",
         {SHOW(1, "\033[?1049h\033[2J\033[12;200HPassword: "), TYPE(10, "s", R),
          SHOW(11, "\0337\033[11;1Hx\0338"), TYPE(20, "e", R), SHOW(21, "\0337\033[11;1Hy\0338"),
          TYPE(30, "c", R), SHOW(31, "\0337\033[11;1Hz\0338"), TYPE(40, "\r", R),
          SHOW(41, "\033[13;1H")},
         "\r",
         "redacted prompt 10-40",
         NULL},
    };

    (void)state;
    wide.cols = 400;
    check(table, 1, &wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_prompt_is_no_echo),
        cmocka_unit_test(test_a_field_behind_a_visible_one),
        cmocka_unit_test(test_a_known_prompt_beside_a_pane_that_scrolls),
        cmocka_unit_test(test_typed_ahead_anywhere),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_a_quick_secret_over_a_slow_line),
        cmocka_unit_test(test_lines_that_wait_their_turn),
        cmocka_unit_test(test_forms_typed_faster_than_they_are_drawn),
        cmocka_unit_test(test_a_program_that_shows_nothing),
        cmocka_unit_test(test_keys_as_sequences),
        cmocka_unit_test(test_a_command_and_its_enter),
        cmocka_unit_test(test_text_behind_dead_keys),
        cmocka_unit_test(test_a_prompt_on_a_wide_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
