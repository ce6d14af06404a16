add_unit(screen DEPS tt_screen)
