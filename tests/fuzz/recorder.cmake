add_fuzz(redact DEPS tt_recorder)
add_fuzz(shapes DEPS tt_recorder)
add_fuzz(screen DEPS tt_screen)
