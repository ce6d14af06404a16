/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens over rows' ends, within escape sequences, typed; and every kind. */
#include "shapes_rig.h"

static const struct row wrap[] = {
    {"a pager at the right edge", "x=ghp_abcdefghij0123456789 \babcdefghij012345\r\nnext line\r\n",
     "x=ghp_******************** \b****************\r\nnext line\r\n", "github"},
    {"a pager, in the prefix", "x=gh \bp_abcdefghijklmnopqrstuvwxyz0123456789\r\n",
     "x=gh \bp_************************************\r\n", "github"},
    {"a secret key over two rows",
     "AKIAABCDEFGHIJKLMNOP\r\n                            wJalrXUtnFEM "
     "\bI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\nplain\r\n",
     "AKIA****************\r\n                            ************ "
     "\b****************************\r\nplain\r\n",
     "aws-key-id aws-secret-key"},
    {"by a movement, in the middle",
     ESC_ "[3;1Hghp_abcdefghij0123456789" ESC_ "[4;1Habcdefghij012345" ESC_ "[K" ESC_ "[5;1Hother",
     ESC_ "[3;1Hghp_********************" ESC_ "[4;1H****************" ESC_ "[K" ESC_ "[5;1Hother",
     "github"},
    {"a long one, at the edge",
     "\raaaaaaaaaa hvs.AAAAAAAAAAAAAAAAAAAAAAAAA\r\nBBBBBBBBBBBBBBBBBBBB next\r\n",
     "\raaaaaaaaaa hvs.*************************\r\n******************** next\r\n", "vault"},
    {"a long one that ends its row short of the edge",
     "\rhvs.AAAAAAAAAAAAAAAAAAAAAAAAA\r\nnext\r\n", "\rhvs.*************************\r\nnext\r\n",
     "vault"},
    {"a long one in a window at the right",
     ESC_ "[3;21Hhvs.AAAAAAAAAAAAAAAAAAAAAAAAA" ESC_ "[4;21HBBBBBBBBBBBBBBBBBBBB" ESC_ "[4;1Hleft",
     ESC_ "[3;21Hhvs.*************************" ESC_ "[4;21H********************" ESC_ "[4;1Hleft",
     "vault"},
    {"an editor, with the last character twice",
     "\r" ESC_ "[3;1H                    AKIAABCDEFGHIJKLMNOPP" ESC_ "[4;1Hplain",
     "\r" ESC_ "[3;1H                    AKIA*****************" ESC_ "[4;1Hplain", "aws-key-id"},
    {"an editor, in the prefix",
     "\r" ESC_ "[3;1H                                      ghh" ESC_
     "[4;1Hp_abcdefghijklmnopqrstuvwxyz0123456789 plain",
     "\r" ESC_ "[3;1H                                      ghh" ESC_
     "[4;1Hp_************************************ plain",
     "github"},
    {"a pager's row, in the prefix",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx gh\r\np_abcdefghijklmnopqrstuvwxyz0123456789 x",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx gh\r\np_************************************ x",
     "github"},
    {"... at its end",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ghp\r\n_abcdefghijklmnopqrstuvwxyz0123456789 x",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ghp\r\n_************************************ x",
     "github"},
    {"a line before it", "foo\r\nghp_abcdefghijklmnopqrstuvwxyz0123456789 x",
     "foo\r\nghp_************************************ x", "github"},
    {"cut off at the edge", "\r                    ghp_abcdefghijklmno>" ESC_ "[4;1Hplain",
     "\r                    ghp_***************>" ESC_ "[4;1Hplain", "github"},
    {"a window at the left, its rows erased",
     "AKIAABCD" ESC_ "[K\r\nEFGHIJKLMNOP key: wJalrXUtnFEM" ESC_ "[5;40H" ESC_
     "[1K\rI/K7MDENG+bPxRfiCYEXAMPLEKEY tail\r\n",
     "AKIA****" ESC_ "[K\r\n************ key: ************" ESC_ "[5;40H" ESC_
     "[1K\r**************************** tail\r\n",
     "aws-key-id aws-secret-key"},
    {"but for what stands there already",
     ESC_ "[3;1Hghp_abcdefghij" ESC_ "[2C0123456789abcdefghijklmno tail",
     ESC_ "[3;1Hghp_**********" ESC_ "[2C************************* tail", "github"},
    {"an editor, a key over its edge",
     ESC_ "[3;1HAKIAABCDEFGHIJKLMNOP   " ESC_ "[4;1H                    wJalrXUtnFEMI/K7MDENN" ESC_
          "[5;1HG+bPxRfiCYEXAMPLEKEY" ESC_ "[K",
     ESC_ "[3;1HAKIA****************   " ESC_ "[4;1H                    *********************" ESC_
          "[5;1H********************" ESC_ "[K",
     "aws-key-id aws-secret-key"},
    {"colour within",
     "ghp_" ESC_ "[01;31m" ESC_ "[Kabcdefghij0123456789" ESC_ "[m" ESC_
     "[Kabcdefghij0123456789" ESC_ "(B" ESC_ "[m text\r\n",
     "ghp_" ESC_ "[01;31m" ESC_ "[K********************" ESC_ "[m" ESC_
     "[K********************" ESC_ "(B" ESC_ "[m text\r\n",
     "github"},
    {"behind a cell of a table",
     ESC_ "[3;1Hname" ESC_ "[3;20Hghp_abcdefghijklmnopqrstuvwxyz0123456789" ESC_ "[3;70Hmore",
     ESC_ "[3;1Hname" ESC_ "[3;20Hghp_************************************" ESC_ "[3;70Hmore",
     "github"},
    {"a character again and again", "ghp_a" ESC_ "[35b\r\n", "ghp_*" ESC_ "[35b\r\n", "github"},
    {"a link",
     ESC_ "]8;;https://h/?t=ghp_abcdefghijklmnopqrstuvwxyz0123456789" ESC_ "\\text" ESC_ "]8;;" ESC_
          "\\ more\r\n",
     ESC_ "]8;;https://h/?t=ghp_************************************" ESC_ "\\text" ESC_ "]8;;" ESC_
          "\\ more\r\n",
     "github"},
    {"a title", ESC_ "]0;ghp_abcdefghijklmnopqrstuvwxyz0123456789\a$ ",
     ESC_ "]0;ghp_************************************\a$ ", "github"},
    {"a title within a token", "ghp_abcdefghij0123456789" ESC_ "]0;title\aabcdefghij0123456789\r\n",
     "ghp_********************" ESC_ "]0;title\a********************\r\n", "github"},
    {"tmux passes it on",
     ESC_ "Ptmux;" ESC_ ESC_ "]0;ghp_abcdefghijklmnopqrstuvwxyz0123456789\a" ESC_ "\\x",
     ESC_ "Ptmux;" ESC_ ESC_ "]0;ghp_************************************\a" ESC_ "\\x", "github"},
    {"the clipboard",
     ESC_ "]52;c;Z2hwX2FiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OQ==\atext\r\n",
     ESC_ "]52;c;Z2hwX2**************************************************\atext\r\n", "github"},
    {"a clipboard without",
     ESC_ "]52;c;YSBmZXcgd29yZHMgdGhhdCBhcmUgbm8gdG9rZW4gYXQgYWxsLCBhbmQgbW9yZQ==\a",
     ESC_ "]52;c;YSBmZXcgd29yZHMgdGhhdCBhcmUgbm8gdG9rZW4gYXQgYWxsLCBhbmQgbW9yZQ==\a", ""},
};

