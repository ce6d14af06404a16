# SPDX-License-Identifier: Apache-2.0
"""Programs on this host: prompts, masks, odd secrets, other shells; and honest typing."""
from drive import PROMPT
from world import DIR, FILES, SECRET, USER, scenario

PROMPTS = {'korean': '암호: ', 'japanese': 'パスワード: ', 'german': 'Kennwort: ', 'arabic': 'كلمة المرور: ',
           'chinese': '请输入密码: ', 'russian': 'Пароль: ', 'french': 'Mot de passe : ', 'polish': 'Hasło: ',
           'turkish': 'Şifre: ', 'nobody': 'Zzyzx> ', 'pin': 'PIN: ', 'word': 'Enter it: ',
           'passphrase': 'Passphrase: ', 'key': 'Key: ', 'long': 'Enter passphrase for key: ', 'password': 'Password: '}
ASKS = """# Reads single keys in raw mode and shows nothing, or a star, for one.
import sys, termios, tty
prompts = %r
f = termios.tcgetattr(0)
tty.setraw(0)
sys.stdout.write(prompts[sys.argv[1]])
sys.stdout.flush()
while sys.stdin.buffer.raw.read(1) not in (b'\\r', b''):
    sys.stdout.write(''.join(sys.argv[2:]))
    sys.stdout.flush()
termios.tcsetattr(0, termios.TCSANOW, f)
print('\\r\\ntaken')
""" % PROMPTS
FILES['asks.py'] = ASKS


def asks(t, which, secret, gap=0.03, each=''):
    t.see(PROMPT)
    t.text('python3 %s/asks.py %s %s' % (DIR, which, each))
    t.enter()
    t.see(PROMPTS[which])
    t.settle(0.1)
    if secret:
        t.secret(secret, gap)
        t.enter()
        t.see('taken')
        t.see(PROMPT)
        t.line('echo visible after it')


for name in ('korean', 'japanese', 'german', 'arabic', 'chinese', 'russian', 'french', 'polish', 'turkish', 'nobody'):
    scenario('prompt_' + name, lambda t, which=name: asks(t, which, 'g7Kestrel-Moor'))


@scenario('pin_of_three')
def _(t):
    asks(t, 'pin', '739')


@scenario('secret_was_on_screen')
def _(t):
    t.see(PROMPT)
    t.line('echo the word is lighthouse')
    t.text('true')
    t.enter()
    asks(t, 'word', '')
    t.part('lighthouse')  # shown before: nothing to search for
    t.enter()
    t.see('taken')


@scenario('three_hundred_characters')
def _(t):
    long = ''.join('%s%02d' % ('ghijklmnopqrstuvwxyz'[i % 20], i * 37 % 100) for i in range(100))
    asks(t, 'passphrase', long, 0.004)


@scenario('three_hundred_masked', masks=True)
def _(t):
    long = ''.join('%s%02d' % ('zyxwvutsrqponmlkjihg'[i % 20], i * 53 % 100) for i in range(100))
    asks(t, 'passphrase', long, 0.004, each="'*'")


@scenario('full_width')
def _(t):
    asks(t, 'key', 'ｐａｓｓｗ０ｒｄ密鑰日本')


@scenario('combining_and_emoji')
def _(t):
    asks(t, 'key', 'e\u0301a\u0308🐉🔑n\u0303o\u0302k')


@scenario('with_blanks')
def _(t):
    asks(t, 'passphrase', 'correct horse battery staple')


@scenario('letters_of_the_prompt')
def _(t):
    asks(t, 'long', 'reshaper')


@scenario('edited_in_the_middle')
def _(t):
    asks(t, 'password', '')
    t.secret('firstTry99')
    t.key('\x7f')
    t.key('\x7f')
    t.key('\x15')
    t.secret('Wolfram-ember')
    t.key('\x1b[D')
    t.key('\x01')
    t.part('Xy')
    t.key('\x0b')
    t.enter()
    t.see('taken')


@scenario('slow_typist')
def _(t):
    asks(t, 'nobody', 'dawdle7Q', 1.1)


@scenario('resized_in_the_prompt')
def _(t):
    asks(t, 'password', '')
    t.secret('beforeTheSize')
    t.resize(40, 100)
    t.settle()
    t.secret('afterTheSize')
    t.enter()
    t.see('taken')


