add_fuzz(expression DEPS tt_replay)
add_fuzz(sanitize DEPS tt_replay)
add_fuzz(timeline DEPS tt_replay)
add_fuzz(block DEPS tt_replay)
