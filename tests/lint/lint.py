#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py CHECK [--self-test]: rules of the tree that no compiler knows.

With --self-test the check is given samples that break its rule, each of which it has to refuse, and one that
keeps it, which it has to let through: a check that finds nothing because it looks at nothing is worse than
none."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = {"build", ".git", "__pycache__"}
MAX_LINES = 450
MAX_TEST_LINES = 700  # tables grow with what they hold
MAX_FUNCTION = 80

# docs/DESIGN.md section 3.  A room may include itself and what stands here; longer names win.
ARROWS = {
    "common": [],
    "screen": ["common"],
    "aws": ["common"],
    "storage/wire": ["common"],
    "storage/seal": ["common", "storage/wire"],
    "storage/db": ["common", "storage/wire", "storage/seal"],
    "storage/writer": ["common", "storage/wire", "storage/seal", "storage/db"],
    "recorder": ["common", "screen", "storage/wire"],
    "facts": ["common", "aws", "storage/wire", "trail"],
    "shipper": ["common", "aws", "storage/wire", "storage/seal", "storage/db"],
    "trail": ["common", "aws", "shipper", "storage/wire", "storage/seal", "storage/db"],
    "replay": ["common", "screen", "storage/wire", "storage/seal", "storage/db"],
    "cli": ["common", "replay", "shipper", "trail", "recorder", "storage/wire", "storage/db"],
}
# What is part of a room, but not for everybody who may look into the room.
READERS = {"shipper", "trail", "replay", "cli"}
READER_HEADERS = {"storage/db/reader.h", "storage/db/session.h", "storage/db/connection.h", "storage/db/flags.h"}
RECORDER_NEVER = {"common/conf.h", "common/json.h"}
# Replay decodes what lies in tails; it never talks to a writer.
REPLAY_WIRE = {"storage/wire/event.h", "storage/wire/facts.h"}
# Foreign headers: who may include them.
FOREIGN = [
    (r"curl/", r"aws/http(_\w+)?\.[ch]$"),
    (r"sqlite3", r"(storage/db/|shipper/|trail/store|replay/search/index|common/json_read\.c$)"),
    (r"vterm", r"screen/"),
    (r"ini\.h", r"common/conf\.c$"),
    (r"expat", r"aws/"),
    (r"(zlib|libdeflate)\.h", r"(storage/seal/|replay/|shipper/|trail/)"),
    (r"openssl/", r"(storage/seal/chain|aws/|shipper/|trail/|recorder/)"),
]
BANNED = ("strcpy strcat sprintf vsprintf gets atoi atol atoll system popen tmpnam tempnam mktemp strtok "
          "alloca sleep usleep").split()


