add_unit(seal DEPS tt_seal)
