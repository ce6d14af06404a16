# SPDX-License-Identifier: Apache-2.0
"""A row of the table of attacks."""
import collections

# do: a script of mallory's (python, with attacktool), or a function of the arena that returns an outcome or None for
# 'recorded'.  must: the worst outcome that passes.  pending: what is not built yet; until then the outcome is shown and
# not judged.  quick: one of the sample that every run of the tests takes.  grouped: the script has the recorder's group.
Row = collections.namedtuple('Row', 'kind name does must do pending quick grouped')


def row(kind, name, does, must, do, pending='', quick=False, grouped=False):
    return Row(kind, name, does, must, do, pending, quick, grouped)
