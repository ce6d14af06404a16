# SPDX-License-Identifier: Apache-2.0
"""As much of Terraform's language as packaging/terraform is written in: blocks, and attributes whose values
stay text.  What it cannot read it refuses."""
import re

TOKEN = re.compile(r'''(?P<space>[ \t]+|(?:\#|//)[^\n]*)|(?P<line>\n)|(?P<string>"(?:\\.|\$\{[^{}]*\}|[^"\\\n])*")|
                       (?P<word>[A-Za-z_][\w.-]*(?:\[\d+\])?(?:\.[\w.]+)?)|(?P<number>\d+)|(?P<mark>[{}()\[\]=,?:!<>&|+*-])''', re.X)


def tokens(text):
    at, found = 0, []
    while at < len(text):
        m = TOKEN.match(text, at)
        if m is None:
            raise ValueError('line %d: cannot read %r' % (text.count('\n', 0, at) + 1, text[at:at + 20]))
        if m.lastgroup != 'space':
            found.append((m.lastgroup, m.group(), m.start(), m.end()))
        at = m.end()
    return found


class Block:
    def __init__(self, kind, labels):
        self.kind, self.labels, self.attributes, self.blocks = kind, labels, {}, []

    def one(self, kind):
        found = [b for b in self.blocks if b.kind == kind]
        assert len(found) == 1, '%d blocks %s in %s %s' % (len(found), kind, self.kind, self.labels)
        return found[0]


def parse(text):
    """The blocks of a file, as one Block of kind ''."""
    found, top = tokens(text), Block('', [])
    at = body(text, found, 0, top)
    if at != len(found):
        raise ValueError("a '}' too many")
    return top


def body(text, found, at, block):
    while at < len(found):
        kind, value = found[at][:2]
        if kind == 'line':
            at += 1
        elif value == '}':
            return at
        elif kind == 'word' and found[at + 1][1] == '=':
            at = attribute(text, found, at + 2, value, block)
        elif kind == 'word':
            at = inner(text, found, at, block)
        else:
            raise ValueError('%r begins neither block nor attribute' % value)
    return at


def attribute(text, found, at, name, block):
    start, depth, last = found[at][2], 0, at
    while at < len(found) and (depth > 0 or (found[at][0] != 'line' and found[at][1] != '}')):
        depth += {'(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1}.get(found[at][1], 0)
        last, at = at, at + 1
    if depth != 0 or name in block.attributes:
        raise ValueError('attribute %s' % name)
    block.attributes[name] = text[start:found[last][3]]
    return at


def inner(text, found, at, block):
    kind, labels, at = found[at][1], [], at + 1
    while found[at][0] in ('string', 'word'):
        labels.append(found[at][1].strip('"'))
        at += 1
    if found[at][1] != '{':
        raise ValueError('block %s: no brace' % kind)
    new = Block(kind, labels)
    block.blocks.append(new)
    at = body(text, found, at + 1, new)
    if at == len(found):
        raise ValueError('block %s is not closed' % kind)
    return at + 1
