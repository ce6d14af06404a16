add_fuzz(ring DEPS tt_wire)
add_fuzz(event DEPS tt_wire)
add_fuzz(facts DEPS tt_wire)
add_fuzz(policy DEPS tt_wire)
