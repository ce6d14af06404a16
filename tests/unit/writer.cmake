add_unit(wsession DEPS tt_writer)
add_unit(writer DEPS tt_writer)
# The sealing and checkpoint threads: `scripts/test tsan` runs what has this label.
set_property(TEST unit.wsession unit.writer APPEND PROPERTY LABELS threads)
