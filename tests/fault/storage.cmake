find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME fault.full COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/full.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(fault.full PROPERTIES TIMEOUT 200 LABELS fault RUN_SERIAL TRUE)
add_test(NAME fault.full_host COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/full_host.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(fault.full_host PROPERTIES TIMEOUT 300 LABELS fault)
# Calls that fail, and a clock that is set: a library to be preloaded.
add_library(callfault MODULE callfault.c)
set_target_properties(callfault PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
target_compile_options(callfault PRIVATE -fno-builtin)
add_test(NAME fault.clock COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/clock.py
  $<TARGET_FILE:ttytrail> $<TARGET_FILE:callfault>)
set_tests_properties(fault.clock PROPERTIES TIMEOUT 400 LABELS fault)
# The writer on a file system of which any call may fail.
add_executable(ttytraild-vfs ${CMAKE_SOURCE_DIR}/storage/writer/main.c vfsfault.c)
target_link_libraries(ttytraild-vfs PRIVATE tt_writer)
# Samples; the whole is in scripts/soak writer.
add_test(NAME fault.calls COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/calls.py
  $<TARGET_FILE_DIR:ttytrail> --samples 2)
add_test(NAME fault.recmem COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/recmem.py
  $<TARGET_FILE:ttytrail> $<TARGET_FILE:callfault>)
add_test(NAME fault.restarts COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/restarts.py
  $<TARGET_FILE:ttytrail>)
add_test(NAME fault.power COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/power.py
  $<TARGET_FILE_DIR:ttytrail>)
set_tests_properties(fault.calls fault.recmem fault.restarts fault.power PROPERTIES TIMEOUT 600 LABELS fault)
