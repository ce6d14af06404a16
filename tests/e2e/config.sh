#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --config is accepted by every command, and so a mistake in the file, or a file that is not there, is an error of
# every command.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
printf '[ship]\nship_kibs = 1\n' >bad.conf
printf '[ship]\n' >good.conf
"$TTYTRAIL" record --db "$DB" -- echo one >/dev/null || fail record

step 'a mistake, and no file'
every() { # EXIT FOR A MISTAKE, FOR NO FILE, COMMAND...
    bad=$1 absent=$2 command=$3
    shift 3
    status_is "$bad" "$TTYTRAIL" "$command" --db "$DB" --config bad.conf "$@"
    grep -q 'bad.conf:2: unknown key ship_kibs' out err || fail "$command: the mistake is not named"
    status_is "$absent" "$TTYTRAIL" "$command" --db "$DB" --config absent.conf "$@"
    grep -q 'absent.conf: No such file' out err || fail "$command: what is missing is not named"
    ok "$command"
}
every 2 1 list
every 2 1 play -n last
every 2 1 export -f cast last
every 2 1 search echo
every 2 1 who last
every 2 1 correlate
every 2 3 verify
every 2 3 verify last
every 2 1 ship --to "file://$TMP/store"
every 2 1 prune
every 2 1 import "file://$TMP/store"
every 2 1 print-policy host
every 1 3 doctor
every 3 3 status
every 3 3 status --json
python3 -c 'import json; d = json.load(open("out")); assert d["level"] == "UNKNOWN" and d["code"] == 3, d' || fail 'status --json prints no JSON'

step 'a good one'
for command in list 'play -n' 'export -f raw' verify; do
    case $command in
    list | verify) session= ;;
    *) session=last ;;
    esac
    status_is 0 "$TTYTRAIL" $command --db "$DB" --config good.conf $session
done

step 'settings of AWS that are missing: a failure, with all that there is to say'
export AWS_EC2_METADATA_DISABLED=true
unset AWS_REGION AWS_DEFAULT_REGION
status_is 2 "$TTYTRAIL" ship --db "$DB"
grep -q 'where to?' err || fail 'nowhere'
status_is 1 "$TTYTRAIL" ship --db "$DB" --to s3://nobucket
grep -q 'no region: set' err || fail 'no region'
AWS_REGION=us-east-1 status_is 1 "$TTYTRAIL" ship --db "$DB" --to s3://nobucket
grep -q 'no AWS credentials .*instance metadata: disabled by AWS_EC2_METADATA_DISABLED)$' err || fail 'the remedy is cut off'

step 'of the backlog, the warning comes first'
printf '[status]\nbacklog_warn_s = 10\nbacklog_crit_s = 9\n' >turned.conf
status_is 3 "$TTYTRAIL" status --db "$DB" --config turned.conf
grep -q 'backlog_warn_s of .* is 10, more than backlog_crit_s, 9' out || fail 'which?'
passed
