add_unit(wsession DEPS tt_writer)
add_unit(writer DEPS tt_writer)
add_unit(nested DEPS tt_writer)
add_unit(import DEPS tt_writer)
add_unit(flags DEPS tt_writer)
# The sealing and checkpoint threads: `scripts/test tsan` runs what has this label.
set_property(TEST unit.wsession unit.writer unit.nested unit.import unit.flags APPEND PROPERTY LABELS threads)
add_unit(witness DEPS tt_writer tt_facts)
set_property(TEST unit.witness APPEND PROPERTY LABELS threads)
