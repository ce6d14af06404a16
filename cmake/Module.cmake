# add_module(name SOURCES a.c b.c DEPS other libs): a static library tt_<name>.  Its dependencies are
# the only rooms it may use; tests/lint checks the includes.
function(add_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPS" ${ARGN})
  add_library(tt_${name} STATIC ${M_SOURCES})
  target_link_libraries(tt_${name} PUBLIC ${M_DEPS})
endfunction()

# add_program(name SOURCES main.c DEPS libs DESTINATION dir)
function(add_program name)
  cmake_parse_arguments(P "" "DESTINATION" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE ${P_DEPS})
  install(TARGETS ${name} DESTINATION ${P_DESTINATION})
endfunction()

# add_unit(name DEPS modules...): tests/unit/test_<name>.c, one cmocka program per module.
function(add_unit name)
  cmake_parse_arguments(U "" "" "DEPS" ${ARGN})
  add_executable(test_${name} ${CMAKE_SOURCE_DIR}/tests/unit/test_${name}.c)
  target_link_libraries(test_${name} PRIVATE ${U_DEPS} PkgConfig::cmocka)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()

# add_fuzz(name DEPS modules...): tests/fuzz/fuzz_<name>.c; with libFuzzer under the fuzz preset, else
# a driver that replays tests/fuzz/corpus/<name>/ as a test.
function(add_fuzz name)
  cmake_parse_arguments(F "" "" "DEPS" ${ARGN})
  add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  target_link_libraries(fuzz_${name} PRIVATE ${F_DEPS})
  if(TTYTRAIL_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.c)
    add_test(NAME fuzz.${name}
      COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