@scenario('a_job_prints_meanwhile')
def _(t):
    t.see(PROMPT)
    t.line('(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo tick $i of the job; sleep 0.2; done) &', 'tick 1 of')
    t.text('python3 %s/asks.py nobody' % DIR)
    t.enter()
    t.password('Zzyzx> ', 'harbinger#55', 0.12)
    t.see('taken')


@scenario('sudo_stdin', needs='sudo')
def _(t):
    t.see(PROMPT)
    t.text('sudo -k -S id')
    t.enter()
    t.password('assword', SECRET)
    t.see('uid=0')
    t.line('echo after it')


@scenario('sudo_feedback', needs='sudo', masks=True)
def _(t):
    t.see(PROMPT)
    t.text('sudo -k whoami')
    t.enter()
    t.password('assword', SECRET)
    t.see('root')


@scenario('retries', needs='sudo')
def _(t):
    t.see(PROMPT)
    t.text('sudo -k id -un')
    t.enter()
    t.password('assword', 'nope-Nope-1')
    t.password('again.*assword', 'nope-Nope-2')
    t.password('again.*assword', SECRET)
    t.see('root')


def shell(name, start, reads, secret):
    def run(t):
        t.see(PROMPT)
        t.text(start)
        t.enter()
        t.settle(0.5)
        t.text('echo this is %s' % name)
        t.enter()
        t.settle(0.3)
        t.text(reads)
        t.enter()
        t.settle(0.4)
        t.secret(secret)
        t.enter()
        t.settle(0.3)
        t.text('echo back again')
        t.enter()
        t.see('back again.*back again')
        t.settle(0.2)
        t.text('exit')
        t.enter()
        t.see(PROMPT)
    scenario('shell_' + name, run, needs=start.split()[0])


shell('zsh', 'zsh -f', "read -s 'k?Word of power: '; echo", 'mirthful-Crow8')
shell('fish', 'fish --no-config', 'read -s -P "Word of power: " k', 'quarry_Stone42')
shell('ksh', 'ksh', 'stty -echo; read k; stty echo', 'tollgate=Pike3')
shell('tcsh', 'tcsh -f', 'stty -echo; set k = $<; stty echo', 'velodrome+Ash1')
shell('dash', 'dash', 'stty -echo; read k; stty echo', 'umbrage@Linden')
shell('ash', 'busybox ash', 'read -s -p "Word of power: " k; echo', 'nettle~Rose77')


@scenario('whiptail', needs='whiptail', masks=True)
def _(t):
    t.see(PROMPT)
    t.text("whiptail --passwordbox 'The word please' 8 40 2>/tmp/ttyca.out; clear")
    t.enter()
    t.password('word please', 'thistle:Down9')
    t.see(PROMPT)


@scenario('dialog_silent', needs='dialog')
def _(t):
    t.see(PROMPT)
    t.text("dialog --passwordbox 'The word please' 8 40 2>/tmp/ttyca.out; clear")
    t.enter()
    t.see('word please')
    t.settle(0.4)
    t.secret('gossamer;Web5')
    t.enter()
    t.see(PROMPT)


@scenario('dialog_insecure', needs='dialog', masks=True)
def _(t):
    t.see(PROMPT)
    t.text("dialog --insecure --passwordbox 'The word please' 8 40 2>/tmp/ttyca.out; clear")
    t.enter()
    t.see('word please')
    t.settle(0.4)
    t.secret('periwinkle,Sea2')
    t.enter()
    t.see(PROMPT)


@scenario('vim_key', needs='vim', masks=True)
def _(t):
    t.see(PROMPT)
    t.text('vim -u NONE -N /tmp/ttyca.txt')
    t.enter()
    t.settle(0.5)
    t.text(':X')
    t.enter()
    t.settle(0.3)
    t.secret('obsidian/Owl4')
    t.enter()
    t.settle(0.3)
    t.secret('obsidian/Owl4')
    t.enter()
    t.settle(0.3)
    t.text(':q!')
    t.enter()
    t.see(PROMPT)


