add_executable(screen_show screen_show.c)
target_link_libraries(screen_show PRIVATE tt_screen)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME e2e.screen_tmux COMMAND ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/screen_tmux.py $<TARGET_FILE:screen_show>)
set_tests_properties(e2e.screen_tmux PROPERTIES TIMEOUT 300 LABELS e2e)
