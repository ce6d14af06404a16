#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ttytrail-shell: records the real shell as its user, drops its group for good, refuses without a writer.
# Runs in a mount namespace of its own with its own /run and /etc/group: nothing of the machine changes.
. "$(dirname "$0")/lib.sh"
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || fail "needs root: a setgid program and a socket's group are what it looks at"
    need unshare runuser
    unshare -m --propagation private "$0" inside || exit 1
    passed
fi

step "a writer as installed"
cp /etc/group "$TMP/group" && echo 'ttytrail:x:64123:' >> "$TMP/group"
mount --bind "$TMP/group" /etc/group || fail "mount"
mount -t tmpfs none /run && mkdir -p /run/ttytrail || fail "mount"
chmod 755 "$TMP"
mkdir -m 755 "$TMP/bin"
install -m 2755 -g 64123 "$BIN/ttytrail-shell" "$TMP/bin/ttytrail-shell"
ln -s ttytrail-shell "$TMP/bin/ttytrail-shell-bin-sh"
SHELL_UNDER_TEST=$TMP/bin/ttytrail-shell-bin-sh
as_nobody() { runuser -u nobody -- "$@"; }

step "without a writer"
as_nobody "$SHELL_UNDER_TEST" -c 'echo ran' > "$TMP/out" 2> "$TMP/err"
[ $? = 125 ] || fail "status is not 125"
grep -q 'no recording, no session: connect to the writer' "$TMP/err" || fail "$(cat "$TMP/err")"
grep -q ran "$TMP/out" && fail "the command ran"
ok "refused, with the reason"

"$BIN/ttytraild" --db "$TMP/e.db" --socket /run/ttytrail/writer.sock 2> "$TMP/log" &
WRITER=$!
at_exit "kill $WRITER"
wait_for "the writer's sockets" test -S /run/ttytrail/writer.sock.control
chgrp 64123 /run/ttytrail/writer.sock

step "a command"
as_nobody "$SHELL_UNDER_TEST" -c 'id -G; id -g; echo "$SHELL"; exit 7' > "$TMP/out" 2> "$TMP/err"
[ $? = 7 ] || fail "status, $(cat "$TMP/err")"
grep -q 64123 "$TMP/out" && fail "the child kept the group: $(cat "$TMP/out")"
grep -qx /bin/sh "$TMP/out" || fail "SHELL is not the real shell: $(cat "$TMP/out")"
ok "ran without the group, SHELL is /bin/sh, exit 7"
"$TTYTRAIL" list --db "$TMP/e.db" | grep -q 'nobody' || fail "$("$TTYTRAIL" list --db "$TMP/e.db")"
ok "recorded as nobody's"

step "only what a login shell understands"
as_nobody "$SHELL_UNDER_TEST" --db x > "$TMP/out" 2>&1
[ $? = 125 ] || fail "an option of ours got through"
as_nobody "$SHELL_UNDER_TEST" script > "$TMP/out" 2>&1
[ $? = 125 ] || fail "a file got through"
ok "refused"

step "setgid lost"
as_nobody setpriv --no-new-privs "$SHELL_UNDER_TEST" -c 'echo ran' > "$TMP/out" 2> "$TMP/err"
[ $? = 125 ] || fail "status under no_new_privs"
grep -q 'not running with group ttytrail' "$TMP/err" || fail "$(cat "$TMP/err")"
ok "refused, and the cause is named"

step "what it links"
readelf -d "$BIN/ttytrail-shell" | grep NEEDED | grep -vE 'libc\.so|libcrypto|libasan|libubsan|libm\.so|libtsan' &&
    fail "more than libc and libcrypto"
ok "libc and libcrypto"
exit 0
