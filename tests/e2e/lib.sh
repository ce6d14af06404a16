# SPDX-License-Identifier: Apache-2.0
# What every end-to-end test stands on; sourced, in plain sh.
#
# ROOT: the tree.  BIN: the programs' directory ($TTYTRAIL_BIN, else build/dev/bin).  TTYTRAIL: the command.
# TMP: a directory of the test's own, gone at its end, in which HOME, data and configuration lie too.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BIN=${TTYTRAIL_BIN:-$ROOT/build/dev/bin}
TTYTRAIL=$BIN/ttytrail
TEST=$(basename "$0" .sh)
TMP=$(mktemp -d "${TMPDIR:-/tmp}/ttytrail-$TEST.XXXXXX") || exit 1
STEP=start
AT_EXIT=
export HOME="$TMP/home" XDG_DATA_HOME="$TMP/data" XDG_CONFIG_HOME="$TMP/config" LC_ALL=C.UTF-8
mkdir -p "$HOME"
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN TTYTRAIL_DB NO_COLOR

# at_exit COMMAND: run at the end, the newest first, however the test ends.
at_exit() { AT_EXIT="$1; $AT_EXIT"; }

leave() {
    status=$?
    trap - EXIT
    eval "$AT_EXIT" || :
    if [ -n "${KEEP:-}" ]; then echo "kept: $TMP"; else rm -rf "$TMP"; fi
    exit "$status"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

# step WORDS: what is looked at next; ok WORDS: it holds; passed: the end of a test.
step() { STEP=$1; echo "- $1"; }
ok() { echo "  ok: $1"; }
passed() { echo "$TEST: passed"; exit 0; }
fail() {
    echo "$TEST: FAILED at '$STEP': $1" >&2
    exit 1
}

# need PROGRAM...: a test without its tools fails; it is never skipped silently.
need() {
    for program; do
        command -v "$program" >/dev/null || fail "$program is not installed"
    done
    [ -x "$TTYTRAIL" ] || fail "$TTYTRAIL is not built (TTYTRAIL_BIN names another directory)"
}

# s3_server: scripts/radosgw in $TMP/s3; sets PORT, and leaves how to reach it in s3.env of the directory where one is.
# Its ports have to be known before it binds them: below those that the kernel gives to clients, and others again where
# somebody has one after all.
s3_server() {
    at_exit "'$ROOT/scripts/radosgw' stop '$TMP/s3'"
    for s3_try in 1 2 3 4 5 6 7 8; do
        PORT=$(($(od -An -N2 -tu2 /dev/urandom) % 220 * 100 + 10000))
        "$ROOT/scripts/radosgw" start "$TMP/s3" "$PORT" >s3.env 2>rgw.err && return
        echo "  try $s3_try on port $PORT: $(tail -n 1 rgw.err)"
        rm -rf "$TMP/s3"
    done
    fail "no S3 server: $(tail -n 1 rgw.err)"
}

# s3_proxy: scripts/s3faults, strict, in $TMP/proxy before it; sets PROXY, its port.
s3_proxy() {
    at_exit "'$ROOT/scripts/s3faults' stop '$TMP/proxy'"
    for s3_try in 1 2 3 4 5 6 7 8; do
        PROXY=$((PORT + 70 + s3_try))
        STRICT=1 "$ROOT/scripts/s3faults" start "$TMP/proxy" "$PROXY" "$PORT" 2>proxy.err && return
        echo "  try $s3_try on port $PROXY: $(tail -n 1 proxy.err)"
        rm -rf "$TMP/proxy"
    done
    fail "no proxy: $(tail -n 1 proxy.err)"
}

# wait_within SECONDS COMMAND...: until it is true; false when the time is over.
wait_within() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$deadline" ] || return 1
        sleep 0.05
    done
}

# wait_for WHAT COMMAND...: the same for ${DEADLINE:-60} seconds, and it fails the test.
wait_for() {
    what=$1
    shift
    wait_within "${DEADLINE:-60}" "$@" || fail "waited for: $what"
}

# status_is NUMBER COMMAND...: run it, output to $TMP/out and $TMP/err.
status_is() {
    wanted=$1
    shift
    got=0
    "$@" >"$TMP/out" 2>"$TMP/err" || got=$?
    [ "$got" = "$wanted" ] || {
        sed 's/^/    /' "$TMP/out" "$TMP/err" | tail -n 20 >&2
        fail "status $got, not $wanted: $*"
    }
}
