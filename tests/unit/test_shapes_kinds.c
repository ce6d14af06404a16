/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of token, and what is none. */
#include "shapes_rig.h"

static const struct row kinds[] = {
    {"github ghp_", "t=ghp_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=ghp_************************************ x\n", "github"},
    {"github gho_", "t=gho_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=gho_************************************ x\n", "github"},
    {"github ghu_", "t=ghu_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=ghu_************************************ x\n", "github"},
    {"github ghs_", "t=ghs_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=ghs_************************************ x\n", "github"},
    {"github ghr_", "t=ghr_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=ghr_************************************ x\n", "github"},
    {"github ghp_", "t=ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/x\n",
     "t=ghp_************************************@github.com/x\n", "github"},
    {"github in an address", "https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/x\n",
     "https://ghp_************************************@github.com/x\n", "github"},
    {"an escaped end of line before it", "\"a\\nghp_abcdefghijklmnopqrstuvwxyz0123456789\\n\"\n",
     "\"a\\nghp_************************************\\n\"\n", "github"},
    {"github github_pat_",
     "t=github_pat_abcdefghij0123456789_ababcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=github_pat_*********************************************************** x\n", "github"},
    {"gitlab glpat-", "t=glpat-abcdefghij0123456789 x\n", "t=glpat-******************** x\n",
     "gitlab"},
    {"gitlab gloas-", "t=gloas-abcdefghij0123456789 x\n", "t=gloas-******************** x\n",
     "gitlab"},
    {"gitlab gldt-", "t=gldt-abcdefghij0123456789 x\n", "t=gldt-******************** x\n",
     "gitlab"},
    {"gitlab glrt-", "t=glrt-abcdefghij0123456789 x\n", "t=glrt-******************** x\n",
     "gitlab"},
    {"gitlab glrtr-", "t=glrtr-abcdefghij0123456789 x\n", "t=glrtr-******************** x\n",
     "gitlab"},
    {"gitlab glcbt-", "t=glcbt-abcdefghij0123456789 x\n", "t=glcbt-******************** x\n",
     "gitlab"},
    {"gitlab glptt-", "t=glptt-abcdefghij0123456789 x\n", "t=glptt-******************** x\n",
     "gitlab"},
    {"gitlab glft-", "t=glft-abcdefghij0123456789 x\n", "t=glft-******************** x\n",
     "gitlab"},
    {"gitlab glimt-", "t=glimt-abcdefghij0123456789 x\n", "t=glimt-******************** x\n",
     "gitlab"},
    {"gitlab glwt-", "t=glwt-abcdefghij0123456789 x\n", "t=glwt-******************** x\n",
     "gitlab"},
    {"gitlab glsoat-", "t=glsoat-abcdefghij0123456789 x\n", "t=glsoat-******************** x\n",
     "gitlab"},
    {"gitlab glffct-", "t=glffct-abcdefghij0123456789 x\n", "t=glffct-******************** x\n",
     "gitlab"},
    {"gitlab glagent-", "t=glagent-abcdefghij0123456789 x\n", "t=glagent-******************** x\n",
     "gitlab"},
    {"gitlab glpat-", "t=glpat-abcdefghij0123456789abcdefg.01.0w1abcdef x\n",
     "t=glpat-***************************.**.********* x\n", "gitlab"},
    {"slack xoxa-", "t=xoxa-1-A012-abcdefghij0123456789 x\n",
     "t=xoxa-*************************** x\n", "slack"},
    {"slack xoxb-", "t=xoxb-1-A012-abcdefghij0123456789 x\n",
     "t=xoxb-*************************** x\n", "slack"},
    {"slack xoxc-", "t=xoxc-1-A012-abcdefghij0123456789 x\n",
     "t=xoxc-*************************** x\n", "slack"},
    {"slack xoxd-", "t=xoxd-1-A012-abcdefghij0123456789 x\n",
     "t=xoxd-*************************** x\n", "slack"},
    {"slack xoxe-", "t=xoxe-1-A012-abcdefghij0123456789 x\n",
     "t=xoxe-*************************** x\n", "slack"},
    {"slack xoxp-", "t=xoxp-1-A012-abcdefghij0123456789 x\n",
     "t=xoxp-*************************** x\n", "slack"},
    {"slack xoxr-", "t=xoxr-1-A012-abcdefghij0123456789 x\n",
     "t=xoxr-*************************** x\n", "slack"},
    {"slack xoxs-", "t=xoxs-1-A012-abcdefghij0123456789 x\n",
     "t=xoxs-*************************** x\n", "slack"},
    {"slack xapp-", "t=xapp-1-A012-abcdefghij0123456789 x\n",
     "t=xapp-*************************** x\n", "slack"},
    {"slack https://hooks.slack.com/services/",
     "t=https://hooks.slack.com/services/T01234567/B01234567/abcdefghij0123456789abcd x\n",
     "t=https://hooks.slack.com/services/******************************************** x\n",
     "slack"},
    {"stripe sk_live_", "t=sk_live_abcdefghij0123456789abcd x\n",
     "t=sk_live_************************ x\n", "stripe"},
    {"stripe rk_live_", "t=rk_live_abcdefghij0123456789abcd x\n",
     "t=rk_live_************************ x\n", "stripe"},
    {"stripe whsec_", "t=whsec_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=whsec_************************************ x\n", "stripe"},
    {"vault hvs.", "t=hvs.abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=hvs.************************************ x\n", "vault"},
    {"vault hvb.", "t=hvb.abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=hvb.************************************ x\n", "vault"},
    {"vault hvr.", "t=hvr.abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=hvr.************************************ x\n", "vault"},
    {"vault s.", "t=s.Zkabcdefghij0123456789Qx x\n", "t=s.************************ x\n", "vault"},
    {"a short name behind s.", "s.someMethodOfAnObjectLike s.lower24characterslongenou\n",
     "s.someMethodOfAnObjectLike s.lower24characterslongenou\n", ""},
    {"npm npm_", "t=npm_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=npm_************************************ x\n", "npm"},
    {"pypi pypi-", "t=pypi-AgEIcHlwaS5vcmcabcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=pypi-*************************************************** x\n", "pypi"},
    {"anthropic sk-ant-", "t=sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=sk-ant-****************************************** x\n", "anthropic"},
    {"openai sk-proj-",
     "t=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789AB_-abcdefghij0123456789 x\n",
     "t=sk-proj-************************************************************ x\n", "openai"},
    {"google AIza", "t=AIzaSyAabcdefghij0123456789_-ABCDEFGHIJ x\n",
     "t=AIza*********************************** x\n", "google"},
    {"google ya29.", "t=ya29.a0AfH6SMabcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "t=ya29.******************************************** x\n", "google"},
    {"digitalocean dop_v1_",
     "t=dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef x\n",
     "t=dop_v1_**************************************************************** x\n",
     "digitalocean"},
    {"digitalocean doo_v1_",
     "t=doo_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef x\n",
     "t=doo_v1_**************************************************************** x\n",
     "digitalocean"},
    {"digitalocean dor_v1_",
     "t=dor_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef x\n",
     "t=dor_v1_**************************************************************** x\n",
     "digitalocean"},
    {"sendgrid SG.", "t=SG.abcdefghij0123456789AB.wJalrXUtnFEMI-K7MDENG_bPxRfiCYEXAMPLEKEYabc x\n",
     "t=SG.**********************.******************************************* x\n", "sendgrid"},
    {"huggingface hf_", "t=hf_abcdefghij0123456789ABCDEFGHIJKLMN x\n",
     "t=hf_********************************** x\n", "huggingface"},
    {"age AGE-SECRET-KEY-1",
     "t=AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE x\n",
     "t=AGE-SECRET-KEY-1********************************************************** x\n", "age"},
    {"aws-session-token IQoJ",
     "t="
     "IQoJb3JpZ2luX2VjEJrabcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789ab"
     "cdefghijklmnopqrstuvwxyz0123456789== x\n",
     "t=IQoJ***************************************************************************************"
     "************************************** x\n",
     "aws-session-token"},
    {"aws-session-token IQoJ",
     "t=IQoJb3JpZ2lu%"
     "2Fabcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrs"
     "tuvwxyz0123456789 x\n",
     "t=IQoJ***************************************************************************************"
     "******************************** x\n",
     "aws-session-token"},
    {"aws-session-token FwoGZX",
     "t="
     "FwoGZXIvYXdzabcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghi"
     "jklmnopqrstuvwxyz0123456789 x\n",
     "t=FwoGZX*************************************************************************************"
     "***************************** x\n",
     "aws-session-token"},
    {"jwt eyJ",
     "t=eyJhbGciOiJSUzI1NiJ9."
     "eyJxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxx.abcdefgh x\n",
     "t=eyJ*****************.**********************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "*********************************************************************************************"
     "**************************************.******** x\n",
     "jwt"},
    {"jwt eyJ", "t=eyJhbGciOiJkaXIifQ..48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdvT x\n",
     "t=eyJ***************..****************.****************.**************** x\n", "jwt"},
    {"no JWE", "eyJhbGciOiJkaXIifQ..48V1_ALb6US04U3b.5eym8TW_c8SuK0lt end\n",
     "eyJhbGciOiJkaXIifQ..48V1_ALb6US04U3b.5eym8TW_c8SuK0lt end\n", ""},
    {"one within what looks like another", "eyJhbGci-ghp_abcdefghijklmnopqrstuvwxyz0123456789 x\n",
     "eyJhbGci-ghp_************************************ x\n", "github"},
    {"no token: hashes and ids",
     "0123456789abcdef0123456789abcdef01234567 123e4567-e89b-12d3-a456-426614174000 "
     "sha256:abababababababababababababababababababababababababababababababab\r\n",
     "0123456789abcdef0123456789abcdef01234567 123e4567-e89b-12d3-a456-426614174000 "
     "sha256:abababababababababababababababababababababababababababababababab\r\n",
     ""},
};

static void test_kinds(void **state)
{
    (void)state;
    check_rows(kinds, sizeof kinds / sizeof kinds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
