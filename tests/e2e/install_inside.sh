#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The inside of install.sh: process 2 of a root of its own, whose /out is shared with the outside.
set -u
STEP=start
MIB=$(cat /out/mib)
DB=/var/lib/ttytrail/evidence/evidence.db
SHELL_OF_ALICE=/usr/bin/ttytrail-shell-bin-bash
step() { STEP=$1; echo "- $1"; }
ok() { echo "  ok: $1"; }
fail() {
    echo "install: FAILED at '$STEP': $1" >&2
    tail -n 5 /tmp/sshd.log >&2 2>/dev/null
    [ ! -e /out/booted ] || journalctl --no-pager -n 30 >&2
    exit 1
}
wait_for() { # WHAT COMMAND...
    what=$1 tries=1200
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "waited for: $what"
        sleep 0.05
    done
}
# is WANTED COMMAND...: its output.
is() {
    wanted=$1
    shift
    got=$("$@" 2>&1) || :
    [ "$got" = "$wanted" ] || fail "'$got', not '$wanted': $*"
}
status_is() {
    wanted=$1 got=0
    shift
    "$@" >/tmp/out 2>/tmp/err || got=$?
    [ "$got" = "$wanted" ] || fail "status $got, not $wanted: $*: $(cat /tmp/out /tmp/err)"
}
mode() { stat -c '%a %U:%G' "$@"; }
list() { ttytrail list --db "$DB" --json; }
export DEBIAN_FRONTEND=noninteractive

step "install"
cp /etc/passwd /tmp/passwd
# What this machine says of services of its own is not said in here; nor are its manual pages listed anew, which takes
# seconds.
rm -f /usr/sbin/policy-rc.d
[ ! -e /usr/bin/mandb ] || ln -sf /bin/true /usr/bin/mandb
if dpkg -s libcurl4 >/dev/null 2>&1; then
    dpkg -i /out/ttytrail.deb >/tmp/dpkg.log 2>&1 || fail "$(cat /tmp/dpkg.log)"
