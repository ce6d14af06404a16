#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doctor looks at an installed host: rights, writer, users, sshd, PAM, disk, and a login tried out.  In a mount
# namespace with its own /run, /var/lib, accounts and settings: nothing of the machine changes.
. "$(dirname "$0")/lib.sh"
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || fail "needs root: rights and another user's login are what it looks at"
    need unshare runuser /usr/sbin/sshd
    unshare -m --propagation private "$0" inside || exit 1
    passed
fi
[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] || fail "'inside' is for the test itself"
export AWS_EC2_METADATA_DISABLED=true
cd "$TMP" && chmod 755 "$TMP" || exit 1
DB=/var/lib/ttytrail/evidence/evidence.db
doctor() { "$TTYTRAIL" doctor --db "$DB" --to "file://$TMP/store" "$@"; }
# said RESULT CHECK WORDS: doctor says so.
said() {
    doctor $PROBE >out 2>err
    grep -q "^$1 *$2 .*$3" out || fail "not '$1 $2 ... $3': $(cat out err)"
    ok "$1 $2: $3"
}
unsaid() {
    doctor $PROBE >out 2>err
    grep -q "^finding *$1 .*$2" out && fail "still '$1 ... $2': $(cat out)"
    ok "$1: mended"
}
PROBE=

step 'a host where nothing is installed'
getent group ttytrail >/dev/null && fail 'this machine has a group ttytrail: the test wants none'
said note rights 'not installed for logins'

step 'an installed host'
grep -v '^nobody:' /etc/passwd >passwd
{ echo "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin"
  echo 'ttytrail:x:64123:64123::/nonexistent:/usr/sbin/nologin'; } >>passwd
