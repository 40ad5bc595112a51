# The words in which each folder's CMakeLists.txt is written. See docs/development.md for examples.

set(TARN_TEST_LABELS check full soak system)

# Common to everything compiled here.
function(tarn_configure_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;PRIVATE_DEPS;PCH")
  # Includes name the folder: "storage/base/clock.h".
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  if(arg_PCH)
    target_precompile_headers(${name} PRIVATE ${arg_PCH})
  endif()
endfunction()

# tarn_library(NAME SRCS a.cc ... [DEPS t ...] [PRIVATE_DEPS t ...] [PCH <heavy.h> ...] [PIC])
# A static library, or an interface library when it has no sources. Alias: tarn::NAME without a leading "tarn_".
# DEPS are those whose headers appear in this library's headers. PCH only for what is slow to parse (grpcpp, rocksdb).
# PIC: users may link it into a shared library.
function(tarn_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PIC" "" "SRCS;DEPS;PRIVATE_DEPS;PCH")
  string(REGEX REPLACE "^tarn_" "" short ${name})
  if(arg_SRCS)
    add_library(${name} STATIC ${arg_SRCS})
    tarn_configure_target(${name} DEPS ${arg_DEPS} PRIVATE_DEPS ${arg_PRIVATE_DEPS} PCH ${arg_PCH})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ${arg_PIC})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
  endif()
  add_library(tarn::${short} ALIAS ${name})
endfunction()

# What every program gets: jemalloc, or what the preset's sanitizer needs instead, which brings its own allocator.
function(tarn_configure_program name)
  if(NOT TARN_SANITIZE)
    target_link_libraries(${name} PRIVATE tarn_deps::jemalloc)
  elseif(TARN_SANITIZE STREQUAL "thread")
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:tarn_sanitizer>)
    target_link_libraries(${name} PRIVATE absl::synchronization)
  endif()
endfunction()

# tarn_executable(NAME SRCS a.cc ... [DEPS t ...] [PCH <heavy.h> ...])
# Goes to build/<preset>/bin/NAME and links jemalloc, except under a sanitizer.
function(tarn_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS;PCH")
  add_executable(${name} ${arg_SRCS})
  tarn_configure_target(${name} PRIVATE_DEPS ${arg_DEPS} PCH ${arg_PCH})
  tarn_configure_program(${name})
endfunction()

# tarn_add_test(NAME COMMAND c ... [LABELS check|full|soak ...] [TIMEOUT s] [SERIAL] [ENV A=b ...])
# Any command as a test: `check` (the default) is quick, `full` is the rest; only when asked for run `soak`, for hours, and
# `system`, as root, with programs that not every machine has. Exit code 77: skipped, because something is missing here.
# A test program that hangs says where, shortly before its time is over.
# Tests find the programs in $TARN_BIN_DIR, the sources in $TARN_SOURCE_DIR and promtool in $TARN_TOOLS_DIR. SERIAL: never beside another test.
function(tarn_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "COMMAND;LABELS;ENV")
  if(NOT arg_LABELS)
    set(arg_LABELS check)
  endif()
  foreach(label ${arg_LABELS})
    if(NOT label IN_LIST TARN_TEST_LABELS)
      message(FATAL_ERROR "test ${name}: label '${label}' is none of ${TARN_TEST_LABELS}")
    endif()
  endforeach()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(TARN_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  set(env
    "TARN_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    "TARN_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "TARN_TOOLS_DIR=${PROJECT_SOURCE_DIR}/build/tools/bin"
    "TARN_TEST_TIMEOUT=${arg_TIMEOUT}"
    ${arg_ENV})
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABELS}"
    TIMEOUT ${arg_TIMEOUT}
    RUN_SERIAL ${arg_SERIAL}
    SKIP_RETURN_CODE 77
    ENVIRONMENT "${env}")
endfunction()

# tarn_test(NAME SRCS a_test.cc ... [DEPS t ...] [LABELS ...] [TIMEOUT s] [SERIAL] [ENV A=b ...]
#           [SOAK [SOAK_TIMEOUT s]])
# A Catch2 program, one ctest entry. Sources include "tests/catch.h". SOAK registers it once more as NAME.soak, label
# soak, with TARN_SOAK=1 in its environment: there the test runs the large counts.
function(tarn_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL;SOAK" "TIMEOUT;SOAK_TIMEOUT" "SRCS;DEPS;LABELS;ENV")
  add_executable(${name} ${arg_SRCS})
  tarn_configure_target(${name} PRIVATE_DEPS ${arg_DEPS} tarn_catch_main)
  tarn_configure_program(${name})
  # Catch2 2 is one header of 17,000 lines: parse it once.
  target_precompile_headers(${name} REUSE_FROM tarn_catch_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  set(serial "")
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  tarn_add_test(${name} COMMAND ${name} LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT} ENV ${arg_ENV} ${serial})
  if(arg_SOAK)
    if(NOT arg_SOAK_TIMEOUT)
      set(arg_SOAK_TIMEOUT 3600)
    endif()
    tarn_add_test(${name}.soak COMMAND ${name} LABELS soak TIMEOUT ${arg_SOAK_TIMEOUT} SERIAL
      ENV ${arg_ENV} TARN_SOAK=1)
  endif()
endfunction()

# tarn_fuzz(NAME SRCS a_fuzz.cc ... [DEPS t ...])
# The sources define LLVMFuzzerTestOneInput. With the fuzz preset this is a libFuzzer program; with every other one a
# plain program that feeds it the committed corpus tests/fuzz/corpus/NAME/*, and a test.
function(tarn_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  add_executable(${name} ${arg_SRCS})
  tarn_configure_target(${name} PRIVATE_DEPS ${arg_DEPS})
  tarn_configure_program(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
  if(TARN_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # The same inputs once, without mutation.
    tarn_add_test(${name} COMMAND ${name} -runs=0 "${corpus}")
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz_main.cc")
    tarn_add_test(${name} COMMAND ${name} "${corpus}")
  endif()
endfunction()
