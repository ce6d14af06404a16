#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The screen model shows what tmux shows: programs and byte streams on a pane of tmux, whose bytes are fed to
the model too.  screen_tmux.py SCREEN_SHOW [NAME...]"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

SHOW = sys.argv[1]
ONLY = sys.argv[2:]
DIR = tempfile.mkdtemp(prefix='ttyscreen-')
SOCKETS = []  # one a pane: a server that ends is not waited for
ENV = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': DIR, 'TERM': 'xterm-256color', 'LANG': 'C.UTF-8',
       'LC_ALL': 'C.UTF-8', 'PAGER': 'less', 'LESS': '', 'SHELL': '/bin/sh'}
ROWS, COLS = 24, 80

# Byte streams that tmux and xterm agree on.  They do not where half of a wide character is overwritten: xterm
# and the model blank the other half, tmux keeps showing the character; in line
# drawing, which tmux captures as the letters that were sent; and for a backspace behind the last column.
STREAMS = {
    'wide characters': '日本語 中文 한국어\r\n🐉🔑 x\r\n' + '漢' * 45 + '\r\nend',
    'combining': 'e\u0301 a\u0308 n\u0303 o\u0302\r\nnaïve café',
    'tabs': 'a\tb\tc\r\n\x1b[3g\x1b[1;20H\x1bH\x1b[1;40H\x1bH\r\n1\t2\t3\r\n\x1b[2Zback',
    'scroll region': '\r\n'.join('line %d' % i for i in range(20)) + '\x1b[5;10r\x1b[10;1H\n\n\nX\x1b[5;1H\x1bMY\x1b[r',
    'insert and delete lines': '\r\n'.join('line %d' % i for i in range(20)) + '\x1b[5;1H\x1b[3L\x1b[12;1H\x1b[2Mz',
    'insert and delete characters': 'abcdefghij\x1b[1;4H\x1b[3@XY\x1b[1;9H\x1b[2PZ',
    'erase characters': 'abcdefghij\x1b[1;3H\x1b[4XQ',
    'scroll up and down': '\r\n'.join('line %d' % i for i in range(24)) + '\x1b[3S\x1b[1;1HA\x1b[2T\x1b[2;1HB',
    'erase display': '\r\n'.join('line %d' % i for i in range(20)) + '\x1b[10;4H\x1b[Jx\x1b[5;3H\x1b[1Jy',
    'erase line': 'abcdefghij\r\nabcdefghij\r\nabcdefghij\x1b[1;5H\x1b[K\x1b[2;5H\x1b[1K\x1b[3;5H\x1b[2K!',
    'origin mode': '\x1b[5;15r\x1b[?6h\x1b[1;1Htop\x1b[99;1Hbottom\x1b[?6l\x1b[1;1Hhome',
    'autowrap off': '\x1b[?7l' + 'x' * 90 + 'END\x1b[?7h\r\n' + 'y' * 90,
    'repeat': 'ab\x1b[10bc\r\n=\x1b[60b|',
    'save and restore': 'one\x1b7\r\n\r\ntwo\x1b8three\x1b[s\x1b[10;10Hfour\x1b[ufive',
    'index, next line': 'a\x1bDb\x1bEc\x1b[24;1Hbottom\x1bDscrolled',
    'insert mode': 'abcdef\x1b[1;3H\x1b[4hXYZ\x1b[4l!',
    'alternate screen': 'main\r\n\x1b[?1049h\x1b[2J\x1b[5;5Halternate\x1b[?1049lback',
    'alternate stays': 'main\r\n\x1b[?1049h\x1b[H\x1b[2Jalternate',
    'colours and styles': '\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink\x1b[48;2;1;2;3mbg\x1b[m \x1b[7mrev\x1b[27m plain',
    'titles and links': '\x1b]0;a title\x07\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\ text',
    'cursor movement': '\x1b[10;10Ha\x1b[3Ab\x1b[5Bc\x1b[7Dd\x1b[9Ce\x1b[2Ff\x1b[3Eg\x1b[20Gh\x1b[15di',
    'backspace and carriage return': 'abc\b\bX\rY\x1b[1;70Hz\bQ',
    'long lines': ''.join('%07d ' % i for i in range(300)),
    'reset': 'abc\x1b[5;10r\x1b[?6h\x1bcafter',
    'unicode symbols': '→ ✓ ░▒▓ ─│┌┐ … “quotes” €\r\n' + '█' * 80 + '|',
}


def programs():
    repo = DIR + '/repo'
    subprocess.run(['sh', '-c', 'git init -q %s && cd %s && for i in $(seq 40); do git -c user.name=a -c user.email=a@b '
                    'commit -q --allow-empty -m "change number $i"; done' % (repo, repo)], check=True, env=ENV)
    with open(DIR + '/text', 'w', encoding='utf-8') as f:
        f.write('\n'.join('%d the quick brown fox, naïve 日本 %s' % (i, 'x' * (i % 70)) for i in range(200)) + '\n')
    return {
        'vim': ('vim -u NONE -N %s/text' % DIR, ['G', 'o', 'hello there', 'Escape', 'gg', '10j', 'dd']),
        'vim split': ('vim -u NONE -N %s/text' % DIR, [':split', 'Enter', 'G', ':set number', 'Enter']),
        'less': ('less %s/text' % DIR, ['Space', 'j', 'j', '/fox, naïve', 'Enter', 'n']),
        'more': ('more %s/text' % DIR, ['Space']),
        'man': ('man -P less 1 ls 2>/dev/null || less /etc/services', ['Space', 'j']),
        'nano': ('nano %s/new' % DIR, ['some words', 'Enter', 'and more']),
        'mc': ('mc -u %s /etc' % DIR, ['Down', 'Down', 'Tab']),
        'dialog': ("dialog --menu 'A menu of things' 15 40 5 1 one 2 two 3 three", ['Down']),
        'whiptail': ("whiptail --inputbox 'Something, please' 10 50", ['words']),
        'bash': ('bash --norc --noprofile -i', ['echo one two', 'C-a', 'time ', 'Enter', 'ls /', 'Enter']),
        'zsh': ('zsh -f', ['echo one', 'Enter', 'ls -l /', 'Enter']),
        'fish': ('fish --no-config', ['echo one', 'Enter', 'ls /', 'Enter']),
        'python': ('/usr/bin/python3 -q', ['for i in range(3): print(i)', 'Enter', 'Enter']),
        'git log': ('cd %s && git log --graph --oneline --color | less -R' % repo, ['Space', 'j']),
        'ls in colours': ('ls --color=always -l /etc | tail -40; cat', []),
        'emacs': ('emacs -nw -Q %s/text' % DIR, ['C-n', 'C-n', 'typed']),
        'top': ('top -d 100', []),
        'screen': ('screen -q -c /dev/null sh', ['echo in screen', 'Enter', 'ls /', 'Enter']),
    }


