find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME e2e.formats COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/formats.py $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.formats PROPERTIES TIMEOUT 300 LABELS e2e)
foreach(name export play)
  add_test(NAME e2e.${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/${name}.sh)
  set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 300 LABELS e2e
    ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
endforeach()
