add_unit(redact DEPS tt_recorder)
add_unit(redact_leaks DEPS tt_recorder)
add_unit(redact_traces DEPS tt_recorder tt_json)
target_compile_definitions(test_redact_traces PRIVATE
  TRACES_SHARED="${CMAKE_SOURCE_DIR}/../shared/redaction/traces"
  TRACES_OWN="${CMAKE_CURRENT_SOURCE_DIR}/traces")
add_unit(secrets DEPS tt_recorder)
add_unit(shapes DEPS tt_recorder)
add_unit(shapes_keys DEPS tt_recorder)
add_unit(shapes_rows DEPS tt_recorder)
add_unit(shapes_kinds DEPS tt_recorder)
add_unit(burst DEPS tt_recorder)
add_unit(gate DEPS tt_recorder)
add_unit(ring DEPS tt_recorder)