else
    # A minimal root: what Depends names, and nothing else, out of apt's cache.
    apt-get -y --no-install-recommends --no-download install /tmp/ttytrail.deb >/tmp/dpkg.log 2>&1 ||
        dpkg -i /var/cache/apt/archives/*.deb /out/ttytrail.deb >/tmp/dpkg.log 2>&1 || fail "$(cat /tmp/dpkg.log)"
fi
grep -q "nobody's shell was changed" /tmp/dpkg.log && grep -q 'doctor --login-probe' /tmp/dpkg.log &&
    grep -q break_glass /tmp/dpkg.log || fail "does not say what is next: $(cat /tmp/dpkg.log)"
is "$(cat /tmp/passwd)" grep -v '^ttytrail:' /etc/passwd
ok "nobody's shell was changed, and what is next is said"
is "2755 root:ttytrail" mode /usr/bin/ttytrail-shell
is "root ttytrail 2755 /usr/bin/ttytrail-shell" dpkg-statoverride --list /usr/bin/ttytrail-shell
for row in '711 root:root /var/lib/ttytrail' '2750 ttytrail:ttytrail-audit /var/lib/ttytrail/evidence' \
    '700 ttytrail:ttytrail /var/lib/ttytrail/ship' '1730 ttytrail:ttytrail /var/lib/ttytrail/ring' \
    '755 ttytrail:ttytrail /run/ttytrail'; do
    is "${row% *}" mode "${row##* }"
done
grep -qx "$SHELL_OF_ALICE" /etc/shells || fail "not in /etc/shells"
ok "setgid by dpkg-statoverride, directories, /etc/shells"

# pid: the writer's.
if [ -e /out/booted ]; then
    step "the writer, by systemd"
    pid() { systemctl show -p MainPID --value ttytraild.service; }
    is "660 root:ttytrail" mode /run/ttytrail/writer.sock
    is "666 root:ttytrail" mode /run/ttytrail/control.sock
    for unit in ttytraild.socket ttytraild-control.socket ttytraild.service; do
        is enabled systemctl is-enabled "$unit"
        is active systemctl is-active "$unit"
    done
    is "" systemctl list-units --no-legend --plain --state=failed
    if [ -e /lib/systemd/system/ttytrail-facts.socket ]; then
        is "600 ttytrail:ttytrail" mode /run/ttytrail/facts.sock
        is active systemctl is-active ttytrail-facts.socket
    fi
    KILLED=$(pid)
    systemctl kill --signal=KILL ttytraild.service
    again() { [ "$(pid)" != "$KILLED" ]; }
    wait_for "the writer again" again
else
    step "the writer, without systemd"
    pid() { cat /run/ttytrail/ttytraild.pid; }
    # Where no init runs, packages start nothing: by hand, then.
    [ -S /run/ttytrail/control.sock ] || /etc/init.d/ttytraild start || fail "init script"
    wait_for "the writer's socket" test -S /run/ttytrail/control.sock
    status_is 0 /etc/init.d/ttytraild status
    is "660 ttytrail:ttytrail" mode /run/ttytrail/writer.sock
    is "666 ttytrail:ttytrail" mode /run/ttytrail/control.sock
fi
is "640 ttytrail:ttytrail-audit" mode "$DB"
its_user() { [ "$(stat -c %U "/proc/$(pid)")" = ttytrail ]; }
wait_for "a writer that runs as ttytrail" its_user
WRITER=$(pid)
ok "runs as ttytrail; sockets 0660 and 0666, database 0640 of ttytrail-audit"
ttytrail doctor --login-probe >/tmp/out 2>&1 || :
for what in pipes 'a terminal'; do
    grep -q "^ok *login probe .*$what works and is recorded" /tmp/out || fail "doctor: $(cat /tmp/out)"
done
grep -q '^ok *rights' /tmp/out && grep -q '^ok *writer' /tmp/out || fail "doctor: $(cat /tmp/out)"
ok "doctor --login-probe"

step "users and sshd"
useradd -m -s "$SHELL_OF_ALICE" alice && useradd -m -s /bin/bash bob && useradd -m -G ttytrail-audit -s /bin/bash carol ||
    fail useradd
for user in alice bob; do usermod -p '*' "$user"; done
mkdir -p /root/.ssh /etc/ssh/sshd_config.d /run/sshd && chmod 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
ssh-keygen -lf /root/.ssh/id_ed25519.pub | cut -d' ' -f2 >/out/fingerprint
cut -d' ' -f2 /root/.ssh/id_ed25519.pub >>/out/fingerprint
for home in /home/alice /home/bob; do
    install -d -m 700 -o "${home##*/}" -g "${home##*/}" "$home/.ssh"
    install -m 600 -o "${home##*/}" -g "${home##*/}" /root/.ssh/id_ed25519.pub "$home/.ssh/authorized_keys"
done
rm -f /etc/ssh/sshd_config.d/* /etc/ssh/ssh_host_*_key*
cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
cp /usr/share/doc/ttytrail/examples/sshd_config.d/ttytrail.conf /etc/ssh/sshd_config.d/ 2>/dev/null ||
    cp /out/sshd.conf /etc/ssh/sshd_config.d/ttytrail.conf || fail "no example for sshd"
ssh-keygen -A >/dev/null
printf 'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nIdentityFile /root/.ssh/id_ed25519\n' \
    >/root/.ssh/config
if [ -x /usr/libexec/ttytrail/ttytrail-login ]; then
    pam-auth-update --enable ttytrail || fail pam-auth-update
    # A writer that puts what it hears to sessions.
    ! grep -q 'conn\.source' /usr/sbin/ttytraild || : >/out/witness
fi
if [ -e /out/booted ]; then
    systemctl restart ssh || fail sshd
else
    /usr/sbin/sshd -E /tmp/sshd.log || fail sshd
fi
wait_for "a login of who is not recorded" ssh bob@127.0.0.1 true
status_is 0 sshd -t
status_is 0 ttytrail list --db "$DB"
grep -q bob /tmp/out && fail "bob is recorded: $(cat /tmp/out)"
ok "sshd takes the example's settings; bob logs in and is not recorded"

step "every way in"
IT=alice@127.0.0.1
(echo 'echo pty-$((6 * 7)); tty; exit 5') | ssh -tt "$IT" >/tmp/out 2>&1
[ $? = 5 ] || fail "status of a login: $(cat /tmp/out)"
grep -q pty-42 /tmp/out && grep -q /dev/pts/ /tmp/out || fail "$(cat /tmp/out)"
ok "ssh on a pty"
echo 'echo su-$((6 * 7)); exit 6' | script -qec "su - alice" /dev/null >/tmp/out 2>&1
[ $? = 6 ] && grep -q su-42 /tmp/out || fail "su: $(cat /tmp/out)"
ok "su - on a pty"
status_is 7 ssh "$IT" 'echo here; echo there >&2; exit 7'
is here cat /tmp/out
is there cat /tmp/err
status_is 0 ssh -n "$IT" 'echo n-$((6 * 7))' </dev/null
is n-42 cat /tmp/out
# A shell that dies of a signal is 255 to ssh, recorded or not.
status_is 255 ssh "$IT" 'kill -TERM $$'
ok "ssh with a command; -n; one that dies of a signal"
head -c "${MIB}M" /dev/urandom >/tmp/file
same() { cmp /tmp/file "$1" && rm -f "$1" || fail "not the same file"; }
scp -q /tmp/file "$IT:up" && same /home/alice/up || fail scp
cp /tmp/file /home/alice/file && scp -q "$IT:file" /tmp/down && same /tmp/down || fail scp
scp -O -q /tmp/file "$IT:up" && same /home/alice/up && scp -O -q "$IT:file" /tmp/down && same /tmp/down || fail "scp -O"
printf 'put /tmp/file up\nget file /tmp/down\n' | sftp -q -b - "$IT" >/tmp/out 2>&1 || fail "sftp: $(cat /tmp/out)"
same /home/alice/up
same /tmp/down
rsync -a /tmp/file "$IT:up" && same /home/alice/up && rsync -a "$IT:file" /tmp/down && same /tmp/down || fail rsync
ok "scp, scp -O, sftp and rsync: $MIB MiB each way, the same bytes"
# As alice herself, whose repository it is; the real shell is named, so that this is no session.
su -s /bin/sh alice -c 'cd && git init -q work && cd work && git config user.email a@example.com &&
    git config user.name a && head -c 300000 /dev/urandom >blob && git add blob && git commit -qm one' || fail "git init"
git clone -q "ssh://$IT/~/work" /tmp/clone && cmp /tmp/clone/blob /home/alice/work/blob || fail "git clone"
ok "git clone"

step "who may read"
su -s /bin/sh carol -c "ttytrail list --db $DB" >/tmp/out 2>&1 && grep -q alice /tmp/out || fail "carol: $(cat /tmp/out)"
su -s /bin/sh bob -c "ttytrail list --db $DB" >/tmp/out 2>&1 && fail "bob reads: $(cat /tmp/out)"
ok "a member of ttytrail-audit, and nobody else"

step "upgrade under an open session"
mkfifo /tmp/keys
ssh -tt "$IT" </tmp/keys >/tmp/session 2>&1 &
SESSION=$!
exec 3>/tmp/keys
echo 'echo before-$((6 * 7)); id -G' >&3
wait_for "the session" grep -q before-42 /tmp/session
RECORDER=$(pgrep -o -u alice -f '^-ttytrail-shell|ttytrail-shell') || fail "no recorder"
dpkg -i /out/next.deb >/tmp/dpkg.log 2>&1 || fail "$(cat /tmp/dpkg.log)"
NEXT=$(pid)
[ "$NEXT" != "$WRITER" ] || fail "the writer was not restarted"
is "2755 root:ttytrail" mode /usr/bin/ttytrail-shell
ls -l "/proc/$RECORDER/exe" | grep -q deleted || fail "the old recorder was not replaced"
echo 'echo after-$((6 * 7)); exit 8' >&3
exec 3>&-
wait "$SESSION"
[ $? = 8 ] && grep -q after-42 /tmp/session || fail "the session ended: $(cat /tmp/session)"
ok "writer $WRITER became $NEXT; the old recorder, its file gone, went on to its end, status 8"
status_is 9 ssh "$IT" 'exit 9'
ok "and the next login goes through the new one"

step "what the database says"
# The host's own journal ends with the host.
sealed() { ! list | grep -v '"kind":"host"' | grep -q '"state":"open"'; }
wait_for "ends of all sessions" sealed
list >/out/list.json
ttytrail verify --db "$DB" >/tmp/out 2>&1 || fail "$(cat /tmp/out)"
ok "$(tail -n 1 /tmp/out)"

if [ -e /out/booted ]; then
    step "units that run by themselves"
    install -d -m 700 -o ttytrail /var/lib/ttytrail/ship/store
    printf '[ship]\nto = file:///var/lib/ttytrail/ship/store\n' >/etc/ttytrail/conf.d/test.conf
    systemctl start ttytrail-ship-now.path
    touch /run/ttytrail/ship-now
    wait_for "what is shipped at once" sh -c 'find /var/lib/ttytrail/ship/store/packs -type f | grep -q . && [ ! -e /run/ttytrail/ship-now ]'
    for unit in ship verify prune correlate; do
        status_is 0 systemctl start "ttytrail-$unit.service"
        status_is 0 systemctl start "ttytrail-$unit.timer" 2>/dev/null || fail "ttytrail-$unit.timer"
    done
    is "" systemctl list-units --no-legend --plain --state=failed
    for unit in $(cd /lib/systemd/system && ls ttytrail*); do status_is 0 systemd-analyze verify --man=no "$unit"; done
    ttytrail verify /var/lib/ttytrail/ship/store >/tmp/out 2>&1 || fail "$(cat /tmp/out)"
    systemd-analyze security --no-pager ttytraild.service | tail -n 1 >/tmp/out
    grep -q ' 0\.' /tmp/out || fail "$(cat /tmp/out)"
    ok "ship-now, ship, verify, prune; sandbox:$(tail -n 1 /tmp/out | tr -cd ' -~')"
    systemctl stop ttytrail-ship-now.path
    rm /etc/ttytrail/conf.d/test.conf
fi

step "remove"
status_is 1 dpkg -r ttytrail
grep -q "  alice  $SHELL_OF_ALICE" /tmp/err || fail "does not say who: $(cat /tmp/err)"
grep -q bob /tmp/err && fail "bob is named"
is installed dpkg-query -W -f '${db:Status-Status}' ttytrail
status_is 3 ssh "$IT" 'exit 3'
ok "refused while alice has the shell, and she still logs in"
usermod -s /bin/bash alice
status_is 0 dpkg -r ttytrail
grep -q ttytrail /etc/shells && fail "still in /etc/shells"
status_is 1 dpkg-statoverride --list /usr/bin/ttytrail-shell
[ ! -e /usr/bin/ttytrail-shell ] && [ -e /etc/ttytrail/ttytrail.conf ] && [ -s "$DB" ] || fail "files"
[ ! -e "/proc/$NEXT" ] || fail "the writer runs"
status_is 4 ssh "$IT" 'exit 4'
ok "then done; settings and evidence stay, alice logs in"

step "purge"
sum=$(sha256sum "$DB")
dpkg -P ttytrail >/tmp/out 2>&1 || fail "$(cat /tmp/out)"
grep -q 'stay in' /tmp/out && grep -q /var/lib/ttytrail /tmp/out || fail "does not say where evidence lies: $(cat /tmp/out)"
is "$sum" sha256sum "$DB"
[ ! -e /etc/ttytrail/ttytrail.conf ] && [ ! -e /etc/init.d/ttytraild ] || fail "settings stay"
is "ttytrail" stat -c %U "$DB"
ok "evidence is still there, and it is said where"
dpkg -i /out/next.deb >/tmp/dpkg.log 2>&1 || fail "$(cat /tmp/dpkg.log)"
list | wc -l >/tmp/out && [ "$(cat /tmp/out)" -gt 10 ] || fail "an installation later does not find it"
ok "an installation later finds it"
exit 0
