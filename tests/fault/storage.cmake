find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME fault.full COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/full.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(fault.full PROPERTIES TIMEOUT 200 LABELS fault RUN_SERIAL TRUE)
add_test(NAME fault.full_host COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/full_host.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(fault.full_host PROPERTIES TIMEOUT 300 LABELS fault)