cp /etc/group group
{ echo 'ttytrail:x:64123:'; echo 'ttytrail-audit:x:64124:'; } >>group
cp -R /etc/ssh ssh && cp -R /etc/pam.d pam && cp /etc/shells shells
mkdir -p ssh/sshd_config.d && rm -f ssh/sshd_config.d/*
# Of sshd only what it says with -T is asked: it wants a key and a directory.
ls ssh/ssh_host_*_key >/dev/null 2>&1 || ssh-keygen -q -t ed25519 -N '' -f ssh/ssh_host_ed25519_key
printf 'UsePAM yes\nPermitUserRC no\nSubsystem sftp /usr/lib/openssh/sftp-server\n' >ssh/sshd_config
printf 'session required pam_loginuid.so\nsession optional pam_exec.so quiet /usr/lib/ttytrail/ttytrail-login\n' >pam/witness
printf '@include witness\n' >pam/sshd
printf 'session  include witness\n' >pam/login
mkdir etc && chmod 755 etc && printf '[record]\n' >etc/ttytrail.conf && chmod 644 etc/ttytrail.conf
mount --bind passwd /etc/passwd && mount --bind group /etc/group && mount --bind shells /etc/shells &&
    mount --bind ssh /etc/ssh && mount --bind pam /etc/pam.d && mount -t tmpfs none /run &&
    mount -t tmpfs none /var/lib && mount -t tmpfs none /opt || fail mount
mkdir -p /run/sshd
mkdir -m 755 /run/ttytrail /opt/bin
mkdir -m 711 /var/lib/ttytrail
cd /var/lib/ttytrail && mkdir -m 750 evidence && mkdir -m 700 ship && mkdir ring && chmod 1730 ring || fail mkdir
chown 64123:64124 evidence && chown 64123 ship && chown 64123:64123 ring || fail chown
chmod 1730 ring && chmod 2750 evidence
cd "$TMP" || exit 1
install -m 2755 -g 64123 "$BIN/ttytrail-shell" /opt/bin/ttytrail-shell
ln -s ttytrail-shell /opt/bin/ttytrail-shell-bin-sh
echo /opt/bin/ttytrail-shell-bin-sh >>/etc/shells

said finding rights '/run/ttytrail/writer.sock: No such file'
said finding writer 'nobody answers'
PROBE=--login-probe
said finding 'login probe' 'nobody with pipes does not work .status 125.*no recording, no session'
said finding 'login probe' 'nobody on a terminal does not work .status 125'
PROBE=

umask 027
runuser -u ttytrail -- "$BIN/ttytraild" --db "$DB" --socket /run/x --help >/dev/null || fail 'no writer'
chown 64123 /run/ttytrail
setpriv --reuid 64123 --regid 64123 --clear-groups "$BIN/ttytraild" --db "$DB" --socket /run/ttytrail/writer.sock \
    --control /run/ttytrail/control.sock --config "$TMP/etc/ttytrail.conf" 2>log &
WRITER=$!
at_exit "kill $WRITER 2>/dev/null"
umask 022
wait_for "the writer's sockets" test -S /run/ttytrail/control.sock
said ok rights 'have theirs'
said ok writer 'listens'
said note users "nobody's shell is ttytrail-shell"
said note sshd 'forwarded ports'
said ok sshd 'no setting leads past'
said ok pam 'the witness stands'
said finding disk 'lies in memory'
PROBE=--login-probe
said ok 'login probe' 'nobody with pipes works and is recorded'
said ok 'login probe' 'nobody on a terminal works and is recorded'
PROBE=--login-probe=nosuchuser
said finding 'login probe' 'there is no user nosuchuser'
PROBE=

step 'rights'
chmod 777 /var/lib/ttytrail/ring && said finding rights 'ring has mode 777'
chmod 1730 /var/lib/ttytrail/ring && unsaid rights ring
chmod 644 "$DB" && said finding rights 'evidence.db has mode 644'
chmod 640 "$DB" && unsaid rights evidence.db
chmod 755 /opt/bin/ttytrail-shell && said finding rights 'has mode 755.*2755'
chmod 2755 /opt/bin/ttytrail-shell && unsaid rights ttytrail-shell
mount -o remount,nosuid /opt && said finding rights 'mounted nosuid'
mount -o remount,suid /opt && unsaid rights nosuid

step 'users'
echo 'zoe:x:64200:64200::/nonexistent:/opt/bin/ttytrail-shell-bin-nosuch' >>/etc/passwd
said finding users 'the real shell is not there.*zoe'
sed 's/ttytrail-shell-bin-nosuch/ttytrail-shell-bin-sh/' passwd >p2 && cat p2 >/etc/passwd
said ok users 'recorded: zoe'
said note users 'break_glass names no group'
said note users 'may leave by chsh'
sed -i '1i auth required pam_rootok.so' pam/chsh
doctor >out; grep -q 'may leave by chsh' out && fail 'chsh is for root alone'
grep -v ttytrail shells >s2 && cat s2 >/etc/shells
said finding users 'is not in /etc/shells.*zoe'
said finding rights 'lists no ttytrail-shell'
echo /opt/bin/ttytrail-shell-bin-sh >>/etc/shells
unsaid users zoe

step 'sshd'
for row in 'Subsystem sftp internal-sftp|bypassable.*internal-sftp' \
    'ForceCommand /opt/bin/ttytrail-shell|bypassable: with ForceCommand' \
    'ForceCommand internal-sftp|bypassable.*ForceCommand internal-sftp' \
    'ChrootDirectory /var|bypassable: below ChrootDirectory' \
    'PermitUserEnvironment yes|users set the environment' \
    'UsePAM no|does not use PAM'; do
    { echo "${row%%|*}"; grep -v "^${row%% *}" ssh/sshd_config; } >c2 && cp ssh/sshd_config before && cp c2 ssh/sshd_config
    said finding sshd "${row#*|}"
    cp before ssh/sshd_config
done
printf 'Match User zoe\nForceCommand internal-sftp\n' >>ssh/sshd_config
said finding sshd 'user zoe: bypassable'
cp before ssh/sshd_config
echo 'Nonsense yes' >>ssh/sshd_config
said blind sshd "ended with status"
cp before ssh/sshd_config
unsaid sshd .

step 'PAM'
sed -i /ttytrail-login/d pam/witness && said finding pam 'sshd: no witness'
sed -i /loginuid/d pam/witness && said finding pam 'without pam_loginuid'

step 'not root'
runuser -u nobody -- "$TTYTRAIL" doctor --db "$DB" --to "file://$TMP/store" --login-probe >out 2>err
grep -q '^blind *sshd' out || fail "$(cat out err)"
grep -q '^note *rights' out && fail 'not installed?'
ok 'what it cannot see is said'
kill "$WRITER"
exit 0
