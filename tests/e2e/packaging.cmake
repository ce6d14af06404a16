# The package, on a root of its own over this machine's; scripts/soak has it on a clean Debian.
add_test(NAME e2e.install COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install.sh)
set_tests_properties(e2e.install PROPERTIES TIMEOUT 400 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.activated COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/activated.py
  $<TARGET_FILE:ttytraild> $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.activated PROPERTIES TIMEOUT 120 LABELS e2e)
