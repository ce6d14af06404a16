add_unit(client DEPS tt_wire)
add_unit(wire DEPS tt_wire)
add_unit(policy_rules DEPS tt_wire)