def tmux(*words):
    return subprocess.run(['tmux', '-L', SOCKETS[-1], '-f', '/dev/null', *words], env=ENV, check=True,
                          capture_output=True).stdout


def quiet(path, seconds=15, still=0.35):
    """Until nothing more was written for a moment."""
    end, last, since = time.monotonic() + seconds, -1, time.monotonic()
    while time.monotonic() < end:
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if size != last:
            last, since = size, time.monotonic()
        elif time.monotonic() - since > still:
            break
        tmux('wait-for', '-S', 'nothing')
    return os.path.getsize(path)


class Pane:
    def __init__(self, command):
        SOCKETS.append('ttyscreen%d.%d' % (os.getpid(), len(SOCKETS)))
        self.raw = DIR + '/raw'
        self.sizes = []
        if os.path.exists(self.raw):
            os.unlink(self.raw)
        tmux('new-session', '-d', '-x', str(COLS), '-y', str(ROWS), 'stty -echo; read x; stty echo; ' + command)
        tmux('set', '-g', 'status', 'off')
        tmux('set', '-g', 'remain-on-exit', 'on')
        tmux('resize-window', '-x', str(COLS), '-y', str(ROWS))
        tmux('pipe-pane', 'cat > ' + self.raw)
        open(self.raw, 'a', encoding='ascii').close()
        tmux('send-keys', 'Enter')
        quiet(self.raw)

    def keys(self, keys):
        for key in keys:
            tmux('send-keys', key)
        quiet(self.raw)

    def resize(self, rows, cols):
        self.sizes += [str(quiet(self.raw)), str(rows), str(cols)]
        tmux('resize-window', '-x', str(cols), '-y', str(rows))
        quiet(self.raw)

    def compare(self, name):
        for _ in range(3):  # a program that still draws is looked at again
            size = quiet(self.raw)
            theirs = tmux('capture-pane', '-p').decode().rstrip('\n').split('\n')
            if os.path.getsize(self.raw) == size:
                break
        with open(self.raw, 'rb') as f:
            ours = subprocess.run([SHOW, str(ROWS), str(COLS), *self.sizes], stdin=f, capture_output=True,
                                  check=True).stdout.decode().rstrip('\n').split('\n')
        theirs = [line.rstrip() for line in theirs]
        if ours == theirs:
            print('ok    ' + name, flush=True)
            return 0
        print('FAIL  ' + name)
        for i, (a, b) in enumerate(zip(ours + [''] * 50, theirs + [''] * 50)):
            if a != b:
                print('  row %d\n    model %r\n    tmux  %r' % (i, a, b))
        return 1

    def close(self):
        tmux('kill-server')


def wanted(name):
    return not ONLY or name in ONLY


def stream(name, text):
    with open(DIR + '/stream', 'wb') as f:
        f.write(text.encode())
    pane = Pane('stty raw; cat %s/stream; exec cat' % DIR)
    try:
        return pane.compare(name)
    finally:
        pane.close()


def program(name, command, keys):
    tool = command.split()[0]
    if tool != 'cd' and not shutil.which(tool, path=ENV['PATH']):
        print('*** NOT TESTED: screen of %s: it is not installed' % tool)
        return 0
    pane = Pane(command)
    try:
        pane.keys(keys)
        return pane.compare(name)
    finally:
        pane.close()


def resized(name, command, keys):
    """Full-screen programs draw anew, a shell's text is cropped: what the model does, as xterm."""
    pane = Pane(command)
    try:
        pane.keys(keys)
        pane.resize(18, 60)
        pane.keys(['C-l'])
        pane.resize(30, 100)
        pane.keys(['C-l'])
        return pane.compare(name)
    finally:
        pane.close()


def main():
    bad = count = 0
    for name, text in STREAMS.items():
        if wanted(name):
            bad, count = bad + stream(name, text), count + 1
    for name, (command, keys) in programs().items():
        if wanted(name):
            bad, count = bad + program(name, command, keys), count + 1
    for name, command in (('vim, resized', 'vim -n -u NONE -N %s/text' % DIR), ('less, resized', 'less %s/text' % DIR)):
        if wanted(name):
            bad, count = bad + resized(name, command, ['G']), count + 1
    print('%d of %d failed' % (bad, count))
    return 1 if bad else 0


try:
    sys.exit(main())
finally:
    for socket in SOCKETS:
        subprocess.run(['tmux', '-L', socket, 'kill-server'], capture_output=True)
    shutil.rmtree(DIR, ignore_errors=True)
