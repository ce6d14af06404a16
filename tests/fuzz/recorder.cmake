add_fuzz(redact DEPS tt_recorder)
