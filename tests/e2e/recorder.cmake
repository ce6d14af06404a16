find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(name behaviour redact_a redact_memory redact_shell reload tokens)
  add_test(NAME e2e.${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.py
    $<TARGET_FILE:ttytrail>)
  # Alone: they measure how long an end takes.
  set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 300 LABELS e2e RUN_SERIAL TRUE)
endforeach()
# Real programs that ask for secrets, and honest typing: the sample; scripts/soak runs all of it.
add_test(NAME e2e.redact_corpus COMMAND ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/redact_corpus.py $<TARGET_FILE_DIR:ttytrail>)
set_tests_properties(e2e.redact_corpus PROPERTIES TIMEOUT 600 LABELS e2e RUN_SERIAL TRUE)
add_test(NAME e2e.login_shell COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/login_shell.sh)
set_tests_properties(e2e.login_shell PROPERTIES TIMEOUT 120 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.hostile_start COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/hostile_start.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.hostile_start PROPERTIES TIMEOUT 300 LABELS e2e)
add_test(NAME e2e.nested COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/nested.py $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.nested PROPERTIES TIMEOUT 300 LABELS e2e)
add_test(NAME e2e.doctor_host COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/doctor_host.sh)
set_tests_properties(e2e.doctor_host PROPERTIES TIMEOUT 300 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.policies COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/policies.sh)
set_tests_properties(e2e.policies PROPERTIES TIMEOUT 300 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.fairness COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fairness.py)
set_tests_properties(e2e.fairness PROPERTIES TIMEOUT 300 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.loss COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/loss.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.loss PROPERTIES TIMEOUT 600 LABELS e2e)
add_test(NAME e2e.idle COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/idle.py
  $<TARGET_FILE:ttytrail>)
set_tests_properties(e2e.idle PROPERTIES TIMEOUT 600 LABELS e2e)
# The sample of the attacks on an installed host; scripts/soak runs all of them.
add_test(NAME e2e.attacks COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/attacks.py)
set_tests_properties(e2e.attacks PROPERTIES TIMEOUT 600 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
add_test(NAME e2e.witness COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/witness.py)
set_tests_properties(e2e.witness PROPERTIES TIMEOUT 600 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
# Logins through a real sshd whose terminal somebody else has open.
add_test(NAME e2e.outer_tty COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/outer_tty.py)
set_tests_properties(e2e.outer_tty PROPERTIES TIMEOUT 600 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
# Who may only read, beside a writer that runs, ended, or was killed.
add_test(NAME e2e.auditor COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/auditor.py)
set_tests_properties(e2e.auditor PROPERTIES TIMEOUT 300 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
# Keys that Instance Connect pushed, a real sshd, and CloudTrail's records.
add_test(NAME e2e.who COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/who.py)
set_tests_properties(e2e.who PROPERTIES TIMEOUT 300 LABELS e2e
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
