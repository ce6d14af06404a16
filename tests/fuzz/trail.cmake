# The room trail/.
add_fuzz(split DEPS tt_trail_split tt_trail_record)
add_fuzz(record DEPS tt_trail_source)
add_fuzz(keyblock DEPS tt_keyblock)
