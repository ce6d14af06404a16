add_fuzz(cast DEPS tt_seal)
add_fuzz(unpack DEPS tt_seal)
