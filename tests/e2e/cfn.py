# SPDX-License-Identifier: Apache-2.0
"""A CloudFormation template with its parameters filled in: the functions that ours uses, in their short form."""
import re

import yaml

NO_VALUE = object()


class Tag:
    def __init__(self, name, value):
        self.name, self.value = name, value


class Loader(yaml.SafeLoader):
    pass


def construct(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return Tag(suffix, loader.construct_scalar(node))
    return Tag(suffix, loader.construct_sequence(node, deep=True))


Loader.add_multi_constructor('!', construct)


class Template:
    def __init__(self, text, names):
        """names: parameters and pseudo parameters, and what !Ref of a resource is."""
        self.raw = yaml.load(text, Loader)
        self.names = dict(names)
        for name, p in self.raw['Parameters'].items():
            if name not in self.names:
                self.names[name] = p['Default']

    def ref(self, name):
        if name == 'AWS::NoValue':
            return NO_VALUE
        return self.names[name]

    def condition(self, name):
        return self.fill(self.raw['Conditions'][name])

    def fill(self, v):
        if isinstance(v, Tag):
            return getattr(self, 'do_' + v.name.lower())(v.value)
        if isinstance(v, dict):
            filled = {k: self.fill(x) for k, x in v.items()}
            return {k: x for k, x in filled.items() if x is not NO_VALUE}
        if isinstance(v, list):
            return [x for x in map(self.fill, v) if x is not NO_VALUE]
        return v

    def do_ref(self, value):
        return self.ref(value)

    def do_sub(self, value):
        text = re.sub(r'\$\{([A-Za-z:]+)\}', lambda m: str(self.ref(m.group(1))), value)
        return text.replace('${!', '${')

    def do_if(self, value):
        return self.fill(value[1] if self.condition(value[0]) else value[2])

    def do_not(self, value):
        return not self.fill(value[0])

    def do_equals(self, value):
        return self.fill(value[0]) == self.fill(value[1])

    def do_getatt(self, value):
        resource, attribute = value.split('.')
        assert resource in self.raw['Resources'], resource
        return '<%s.%s>' % (resource, attribute)

    def resources(self, kind):
        found = [r for r in self.raw['Resources'].values() if r['Type'] == kind]
        assert found, 'no resource of type ' + kind
        return [self.fill(r['Properties']) for r in found]

    def properties(self, name):
        return self.fill(self.raw['Resources'][name]['Properties'])
