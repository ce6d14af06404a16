# SPDX-License-Identifier: Apache-2.0
"""No secret in any of these: whatever is missing from the record is a loss."""
from drive import PROMPT
from world import FAR, scenario


@scenario('bash_editing')
def _(t):
    t.see(PROMPT)
    t.line('echo one two three')
    t.text('echo fuor')
    t.key('\x7f')
    t.key('\x7f')
    t.text('our five')
    t.key('\x01')
    t.text('time ')
    t.enter()
    t.see(PROMPT)
    t.key('\x12', 0.2)
    t.text('two')
    t.settle(0.2)
    t.enter()
    t.see(PROMPT)
    t.text('ls /etc/host')
    t.key('\t', 0.3)
    t.key('\x03', 0.2)
    t.line('echo "password: hunter2"')
    t.text('cat <<END')
    t.enter()
    t.settle()
    t.text('a first line, a second')
    t.enter()
    t.text('}')
    t.enter()
    t.text('END')
    t.enter()
    t.see(PROMPT)
    t.line('echo café ☃ 日本語 naïve')


@scenario('bash_far_away')
def _(t):
    t.see(PROMPT)
    t.text('%s 90 5 -- bash' % FAR)
    t.enter()
    t.see(PROMPT)
    t.settle(0.4)
    for text in ('ls -l /etc/hosts', 'for i in 1 2 3; do echo $i; done', 'x', 'echo yes'):
        t.text(text, 0.04)
        t.enter()
        t.see(PROMPT)
        t.settle(0.3)


@scenario('a_paste_of_many_lines')
def _(t):
    lines = ''.join('line %d of a long paste, %s\n' % (i, 'xyzzy'[i % 5:] * 3) for i in range(120))
    t.see(PROMPT)
    t.text('cat > /tmp/ttyca.paste')
    t.enter()
    t.settle()
    t.paste(lines)
    t.settle(0.4)
    t.key('\x04')
    t.see(PROMPT)
    t.line('wc -l /tmp/ttyca.paste', r'120 .*' + PROMPT)


@scenario('a_paste_into_vim', needs='vim')
def _(t):
    lines = ''.join('%d: the words of this line are ordinary\r' % i for i in range(60))
    t.see(PROMPT)
    t.text('vim -u NONE -N /tmp/ttyca.v')
    t.enter()
    t.settle(0.5)
    t.commands('i')
    t.paste(lines)
    t.settle(0.5)
    t.key('\x1b', 0.3)
    t.text(':q!')
    t.enter()
    t.see(PROMPT)


@scenario('vim_commands', needs='vim')
def _(t):
    t.see(PROMPT)
    t.text('vim -u NONE -N /etc/services')
    t.enter()
    t.settle(0.5)
    t.commands('jjjjkkwwbbGgg')
    t.text('/http')
    t.enter()
    t.settle(0.2)
    t.commands('nnNdd')
    t.commands('u')
    t.text('oA new line of text')
    t.key('\x1b', 0.3)
    t.text(':q!')
    t.enter()
    t.see(PROMPT)


@scenario('less_and_more')
def _(t):
    t.see(PROMPT)
    t.text('less /etc/services')
    t.enter()
    t.settle(0.4)
    t.commands('jjjkkGgdub')
    t.text('/udp')
    t.enter()
    t.settle(0.2)
    t.commands('nnq')
    t.see(PROMPT)
    t.text('more /etc/services')
    t.enter()
    t.settle(0.4)
    t.commands(' jjjq')
    t.see(PROMPT)


@scenario('nano', needs='nano')
def _(t):
    t.see(PROMPT)
    t.text('nano /tmp/ttyca.nano')
    t.enter()
    t.settle(0.5)
    t.text('words typed into nano')
    t.enter()
    t.text('and some more of them')
    t.key('\x18', 0.3)
    t.commands('n')
    t.see(PROMPT)


@scenario('typing_while_output_scrolls')
def _(t):
    t.see(PROMPT)
    t.line('(for i in $(seq 40); do echo noise $i here; sleep 0.05; done) &', 'noise 1 here')
    t.text('echo typed in the noise', 0.05)
    t.enter()
    t.see('noise 40')
    t.settle()
    t.line('echo quiet again')


@scenario('blind_commands', mark='alert blind-command')
def _(t):
    t.see(PROMPT)
    t.text('stty -echo')
    t.enter()
    t.settle(0.4)
    t.commands('touch /tmp/ttyca.blind')
    t.enter()
    t.settle(0.4)
    t.commands('stty echo')
    t.enter()
    t.settle(0.4)
    t.line('echo seen again')


@scenario('python_and_sqlite', needs='sqlite3')
def _(t):
    t.see(PROMPT)
    t.line('python3 -q', '>>> ')
    t.text('def f(x):')
    t.enter()
    t.see(r'\.\.\. ')
    t.text('    return x * 2')
    t.enter()
    t.see(r'\.\.\. ')
    t.enter()
    t.see('>>> ')
    t.line('f(21)', '42.*>>> ')
    t.line('exit()')
    t.line('sqlite3', 'sqlite> ')
    t.line('select 6 * 7;', '42.*sqlite> ')
    t.line('.quit')


@scenario('fish_and_zsh', needs='fish zsh')
def _(t):
    t.see(PROMPT)
    for start in ('fish --no-config', 'zsh -f'):
        t.text(start)
        t.enter()
        t.settle(0.6)
        for text in ('echo suggestions and colours', 'ls /etc/hostname', 'echo suggestions'):
            t.text(text)
            t.enter()
            t.settle(0.3)
        t.text('exit')
        t.enter()
        t.see(PROMPT)


@scenario('dash_and_cat')
def _(t):
    t.see(PROMPT)
    t.text('dash')
    t.enter()
    t.settle()
    for text in ('echo first', 'PS1=', 'echo an empty prompt', 'cat', 'said to cat', 'and again'):
        t.text(text)
        t.enter()
        t.settle()
    t.key('\x04', 0.2)
    t.text('exit')
    t.enter()
    t.see(PROMPT)


@scenario('tmux_windows', needs='tmux')
def _(t):
    t.see(PROMPT)
    t.text('tmux -L ttyca -f /dev/null new')
    t.enter()
    t.settle(0.5)
    t.text('echo in the first window')
    t.enter()
    t.settle(0.3)
    t.key('\x02c', 0.4)
    t.text('ls -d /usr/share')
    t.enter()
    t.settle(0.3)
    for _ in range(2):
        t.text('exit')
        t.enter()
        t.settle(0.3)
    t.see(PROMPT)
