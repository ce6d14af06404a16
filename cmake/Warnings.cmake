# One warning set for the whole tree; third-party headers come in as SYSTEM.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wpointer-arith -Wundef -Wwrite-strings)
if(TTYTRAIL_WERROR)
  add_compile_options(-Werror)
endif()
