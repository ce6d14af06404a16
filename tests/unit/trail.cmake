# The room trail/.
add_unit(trail_record DEPS tt_trail_record)
target_compile_definitions(test_trail_record PRIVATE TRAIL_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
add_unit(trail_store DEPS tt_trail_store tt_trail_join)
add_unit(join DEPS tt_trail_join)
add_unit(trail_split DEPS tt_trail_split)
add_unit(table DEPS tt_trail_table)
add_unit(trail_source DEPS tt_trail_source ZLIB::ZLIB)
add_unit(standing DEPS tt_standing)
# For tests/bench/trail.py.
add_executable(trail_read ${CMAKE_SOURCE_DIR}/tests/bench/trail_read.c)
target_link_libraries(trail_read PRIVATE tt_trail_source)
add_unit(trail_api DEPS tt_trail_api)
add_unit(keyblock DEPS tt_keyblock)
