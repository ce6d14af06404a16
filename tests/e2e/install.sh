#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The package on a root of its own, with its own mounts, processes and network: installed, logged in to by every
# way, upgraded under an open session, kept while it is used, removed, purged.
#
#   install.sh                 over this machine's own root, in memory (without network)
#   install.sh --clean DIR     on a Debian 12 made with debootstrap in DIR (kept there for the next time)
#   --boot     with --clean: systemd is its first process, and the units do what init scripts do elsewhere
#   --inside FILE   run this in there instead, and judge nothing
#   --mib N    how large the files are that pass (default 1)     --deb FILE    this package, not the build's
. "$(dirname "$0")/lib.sh"
CLEAN= BOOT= MIB=1 DEB= INSIDE=
while [ $# -gt 0 ]; do
    case $1 in
    --boot)
        BOOT=yes
        shift
        continue
        ;;
    --clean) CLEAN=$2 ;;
    --mib) MIB=$2 ;;
    --deb) DEB=$2 ;;
    --inside) INSIDE=$2 ;;
    *) fail "no option $1" ;;
    esac
    shift 2
done
[ "$(id -u)" = 0 ] || fail "needs root: it installs a package"
need unshare chroot cpack dpkg-deb dpkg-shlibdeps python3
HERE=$ROOT/tests/e2e
WHY=$(sh "$HERE/own_root.sh") || {
    echo "*** NOT TESTED: the package on a root of its own, which cannot be had here: $WHY"
    exit 0
}
OUT=$TMP/out
mkdir -m 755 "$OUT" "$TMP/root"
chmod 755 "$TMP"

step "the package"
if [ -z "$DEB" ]; then
    cpack -G DEB --config "$BIN/../CPackConfig.cmake" -B "$TMP/cpack" >"$TMP/cpack.log" 2>&1 || fail "$(tail "$TMP/cpack.log")"
    DEB=$(echo "$TMP"/cpack/*.deb)
fi
cp "$DEB" "$OUT/ttytrail.deb"
# The next version: the same with another number.
dpkg-deb -R "$OUT/ttytrail.deb" "$TMP/next" && sed -i 's/^Version: .*/&+next/' "$TMP/next/DEBIAN/control" &&
    dpkg-deb --root-owner-group -b "$TMP/next" "$OUT/next.deb" >/dev/null || fail "dpkg-deb"
cp "${INSIDE:-$HERE/install_inside.sh}" "$OUT/inside" && chmod 755 "$OUT/inside"
echo "$MIB" >"$OUT/mib"
ok "$(dpkg-deb -f "$OUT/ttytrail.deb" Package Version Architecture | tr '\n' ' ')"

step "a root"
if [ -n "$CLEAN" ]; then
    need debootstrap
    [ -e "$CLEAN/made" ] || {
        rm -rf "$CLEAN"
        debootstrap --variant=minbase \
            --include="openssh-server,openssh-client,openssh-sftp-server,rsync,git,procps,bsdutils${BOOT:+,systemd-sysv,dbus}" \
            bookworm "$CLEAN" >"$TMP/debootstrap.log" 2>&1 || fail "$(tail -n 5 "$TMP/debootstrap.log")"
        : >"$CLEAN/made"
    }
    # What it depends on is fetched here, and installed without network inside.
    cp "$OUT/ttytrail.deb" "$CLEAN/tmp/" && cp /etc/resolv.conf "$CLEAN/etc/" 2>/dev/null
    chroot "$CLEAN" sh -c 'apt-get -qq update && apt-get -qq -y --no-install-recommends -d install /tmp/ttytrail.deb' \
        >"$TMP/apt.log" 2>&1 || fail "$(tail -n 5 "$TMP/apt.log")"
    LOWER=$CLEAN
else
    need /usr/sbin/sshd ssh rsync git
    LOWER=/
fi
# Everything in there ends with its first process.
cat >"$TMP/first.sh" <<'EOT'
set -eu
mount -t tmpfs -o size=3g none "$TMP/root"
mkdir "$TMP/root/upper" "$TMP/root/work" "$TMP/root/all"
all=$TMP/root/all
mount -t overlay -o "lowerdir=$LOWER,upperdir=$TMP/root/upper,workdir=$TMP/root/work" none "$all"
mount -t proc none "$all/proc"
mount -t tmpfs -o mode=755 none "$all/run"
mount -t tmpfs -o mode=1777 none "$all/tmp"
mount -t tmpfs -o mode=755 none "$all/dev"
mkdir "$all/dev/pts" "$all/dev/shm"
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 none "$all/dev/pts"
ln -s pts/ptmx "$all/dev/ptmx"
ln -s /proc/self/fd "$all/dev/fd"
for n in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$all/dev/${n%:*}" c 1 "${n#*:}"; done
mknod -m 666 "$all/dev/tty" c 5 0
mkdir "$all/out"
mount --bind "$OUT" "$all/out"
hostname ttytrail-test
python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x49))'
set -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=xterm HOME=/root
[ -n "$BOOT" ] || exec chroot "$all" "$@" /out/inside
mount -t sysfs -o ro none "$all/sys"
mount -t cgroup2 none "$all/sys/fs/cgroup"
cd "$all"
mkdir -p before
pivot_root . before
umount -l before
exec "$@" container=ttytrail-test /lib/systemd/systemd --show-status=0
EOT
export LOWER TMP OUT BOOT
if [ -z "$BOOT" ]; then
    unshare -m -p -n -u --fork --kill-child --propagation private sh "$TMP/first.sh" </dev/null || fail "see above"
else
    # A group of processes of its own, which becomes the root of what systemd sees.
    mkdir "$TMP/cgroup" && mount -t cgroup2 none "$TMP/cgroup" && at_exit "umount -l '$TMP/cgroup'" || fail "no cgroup2"
    mkdir "$TMP/cgroup/$TEST.$$"
    no_group() { find "$TMP/cgroup/$TEST.$$" -depth -type d -exec rmdir {} + && [ ! -e "$TMP/cgroup/$TEST.$$" ]; }
    at_exit "wait_within 30 no_group"
    : >"$OUT/booted"
    TEST_GROUP=$TMP/cgroup/$TEST.$$ setsid unshare -m -p -n -u -i --fork --kill-child --propagation private sh -c \
        'echo $$ >"$TEST_GROUP/cgroup.procs" && exec unshare -C sh "$TMP/first.sh"' </dev/null >"$TMP/console" 2>&1 &
    HOLDER=$!
    at_exit "kill -KILL $HOLDER; wait $HOLDER 2>/dev/null"
    FIRST=
    first() { FIRST=$(pgrep -P "$HOLDER") && [ "$(cat "/proc/$FIRST/comm")" = systemd ]; }
    DEADLINE=120 wait_for "systemd: $(cat "$TMP/console")" first
    enter() { nsenter -t "$FIRST" -m -p -n -u -i -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=xterm HOME=/root "$@"; }
    up() { enter systemctl is-system-running | grep -q running; }
    DEADLINE=120 wait_for "the host is up" up
    enter /out/inside </dev/null || fail "see above"
fi

[ -z "$INSIDE" ] || exit 0
step "what was recorded"
python3 -B "$HERE/install_judge.py" "$OUT" || fail "see above"
passed
