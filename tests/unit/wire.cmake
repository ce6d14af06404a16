add_unit(client DEPS tt_wire)
add_unit(wire DEPS tt_wire)