def files(root, suffixes):
    for where, dirs, names in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIP)
        for name in sorted(names):
            if name.endswith(suffixes):
                yield os.path.relpath(os.path.join(where, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def room_of(path):
    rooms = [r for r in ARROWS if path.startswith(r + "/")]
    return max(rooms, key=len) if rooms else None


def bare(text):
    """Without comments and the insides of strings, in as many lines as before."""
    def blank(m):
        keep = '""' if m.group(0)[0] == '"' else "''" if m.group(0)[0] == "'" else " "
        return keep + "\n" * m.group(0).count("\n")
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def wrong_include(path, room, header):
    target = room_of(header)
    if target is None:
        return None if header.startswith("tests/") else "includes %s, which is in no room" % header
    if target != room and target not in ARROWS[room]:
        return "%s may not include %s" % (room, header)
    if room in READERS and target == "storage/db" and header not in READER_HEADERS:
        return "%s may only read the database, not include %s" % (room, header)
    if room in ("recorder", "facts") and header in RECORDER_NEVER:
        return "%s may not include %s" % (room, header)
    if room == "replay" and target == "storage/wire" and header not in REPLAY_WIRE:
        return "replay may not include %s" % header
    return None


def check_layers(root):
    for path in files(root, (".c", ".h")):
        room = room_of(path)
        if room is None:
            continue
        for n, line in enumerate(read(root, path).split("\n"), 1):
            own = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            far = re.match(r"\s*#\s*include\s*<([^>]+)>", line)
            if own:
                why = wrong_include(path, room, own.group(1))
                if why:
                    yield "%s:%d: %s" % (path, n, why)
            for what, who in FOREIGN:
                if far and re.match(what, far.group(1)) and not re.match(who, path):
                    yield "%s:%d: may not include <%s>" % (path, n, far.group(1))


def check_banned(root):
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
    for path in files(root, (".c", ".h")):
        if path.startswith("tests/"):
            continue
        for n, line in enumerate(bare(read(root, path)).split("\n"), 1):
            for m in call.finditer(line):
                yield "%s:%d: %s is banned" % (path, n, m.group(1))


def check_headers(root):
    for path in files(root, (".h",)):
        done = subprocess.run(
            [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
             "-Wno-unused-function", '-DSIGV4_DATA=""', "-fsyntax-only", "-I", root, "-x", "c", "-"],
            input='#include "%s"\ntypedef int header_stands_alone;\n' % path, text=True, cwd=root,
            stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            yield "%s: does not compile alone: %s" % (path, done.stderr.strip().split("\n")[0])


def check_format(root):
    tool = shutil.which("clang-format-14")
    if tool is None:
        print("lint.format: NOT CHECKED: there is no clang-format-14 here", file=sys.stderr)
        return
    for path in files(root, (".c", ".h")):
        done = subprocess.run([tool, "--dry-run", "-Werror", "--style=file", path], cwd=root, text=True,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            yield "%s: %s" % (path, done.stderr.strip().split("\n")[0])


def check_sizes(root):
    tool = shutil.which("ctags")
    if tool is None:
        print("lint.sizes: functions NOT CHECKED: there is no ctags here", file=sys.stderr)
    for path in files(root, (".c",)):
        lines = read(root, path).count("\n")
        most = MAX_TEST_LINES if path.startswith("tests/") else MAX_LINES
        if lines > most:
            yield "%s: %d lines, at most %d" % (path, lines, most)
        if tool is None:
            continue
        tags = subprocess.run([tool, "-x", "--c-kinds=f", "--fields=+ne", "-o", "-", "--_xformat=%N %n %e",
                               path], cwd=root, text=True, stdout=subprocess.PIPE, check=True).stdout
        for tag in tags.split("\n"):
            m = re.match(r"(\w+) (\d+) (\d+)$", tag)
            if m and int(m.group(3)) - int(m.group(2)) + 1 > MAX_FUNCTION:
                yield "%s:%s: %s has %d lines, at most %d" % (
                    path, m.group(2), m.group(1), int(m.group(3)) - int(m.group(2)) + 1, MAX_FUNCTION)


def check_spdx(root):
    for path in files(root, (".c", ".h", ".py", ".sh")):
        head = read(root, path).split("\n")[:2]
        want = "SPDX-License-Identifier: Apache-2.0"
        if path.endswith((".c", ".h")):
            ok = head[0] == "/* %s */" % want
        else:
            ok = any(line == "# " + want for line in head)
        if not ok:
            yield "%s: its first line is not the licence's" % path


SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
# check: (samples that must be refused, one that must pass); path and text.
SAMPLES = {
    "layers": ([
        ("common/a.c", '#include "storage/wire/event.h"\n'),
        ("storage/wire/a.c", '#include "storage/db/reader.h"\n'),
        ("recorder/a.c", '#include "common/conf.h"\n'),
        ("recorder/a.h", '#include "common/json.h"\n'),
        ("recorder/b.c", "#include <sqlite3.h>\n"),
        ("facts/a.c", '# include "storage/seal/chain.h"\n'),
        ("shipper/a.c", '#include "storage/db/store.h"\n'),
        ("replay/a.c", '#include "storage/wire/client.h"\n'),
        ("aws/b.c", "#include <curl/curl.h>\n"),
        ("cli/a.c", "#include <sqlite3.h>\n"),
        ("cli/b.c", "#include <vterm.h>\n"),
        ("replay/b.c", "#include <ini.h>\n"),
        ("cli/c.c", '#include "nowhere.h"\n'),
    ], ("aws/http.c", '#include <curl/curl.h>\n#include "common/buf.h"\n')),
    "banned": ([("cli/a.c", "int f(char *a) { return %s(a); }\n" % name) for name in BANNED],
               ("cli/a.c", '/* sleep(1) */ const char *a = "system(3)"; int f(void) { return my_atoi(1) + '
                           'nanosleep(0) + o.sleep(1); }\n')),
    "headers": ([("common/a.h", "size_t a(void);\n"), ("common/b.h", "int a(\n")],
                ("common/c.h", "#include <stddef.h>\nsize_t a(void);\n")),
    "format": ([("cli/a.c", "int f( void ){return 1;}\n")], ("cli/b.c", "int a;\n")),
    "sizes": ([("cli/a.c", "int a;\n" * (MAX_LINES + 1)),
               ("cli/b.c", "int f(void)\n{\n" + "    f();\n" * MAX_FUNCTION + "}\n")],
              ("cli/c.c", "int f(void)\n{\n" + "    f();\n" * (MAX_FUNCTION - 3) + "}\n")),
    "spdx": ([("cli/a.c", "int a;\n"), ("cli/b.sh", "#!/bin/sh\necho\n")], ("cli/c.c", SPDX)),
}


def run_on(check, path, text):
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(ROOT, ".clang-format"), root)
        os.makedirs(os.path.join(root, os.path.dirname(path)))
        with open(os.path.join(root, path), "w", encoding="utf-8") as f:
            f.write(text)
        return list(check(root))


def self_test(name, check):
    bad, good = SAMPLES[name]
    if name == "format" and shutil.which("clang-format-14") is None:
        print("lint.format: NOT CHECKED: there is no clang-format-14 here", file=sys.stderr)
        return 0
    failed = 0
    for path, text in bad:
        if not run_on(check, path, text):
            print("%s: let %s through: %s" % (name, path, text.strip()[:80]))
            failed += 1
    for complaint in run_on(check, *good):
        print("%s: refused what is right: %s" % (name, complaint))
        failed += 1
    print("%s: %d samples" % (name, len(bad) + 1))
    return 1 if failed else 0


def main():
    checks = {k[len("check_"):]: f for k, f in globals().items() if k.startswith("check_")}
    if len(sys.argv) < 2 or sys.argv[1] not in checks:
        print("usage: lint.py %s [--self-test]" % "|".join(sorted(checks)), file=sys.stderr)
        return 2
    name = sys.argv[1]
    if sys.argv[2:] == ["--self-test"]:
        return self_test(name, checks[name])
    found = list(checks[name](ROOT))
    for line in found:
        print(line)
    if not any(files(ROOT, (".c",))):
        print("%s: there is nothing to look at" % ROOT)
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
