# The room trail/.
add_fuzz(split DEPS tt_trail_split tt_trail_record)
