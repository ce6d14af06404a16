add_unit(redact DEPS tt_recorder)
add_unit(burst DEPS tt_recorder)
add_unit(gate DEPS tt_recorder)
