# SPDX-License-Identifier: Apache-2.0
"""The far side of lines and multiplexers: ssh, tmux, screen, mosh, slow ptys; clients that ask."""
from drive import PROMPT
from world import FAR, PORTS, SECRET, USER, scenario


def on_far_side(t, start, chain=1):
    t.see(PROMPT)
    t.text(start)
    t.enter()
    t.see(PROMPT, 20)
    t.line('echo on-the-far-$((40 + 2))', r'far-42.*' + PROMPT)


def sudo_there(t):
    t.text('sudo -k id')
    t.enter()
    t.password('assword', SECRET, seconds=20)
    t.see('uid=0', 20)
    t.see(PROMPT)
    t.line('echo the remote text stays')


@scenario('ssh_sudo', needs='sudo')
def _(t):
    on_far_side(t, 'ssh far')
    sudo_there(t)


@scenario('ssh_ssh_sudo', needs='sudo')
def _(t):
    on_far_side(t, 'ssh far')
    t.text('ssh far')
    t.enter()
    t.see(PROMPT, 20)
    t.settle()
    sudo_there(t)


@scenario('ssh_su_in_tmux', needs='tmux')
def _(t):
    on_far_side(t, 'ssh far')
    t.text('tmux -L ttyca -f /dev/null new')
    t.enter()
    t.settle(0.5)
    t.text('su -c id ' + USER)
    t.enter()
    t.password('assword', SECRET)
    t.settle(0.4)
    t.text('echo text in there')
    t.enter()
    t.settle(0.3)
    t.text('exit')
    t.enter()
    t.see(PROMPT)


@scenario('pty_in_ssh_in_tmux', needs='tmux sudo')
def _(t):
    t.see(PROMPT)
    t.text('tmux -L ttyca -f /dev/null new')
    t.enter()
    t.settle(0.5)
    t.text('ssh far')
    t.enter()
    t.settle(0.8)
    t.text('script -q /dev/null')
    t.enter()
    t.settle(0.5)
    t.text('sudo -k id')
    t.enter()
    t.password('assword', SECRET)
    t.settle(0.5)
    for _ in range(3):
        t.text('exit')
        t.enter()
        t.settle(0.3)
    t.see(PROMPT)


@scenario('tmux_busy_status', needs='tmux')
def _(t):
    t.see(PROMPT)
    t.text("tmux -L ttyca -f /dev/null new \\; set status-interval 1 \\; set status-right '%H:%M:%S'")
    t.enter()
    t.settle(0.5, 3)
    t.text('read -s -p "Zzyzx> " x; echo')
    t.enter()
    t.see('Zzyzx> .*Zzyzx> ')
    t.pump(0.3)
    t.secret('corncrake<Oat7', 0.15)
    t.enter()
    t.pump(0.5)
    t.text('exit')
    t.enter()
    t.see(PROMPT)


@scenario('tmux_other_pane_scrolls', needs='tmux')
def _(t):
    t.see(PROMPT)
    t.text("tmux -L ttyca -f /dev/null new \\; split-window -d 'for i in $(seq 60); do echo line $i of noise; sleep "
           "0.1; done'")
    t.enter()
    t.pump(0.8)
    t.text('read -s -p "Password: " x; echo')
    t.enter()
    t.see('Password: .*Password: ')
    t.pump(0.3)
    t.secret('marshland>Teal', 0.1)
    t.enter()
    t.pump(0.5)
    t.text('exit')
    t.enter()
    t.see(PROMPT, 20)


@scenario('screen', needs='screen sudo')
def _(t):
    t.see(PROMPT)
    t.text('screen -q -c /dev/null')
    t.enter()
    t.settle(0.6)
    t.text('echo text in screen')
    t.enter()
    t.settle(0.3)
    t.text('sudo -k id')
    t.enter()
    t.password('assword', SECRET)
    t.settle(0.5)


@scenario('mosh', needs='mosh sudo', soak=True)
def _(t):
    on_far_side(t, 'mosh --predict=always --ssh="ssh -p %d" far' % PORTS['ssh'])
    sudo_there(t)
    t.text('exit')
    t.enter()
    t.see(PROMPT)


