# Every third party, found once. Where a library ships no CMake target, or one whose name differs between releases,
# the target is tarn_deps::<name>. Everything comes from Debian packages: see .ci/packages.

# Debian's static libraries would be smaller to start, its shared ones are what gets security updates.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(civetweb CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(Catch2 CONFIG REQUIRED)

find_package(PkgConfig REQUIRED)

# tarn_deps::<name> from a pkg-config module. The prefix keeps its cache entries apart from those of the find modules
# that RocksDB brings (lz4_INCLUDE_DIRS would be both).
function(tarn_pkg_config_target name module)
  pkg_check_modules(tarn_pc_${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(tarn_deps::${name} ALIAS PkgConfig::tarn_pc_${name})
endfunction()

tarn_pkg_config_target(xxhash libxxhash)
tarn_pkg_config_target(lz4 liblz4)
tarn_pkg_config_target(zstd libzstd)
tarn_pkg_config_target(snappy snappy)
tarn_pkg_config_target(jemalloc jemalloc)
tarn_pkg_config_target(hiredis hiredis)
# It asks for _FILE_OFFSET_BITS, the default wherever Tarn runs: as an option of its own it would shut out every
# precompiled header.
set_target_properties(PkgConfig::tarn_pc_hiredis PROPERTIES INTERFACE_COMPILE_OPTIONS "")

# Headers alone, and no module of any kind. Its functions are compiled once: see storage/redis/asio_functions.cc.
find_path(TARN_ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(tarn_asio INTERFACE)
target_include_directories(tarn_asio SYSTEM INTERFACE "${TARN_ASIO_INCLUDE_DIR}")
target_compile_definitions(tarn_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_SEPARATE_COMPILATION
  # Else asio.hpp allocates in one way or the other, depending on which headers came before it, and one way's memory is
  # given back in the other's.
  ASIO_DISABLE_STD_ALIGNED_ALLOC)
if(TARN_SANITIZE STREQUAL "thread")
  # gcc's thread sanitizer does not know fences; the locks beside them do the same.
  target_compile_definitions(tarn_asio INTERFACE ASIO_DISABLE_FENCED_BLOCK)
endif()
target_link_libraries(tarn_asio INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
add_library(tarn_deps::asio ALIAS tarn_asio)

add_library(tarn_deps::civetweb ALIAS civetweb::civetweb)
add_library(tarn_deps::prometheus ALIAS prometheus-cpp::core)
