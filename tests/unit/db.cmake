add_unit(store DEPS tt_db_store)
add_unit(store_prune DEPS tt_db_store)
add_unit(reader DEPS tt_db_store)
add_unit(walvfs DEPS tt_db_store)
