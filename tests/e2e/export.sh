#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was recorded comes out again: exact bytes with `export --format raw`, asciicast v2 that Debian's
# asciinema plays and that decodes to the same bytes, both also while the session is still open.
. "$(dirname "$0")/lib.sh"

need asciinema python3
cd "$TMP" || exit 1
db=$TMP/evidence.db

# Text with characters of all lengths, colours, and bytes that are no UTF-8, some of it cut by chunks.
python3 - <<'PY'
import random
r = random.Random(20261122)
parts = [b"plain text\r\n", "h\u00e9llo \u2713 \U0001f600 \u4f60\u597d\r\n".encode(), b"\x1b[1;31mred\x1b[0m\t\x07",
         b"\xff\xfe", b"\xc3", b"\xe2\x9c", b"\x00\x01", b'"\\/', b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
data = b"".join(r.choice(parts) if r.random() < .7 else r.randbytes(r.randrange(40)) for _ in range(40000))
open("data", "wb").write(data)
open("more", "wb").write(data[::-1])
PY

# in_terminal COMMAND: on a pty of its own where nobody types; what it shows is in ./shown; its status.
cat >in_terminal.py <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", sys.argv[1]])
with open("shown", "wb") as shown:
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        shown.write(piece)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
PY
in_terminal() { python3 in_terminal.py "$1"; }

step 'records bytes of all kinds'
cat >child.sh <<'SH'
stty raw -echo
cat data
stty sane
read -r line
echo "read $line"
exit 7
SH
python3 - "$TTYTRAIL" "$db" <<'PY' || fail 'the recorded command did not come back with 7'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], ["ttytrail", "record", "--quiet", "--db", sys.argv[2], "--title", "bytes", "--", "sh", "child.sh"])
got, want, typed = b"", open("data", "rb").read(), False
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    got += piece
    if not typed and len(got) >= len(want):
        os.write(fd, b"typed \xc3\xa9 \xff\r")
        typed = True
open("shown", "wb").write(got)
assert got.startswith(want), "the outer terminal did not show the bytes"
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 7)
PY

step 'gives the exact bytes of each stream'
"$TTYTRAIL" export --db "$db" --format raw last >raw || fail 'export'
cmp raw shown || fail 'the output stream is not what the terminal showed'
"$TTYTRAIL" export --db "$db" --format raw --stream input -o input title:bytes || fail 'export'
printf 'typed \303\251 \377\r' | cmp - input || fail 'the input stream is not what was typed'
[ "$(stat -c %a input)" = 600 ] || fail 'an exported file is readable for others'
"$TTYTRAIL" export --db "$db" --format raw --stream error last | cmp - /dev/null || fail 'stderr is apart'

step 'gives asciicast v2 that decodes to the same bytes'
"$TTYTRAIL" export --db "$db" --format cast -o bytes.cast last || fail 'export'
python3 - <<'PY' || fail 'the cast is not what it should be'
import base64, json
lines = open("bytes.cast", encoding="utf-8").read().split("\n")
assert lines.pop() == ""
head = json.loads(lines.pop(0))
assert head["version"] == 2 and head["width"] > 0 and type(head["timestamp"]) is int, head
assert all(type(v) is str for v in head["env"].values()), head["env"]
streams, texts, last, held = {}, "", 0, None
for line in lines:
    t, code, data = json.loads(line)
    assert type(data) is str and t >= last, line
    last = t
    if code == "b":
        streams[held][-1] = base64.b64decode(data, validate=True)
        continue
    held = code
    streams.setdefault(code, []).append(data.encode())
    texts += data if code == "o" else ""
assert b"".join(streams["o"]) == open("raw", "rb").read()
assert b"".join(streams["i"]) == open("input", "rb").read()
assert streams["x"] == [b"exit 7"]
open("texts", "w", newline="").write(texts)
PY

step 'plays in asciinema'
in_terminal 'asciinema cat bytes.cast >catted' || fail 'asciinema cat'
cmp catted texts || fail 'asciinema cat shows something else'
in_terminal 'stty raw; asciinema play -s 100 -i 0.01 bytes.cast' || fail 'asciinema play'
cmp shown texts || fail 'asciinema play shows something else'

