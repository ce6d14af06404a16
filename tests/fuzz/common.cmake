add_fuzz(conf DEPS tt_conf)
