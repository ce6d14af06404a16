#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The player in a real terminal (tmux on a socket of its own): pause, step, speed, quit, signals, a pipe
# that stalls, hostile sequences; and afterwards the terminal is what it was.
. "$(dirname "$0")/lib.sh"

need tmux python3
cd "$TMP" || exit 1
unset TMUX

# One event an hour, so that nothing but a key can show the next one while the speed is 1.
python3 - <<'PY'
import gzip, json
head = json.dumps({"version": 2, "width": 80, "height": 24}) + "\n"
def line(t, text):
    return json.dumps([t, "o", text]) + "\n"
hourly = head + "".join(line(i * 3600.0, "event %d.\r\n" % i) for i in range(5000))
open("hourly.cast", "w").write(hourly)
half = hourly.encode()
open("hourly.cast.gz", "wb").write(gzip.compress(half[:1000]) + gzip.compress(half[1000:]))
hostile = ["\x1b]2;stolen title\x07", "\x1b]52;c;c3RvbGVu\x1b\\", "\x1b[6n\x1b[c\x1b[18t\x1b[5n\x05",
           "\x1b[?1049h", "\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b=",
           "\x1b[5;10r\x1b[?6h\x1b[4h\x1b[7m", "inside\r\n"]
open("hostile.cast", "w").write(head + "".join(line(0, h) for h in hostile) + line(3600, "never"))
PY

tm() { tmux -L "ttytrail-test-$$" -f /dev/null "$@"; }
at_exit 'tm kill-server 2>/dev/null'
screen() { tm capture-pane -p -t t; }
shows() { screen | grep -qF -- "$1"; }
shows_not() { ! shows "$1"; }
flag() { tm display-message -p -t t "#{$1}"; }
press() { tm send-keys -t t "$@"; }
last_event() { screen | sed -n 's/^event \([0-9]*\)\.$/\1/p' | tail -n 1; }
event_is() { [ "$(last_event)" = "$1" ]; }
event_beyond() { [ "$(last_event)" -gt "$1" ] 2>/dev/null; }
often() { i=0; while [ $i -lt "$1" ]; do press "$2"; i=$((i + 1)); done; }

# start N ARGS...: play ARGS in the terminal's shell, which notes its modes before and after.
start() {
    round=$1
    shift
    press "clear; stty -g >before; '$TTYTRAIL' play $*; echo \"status=\$? round=$round.\"; stty -g >after; : >done.$round" Enter
}
ended() {
    wait_for "round $round ends" test -e "done.$round"
    wait_for "its status is $1" shows "status=$1 round=$round."
    cmp -s before after || fail "round $round: the terminal's modes changed"
    for f in alternate_on mouse_any_flag insert_flag origin_flag keypad_flag keypad_cursor_flag; do
        [ "$(flag $f)" = 0 ] || fail "round $round: $f is left set"
    done
    for f in cursor_flag wrap_flag; do
        [ "$(flag $f)" = 1 ] || fail "round $round: $f is left off"
    done
    [ "$(flag scroll_region_upper)-$(flag scroll_region_lower)" = 0-23 ] ||
        fail "round $round: a scroll region is left"
}

tm new-session -d -s t -x 80 -y 24 "env -u ENV PS1='prompt> ' sh -i" || fail 'tmux does not start'
tm set-option -g set-clipboard on
wait_for 'a prompt' shows 'prompt>'

step 'steps, skips and speeds'
start 1 -i 0 hourly.cast
wait_for 'the first event' event_is 0
press .
wait_for 'a step' event_is 1
press .
wait_for 'another' event_is 2
press Enter
wait_for 'Enter does not wait' event_is 3
often 20 +
wait_for 'twenty times + is fast' event_beyond 8
often 40 -
press Space
n=$(last_event)
press .
wait_for 'a step counts one after 40 times -' event_is $((n + 1))
step 'a pause holds at any speed'
often 45 '>'
press .
wait_for 'a step' event_is $((n + 2))
if wait_within 1 event_beyond $((n + 2)); then fail 'events went on during a pause'; fi
press Space
wait_for 'space goes on' event_beyond $((n + 6))
press q
ended 0

step 'quits with ^C, plays gzip'
start 2 -i 0 hourly.cast.gz
wait_for 'the first event' event_is 0
press Up Down . . .
wait_for 'arrows are no keys yet' event_is 3
press C-c
ended 0

step 'leaves the terminal in order when killed'
start 3 -i 0 hourly.cast
wait_for 'the first event' event_is 0
child_of_pane() { pgrep -P "$(flag pane_pid)" >pid; }
wait_for 'its process' child_of_pane
kill -TERM "$(cat pid)"
ended 143

step 'stops and goes on'
start 4 -i 0 hourly.cast
wait_for 'the first event' event_is 0
press C-z
wait_for 'the shell is back' test -e done.4
rm done.4
cmp -s before after || fail 'stopped: the terminal is still raw'
press "clear; fg; : >done.4; stty -g >after; echo \"status=\$? round=4.\"" Enter
wait_for 'it goes on' shows_not 'prompt>'
press .
wait_for 'and steps' event_is 1
press q
ended 0

step 'reads a pipe that stalls, and still takes keys'
mkfifo pipe
exec 9<>pipe
head -n 4 hourly.cast >&9 # a line is shown when the next one is there: it might hold its exact bytes
start 5 -i 0 - '<pipe'
wait_for 'the first event' event_is 0
press Enter
wait_for 'the second' event_is 1
sed -n 5p hourly.cast >&9
press Enter
wait_for 'one that came later' event_is 2
press q
ended 0
exec 9>&-

step 'lets nothing hostile through'
title=$(flag pane_title)
start 6 -i 0 hostile.cast
wait_for 'the screen' shows inside
[ "$(flag alternate_on)" = 1 ] || fail 'the alternate screen was not shown'
[ "$(flag mouse_any_flag)" = 0 ] || fail 'mouse reports were switched on'
press q
ended 0
[ "$(flag pane_title)" = "$title" ] || fail 'the title was changed'
! tm show-buffer 2>/dev/null | grep -q stolen || fail 'the clipboard was written'

step 'passes everything with --raw, and still cleans up'
start 7 --raw -i 0 hostile.cast
wait_for 'the screen' shows inside
[ "$(flag mouse_any_flag)" = 1 ] || fail '--raw filtered'
press q
ended 0
shows_not ';1R' || fail "the terminal's answers became input of the shell"

step 'shows where something is missing'
head -c 700 hourly.cast.gz >torn.cast.gz
start 8 -i 0.001 torn.cast.gz
ended 1
shows '[missing here: the last gzip member ends early]' || fail 'the gap does not show'
shows 'ttytrail: 1 damaged part was left out' || fail 'nothing is said about it'

step 'plays without a terminal at the speed asked for'
"$TTYTRAIL" play -i 0 --speed 65536 hourly.cast 2>&1 | head -n 5 | grep -q 'event 4' ||
    fail 'no output into a pipe'
passed
