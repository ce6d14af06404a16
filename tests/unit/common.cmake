add_unit(common DEPS tt_common)
add_unit(utf8 DEPS tt_json tt_common)
add_unit(conf DEPS tt_conf)
add_unit(json_doc DEPS tt_common)
