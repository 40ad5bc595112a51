# How everything is compiled. Directory-wide on purpose: nothing here is part of a target's interface, so an
# installed libtarn carries none of it.

option(TARN_WERROR "Treat warnings as errors" ON)
option(TARN_THREAD_SAFETY "Check absl's thread annotations (clang only)" OFF)
option(TARN_FUZZ "Build the fuzz targets with libFuzzer (clang only)" OFF)
option(TARN_COVERAGE "Count executed lines with gcov" OFF)
set(TARN_SANITIZE "" CACHE STRING "Value of -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# clang-tidy and the tools of editors read it.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# No PIC by default (Debian's compilers make PIE): under -fPIC gcc does not inline what could be interposed. Only what
# a user may link into a shared library asks for it: `PIC` in tarn_library.

# The program a preset builds is always at build/<preset>/bin/.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

include(GNUInstallDirs)

# Everywhere, so that all share one precompiled header: half of the third parties ask for it anyway.
add_compile_options(-pthread)
add_link_options(-pthread)

# --- warnings ---------------------------------------------------------------------------------------------------

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wunused
  -Wnull-dereference -Wimplicit-fallthrough -Wextra-semi)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wsuggest-override
    # gcc 12 reports these inside its own std::string and std::variant once it optimises (gcc bugs 105329, 105562).
    -Wno-restrict -Wno-maybe-uninitialized -Wno-null-dereference
    # Designated initializers that leave the rest to the defaults are how options are written here.
    -Wno-missing-field-initializers)
else()
  # Sized deallocation is C++14; clang 14 still asks for the flag, gcc does not.
  add_compile_options(-Wno-missing-field-initializers $<$<COMPILE_LANGUAGE:CXX>:-fsized-deallocation>)
endif()
if(TARN_WERROR)
  add_compile_options(-Werror)
  # A precompiled header that does not fit is only slow.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-error=invalid-pch>)
endif()
if(TARN_THREAD_SAFETY)
  add_compile_options(-Wthread-safety -Wthread-safety-beta)
endif()

# --- sanitizers and coverage ------------------------------------------------------------------------------------

if(TARN_SANITIZE)
  add_compile_options(-fsanitize=${TARN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TARN_SANITIZE})
endif()
if(TARN_FUZZ)
  # Coverage feedback everywhere; libFuzzer's main only in the fuzz targets (tarn_fuzz).
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TARN_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# --- speed of the build -----------------------------------------------------------------------------------------

find_program(TARN_CCACHE ccache)
if(TARN_CCACHE)
  # A compilation that uses a precompiled header is cached only with this sloppiness; nothing here depends on
  # __TIME__ or on the macros a precompiled header happens to define.
  set(launcher "${CMAKE_COMMAND}" -E env
    "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" "${TARN_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  unset(launcher)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  else()
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()

find_program(TARN_MOLD mold)
find_program(TARN_LLD ld.lld)
if(TARN_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(TARN_LLD)
  add_link_options(-fuse-ld=lld)
endif()
