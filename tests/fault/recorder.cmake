find_package(Python3 REQUIRED COMPONENTS Interpreter)
# The full count, 300, is kill9.py's argument; every build runs a sample with another seed.
add_test(NAME fault.kill9 COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/kill9.py
  $<TARGET_FILE:ttytrail> 30)
add_test(NAME fault.twenty COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/twenty.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(fault.kill9 fault.twenty PROPERTIES TIMEOUT 400 LABELS fault RUN_SERIAL TRUE)