@scenario('emacs', needs='emacs', soak=True)
def _(t):
    t.see(PROMPT)
    t.text("emacs -nw -Q --eval '(read-passwd \"Speak: \")'")
    t.enter()
    t.see('Speak: ', 20)
    t.settle(0.5)
    t.secret('lamplight(Elm6')
    t.enter()
    t.settle(0.4)
    t.key('\x18\x03', 0.5)
    t.see(PROMPT)


@scenario('pinentry', needs='pinentry-curses', masks=True)
def _(t):
    t.see(PROMPT)
    t.text("script -qc 'printf \"OPTION ttyname=$(tty)\\nOPTION ttytype=xterm\\nSETPROMPT Word\\nGETPIN\\n\" > "
           "/tmp/ttyca.in; pinentry-curses --ttyname $(tty) --ttytype xterm < /tmp/ttyca.in >/dev/null' /dev/null")
    t.enter()
    t.see('Word', 10)
    t.settle(0.5)
    t.secret('bramble]Fox3')
    t.enter()
    t.see(PROMPT)


@scenario('prompt_toolkit', needs='python3-prompt-toolkit', masks=True)
def _(t):
    t.see(PROMPT)
    t.text("/usr/bin/python3 -c \"from prompt_toolkit import prompt; prompt('Speak: ', is_password=True)\"")
    t.enter()
    t.see(r'\[0mSpeak:.*\[\?25h', 20)
    t.settle(0.4)
    t.secret('sycamore!Jay7', 0.06)
    t.enter()
    t.see(PROMPT)


@scenario('perl_readkey', needs='libterm-readkey-perl')
def _(t):
    t.see(PROMPT)
    t.text("perl -MTerm::ReadKey -e 'ReadMode \"raw\"; print \"Spe\", \"ak> \"; $|=1; print \"\"; "
           "while (($k = ReadKey 0) ne \"\\n\") {} ReadMode 0; print \"\\nta\".\"ken\\n\"'")
    t.enter()
    t.see('Speak> ')
    t.settle(0.3)
    t.secret('driftwood?Eel1')
    t.enter()
    t.see('taken')


@scenario('ruby_raw', needs='ruby')
def _(t):
    t.see(PROMPT)
    t.text("ruby -rio/console -e 'print \"Speak: \"; STDIN.getpass; puts \"ta\" + \"ken\"'")
    t.enter()
    t.password('Speak: ', 'foxglove%Hen2', seconds=20)
    t.see('taken')


@scenario('python_getpass')
def _(t):
    t.see(PROMPT)
    t.line('python3 -q', '>>> ')
    t.line('import getpass', '>>> ')
    t.text('x = getpass.getpass("Word: ")')
    t.enter()
    t.password('Word: ', 'sandstone^Ox8')
    t.see('>>> ')
    t.line('len(x)', '13.*>>> ')
    t.line('exit()')


@scenario('luks', needs='cryptsetup-bin')
def _(t):
    t.see(PROMPT)
    t.line('head -c 20000000 /dev/zero > /tmp/ttyca.luks')
    t.text('/sbin/cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /tmp/ttyca.luks')
    t.enter()
    t.password('assphrase', 'hedgerow&Yew9')
    t.see(PROMPT, 30)


@scenario('ssh_keygen')
def _(t):
    t.see(PROMPT)
    t.text('rm -f /tmp/ttyca.k; ssh-keygen -q -t ed25519 -f /tmp/ttyca.k')
    t.enter()
    t.password('assphrase', 'windfall*Ash5')
    t.password('again', 'windfall*Ash5')
    t.see(PROMPT)


@scenario('typed_ahead_of_a_slow_prompt', near=True)
def _(t):
    t.see(PROMPT)
    t.text("python3 -c \"import time, getpass; time.sleep(0.4); getpass.getpass('Password: ')\"")
    t.put(b'\r', 'ctl')
    t.pump(0.15)
    t.secret('hasty{Quince6', 0.005)
    t.put(b'\r', 'ctl')
    t.see('Password: ')
    t.settle()
    t.secret('again{Quince6')
    t.enter()
    t.see(PROMPT)
    t.line('echo ordinary')


@scenario('pasted_with_its_command', hard=True)
def _(t):
    t.see(PROMPT)
    t.put(b'su -c id ' + USER.encode() + b'\r', 'text')
    t.secrets.append(SECRET)
    t.put(SECRET.encode() + b'\r', 'secret')
    t.see(PROMPT)