@scenario('kubectl_like', needs='sudo')
def _(t):
    on_far_side(t, '%s 60 10 -- bash' % FAR)
    sudo_there(t)
    t.text('exit')
    t.enter()
    t.see(PROMPT)


@scenario('docker_like_far_away', needs='sudo')
def _(t):
    on_far_side(t, '%s 90 5 -- bash' % FAR)
    t.text('cat > /tmp/ttyca.note <<EOF')
    t.enter()
    t.settle(0.5)
    t.text('a line of a document')
    t.enter()
    t.text('EOF')
    t.enter()
    t.see(PROMPT)
    sudo_there(t)


@scenario('remote_getpass')
def _(t):
    on_far_side(t, 'ssh far')
    t.line('python3 -q', '>>> ')
    t.text('import getpass; x = getpass.getpass("Speak: ")')
    t.enter()
    t.password('Speak: ', 'cloudberry-Fen')
    t.see('>>> ')
    t.line('print(len(x))', '14.*>>> ')


@scenario('pasted_at_a_remote_prompt')
def _(t):
    on_far_side(t, 'ssh far')
    t.text('read -s -p "Speak: " x; echo')
    t.enter()
    t.see('Speak: ')
    t.see('Speak: ')
    t.settle()
    t.paste('hazelnut|Doe44', 'secret', bracketed=True)
    t.enter()
    t.see(PROMPT)
    t.paste('echo a pasted command stays', 'text', bracketed=True)
    t.enter()
    t.see(PROMPT)


@scenario('remote_job_prints_meanwhile')
def _(t):
    on_far_side(t, 'ssh far')
    t.line('(for i in 1 2 3 4 5 6 7 8 9 10; do echo tick $i of the far job; sleep 0.2; done) &', 'tick 1 of')
    t.text('read -s -p "Zzyzx> " x; echo')
    t.enter()
    t.see(r'2004l\rZzyzx> ')
    t.secret('bellwether#Ram', 0.12)
    t.enter()
    t.see('tick 10')


@scenario('ssh_password')
def _(t):
    t.see(PROMPT)
    t.text('ssh -o PubkeyAuthentication=no far uptime')
    t.enter()
    t.password('assword', SECRET)
    t.see('load average')


@scenario('git_over_http', needs='git')
def _(t):
    t.see(PROMPT)
    t.text('git clone http://127.0.0.1:%d/private.git /tmp/ttyca.git' % PORTS['http'])
    t.enter()
    t.see('Username for')
    t.settle()
    t.text('wilhelmina')
    t.enter()
    t.password('Password for', 'ghp-like-Teasel')
    t.see(PROMPT, 20)


@scenario('ftp', needs='tnftp python3-pyftpdlib')
def _(t):
    t.see(PROMPT)
    t.text('tnftp 127.0.0.1 %d' % PORTS['ftp'])
    t.enter()
    t.see('Name')
    t.settle()
    t.text('wilhelmina')
    t.enter()
    t.password('assword', 'saltmarsh.Gull')
    t.see('ftp> ')
    t.line('pwd', 'ftp> ')
    t.line('quit')


@scenario('lftp', needs='lftp python3-pyftpdlib')
def _(t):
    t.see(PROMPT)
    t.text('lftp -p %d -u wilhelmina 127.0.0.1' % PORTS['ftp'])
    t.enter()
    t.password('assword', 'saltmarsh.Gull')
    t.see('> ')
    t.settle()
    t.line('quit')


@scenario('node_masks', needs='nodejs', masks=True)
def _(t):
    t.see(PROMPT)
    t.text("node -e \"const r=require('readline').createInterface({input:process.stdin,output:process.stdout,"
           "terminal:true}); r._writeToOutput=s=>process.stdout.write('\\x1b[2K\\x1b[200D? Speak '+"
           "'*'.repeat(r.line.length)); r.question('? Speak ',()=>{r.close();process.stdout.write('\\ntaken\\n')})\"")
    t.enter()
    t.see(r'D\? Speak (\x1b\[[0-9]*G)?$')
    t.settle(0.3)
    t.secret('kingfisher~Ely')
    t.enter()
    t.see('taken')
