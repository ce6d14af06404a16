find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(name config import verify_cli prune ship_dir ship_gone ship_life status ship_live ship_s3 life_s3 policy_s3 doctor)
  add_test(NAME e2e.${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/${name}.sh)
  set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 600 LABELS e2e
    ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
endforeach()
# It starts servers on fixed ports of the loopback address.
set_tests_properties(e2e.ship_s3 e2e.life_s3 PROPERTIES RESOURCE_LOCK s3-ports)
# print-policy, Terraform and CloudFormation say the same.
add_test(NAME e2e.policy COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/policy.py)
set_tests_properties(e2e.policy PROPERTIES TIMEOUT 120 LABELS e2e ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
# Credentials, and a strict metadata service.
add_test(NAME e2e.creds COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/creds.py)
set_tests_properties(e2e.creds PROPERTIES TIMEOUT 600 LABELS e2e ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>")
# Its value is a list with commas, which a generator expression takes for arguments.
set(sanitized 0)
if(TTYTRAIL_SANITIZE)
  set(sanitized 1)
endif()
# What somebody does to signed evidence, in rows; verify and docs/verify.py say the same of each.
foreach(table bytes claims)
  add_test(NAME e2e.verify_${table} COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/verify_store.py ${table})
  set_tests_properties(e2e.verify_${table} PROPERTIES TIMEOUT 600 LABELS e2e
    ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>;TTYTRAIL_SANITIZED=${sanitized}")
endforeach()
set_tests_properties(e2e.verify_bytes PROPERTIES LABELS "e2e;threads")
add_test(NAME e2e.verify_s3 COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/verify_s3.py)
set_tests_properties(e2e.verify_s3 PROPERTIES TIMEOUT 600 LABELS e2e RESOURCE_LOCK s3-ports
  ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>;TTYTRAIL_SANITIZED=${sanitized}")
# Shipping while everything fails: a rig of its own (shiprig.py), ports of the kernel's choice where it can be, a
# library that takes the power away (hostfault.c).  The long versions: scripts/soak faults.
add_library(hostfault MODULE hostfault.c)
set_target_properties(hostfault PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
foreach(name net store disk)
  add_test(NAME e2e.ship_faults_${name}
    COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/ship_faults_${name}.py)
  set_tests_properties(e2e.ship_faults_${name} PROPERTIES TIMEOUT 600 LABELS e2e
    ENVIRONMENT "TTYTRAIL_BIN=$<TARGET_FILE_DIR:ttytrail>;HOSTFAULT=$<TARGET_FILE:hostfault>;TTYTRAIL_SANITIZED=${sanitized}")
endforeach()
# Ten thousand sessions are not recorded one by one.
add_executable(fill ${CMAKE_SOURCE_DIR}/tests/bench/fill.c)
target_link_libraries(fill PRIVATE tt_writer)
add_test(NAME e2e.ship_many COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/ship_many.py
  $<TARGET_FILE_DIR:ttytrail>)
set_tests_properties(e2e.ship_many PROPERTIES TIMEOUT 600 LABELS e2e ENVIRONMENT "TTYTRAIL_SANITIZED=${sanitized}")
