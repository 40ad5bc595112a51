# "tarn_version.h" with tarn::kVersion and tarn::kCommit, library tarn_version. The commit is looked up at each build
# but lives in one .cc file that is written only when it changed: a commit recompiles that file and nothing else.
set(version_dir "${PROJECT_BINARY_DIR}/version")
configure_file("${PROJECT_SOURCE_DIR}/cmake/tarn_version.h.in" "${version_dir}/tarn_version.h" @ONLY)

set(version_command ${CMAKE_COMMAND}
  -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DOUTPUT=${version_dir}/tarn_version.cc
  -P "${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake")
execute_process(COMMAND ${version_command})  # so that the file exists before the first build
add_custom_target(tarn_commit COMMAND ${version_command} BYPRODUCTS "${version_dir}/tarn_version.cc"
  COMMENT "Looking up the commit")

add_library(tarn_version STATIC "${version_dir}/tarn_version.cc")
add_library(tarn::version ALIAS tarn_version)
set_target_properties(tarn_version PROPERTIES POSITION_INDEPENDENT_CODE ON)  # part of libtarn
add_dependencies(tarn_version tarn_commit)
target_include_directories(tarn_version PUBLIC $<BUILD_INTERFACE:${version_dir}>)
unset(version_command)
unset(version_dir)