static const struct row typed[] = {
    {"a character taken back",
     "ghp_abcdefgX\177"
     "hijklmnopqrstuvwxyz0123456789\r",
     "ghp_********\177"
     "*****************************\r",
     "github"},
    {"... on the screen", "ghp_abcdefgX\b" ESC_ "[Khijklmnopqrstuvwxyz0123456789\r\n",
     "ghp_********\b" ESC_ "[K*****************************\r\n", "github"},
    {"... with a blank", "ghp_abcdefgX\b \bhijklmnopqrstuvwxyz0123456789\r\n",
     "ghp_********\b \b*****************************\r\n", "github"},
    {"in the prefix",
     "ghx\177"
     "p_abcdefghijklmnopqrstuvwxyz0123456789\r",
     "ghx\177"
     "p_************************************\r",
     "github"},
    {"a secret key",
     "AKIAABCDEFGHQ\177"
     "IJKLMNOP\rwJalrXUtnzz\177"
     "\177"
     "FEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r",
     "AKIA*********\177"
     "********\r***********\177"
     "\177"
     "*******************************\r",
     "aws-key-id aws-secret-key"},
    {"pasted", "x" ESC_ "[200~ghp_abcdefghijklmnopqrstuvwxyz0123456789" ESC_ "[201~word\r",
     "x" ESC_ "[200~ghp_************************************" ESC_ "[201~word\r", "github"},
};

static void test_wrap(void **state)
{
    (void)state;
    check_rows(wrap, sizeof wrap / sizeof wrap[0]);
}

static void test_typed(void **state)
{
    (void)state;
    check_rows(typed, sizeof typed / sizeof typed[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_typed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