step 'plays again, from the database and from the file'
"$TTYTRAIL" play --db "$db" --raw -s 1000 last >played || fail 'play last'
cmp played raw || fail 'play --raw shows something else'
gzip -k bytes.cast
"$TTYTRAIL" play --raw -s 1000 bytes.cast.gz | cmp - raw || fail 'play of the file shows something else'

step 'lists it, fitted to the terminal'
in_terminal "stty cols 80; '$TTYTRAIL' list --db '$db'" || fail 'list'
grep -q 'exit 7 .*bytes' shown || fail 'the list does not have it'
[ "$(awk '{ sub(/\r$/, ""); if (length > n) n = length } END { print n }' shown)" -le 80 ] ||
    fail 'the list is wider than the terminal'
[ "$("$TTYTRAIL" list --db "$db" title nothing-like-it | wc -l)" = 0 ] || fail 'a predicate matches'
id=$("$TTYTRAIL" list --db "$db" --json title bytes user "$(id -un)" |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
"$TTYTRAIL" export --db "$db" --format raw "$(echo "$id" | cut -c1-6)" | cmp - raw || fail 'by prefix'

step 'exports a session that is still open'
mkfifo go
in_terminal "'$TTYTRAIL' record --quiet --db '$db' --title open -- sh -c 'stty raw -echo; cat data; read x <go; cat more'" &
open=$!
so_far() {
    "$TTYTRAIL" export --db "$db" --format raw title:open >part 2>/dev/null && cmp -s part data
}
wait_for 'what has passed so far' so_far
"$TTYTRAIL" export --db "$db" --format cast -o open.cast title:open || fail 'export'
"$TTYTRAIL" play --raw -s 1000 open.cast | cmp - data || fail 'the cast of an open session'
echo >go
wait $open || fail 'the recorded command'
"$TTYTRAIL" export --db "$db" --format raw title:open >whole || fail 'export'
cat data more | cmp - whole || fail 'the whole of it'

step 'says how much there is of what no terminal showed'
yes 'a line of a long burst' | head -c 300000 >long
"$TTYTRAIL" record --quiet --db "$db" --title stream -- cat long </dev/null | cmp - long || fail 'the pipe'
"$TTYTRAIL" export --db "$db" --format raw last >part 2>err || fail 'export'
said="longer than is kept: $(wc -c <part) of 300000 bytes are here"
grep -q "$said" err || fail "of the middle that is missing: $(cat err)"
"$TTYTRAIL" play --db "$db" --raw -s 1000 last 2>err | cmp - part || fail 'play'
grep -q "$said" err || fail "play: $(cat err)"
"$TTYTRAIL" record --quiet --db "$db" -- echo short </dev/null >/dev/null || fail 'record'
"$TTYTRAIL" export --db "$db" --format raw last 2>err | grep -qx short || fail 'a short one'
[ ! -s err ] || fail "of a short one: $(cat err)"

step 'says what it cannot'
export XDG_DATA_HOME="$TMP/none" # data is the file of above
status_is 1 "$TTYTRAIL" export --format raw last
grep -q 'nothing has been recorded yet' err || fail 'export without a database'
status_is 1 "$TTYTRAIL" play last
grep -q 'nothing has been recorded yet' err || fail 'play without a database'
status_is 0 "$TTYTRAIL" list
grep -q 'nothing has been recorded yet' err || fail 'list without a database'
status_is 2 "$TTYTRAIL" play "$db"
grep -q 'is a database: say --db' err || fail 'play of a database'
status_is 2 "$TTYTRAIL" list --db "$db" from 20261122
grep -q "Try 'ttytrail list --help'" err || fail 'where to read of expressions'
status_is 1 "$TTYTRAIL" export --db "$db" --format raw -o nowhere/x last
grep -q 'nowhere/x: No such file' err || fail 'the name of the file'
status_is 2 "$TTYTRAIL" export --db "$db" --format html last
grep -q 'not built yet' err || fail 'html is built?'
status_is 2 "$TTYTRAIL" export --db "$db" --format raw ffffffff
status_is 2 "$TTYTRAIL" export --db "$db" --format nonsense last
status_is 2 "$TTYTRAIL" play --goto 10 last
status_is 2 "$TTYTRAIL" play s3://bucket/prefix
mkdir directory
status_is 2 "$TTYTRAIL" export --db "$db" --format raw -o directory last
[ -z "$(find . -name 'bytes.cast.*' ! -name '*.gz')" ] || fail 'left a temporary file'
passed
