# libtarn as users get it: find_package(tarn) gives tarn::tarn and, for their tests, tarn::testing; so do the pkg-config
# modules tarn and tarn-testing. Each is one archive: the messages of the contract are inside.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tarn")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(generated_dir "${CMAKE_CURRENT_BINARY_DIR}/package")

add_library(tarn STATIC
  $<TARGET_OBJECTS:tarn_client> $<TARGET_OBJECTS:tarn_proto> $<TARGET_OBJECTS:tarn_version>)
target_link_libraries(tarn
  PUBLIC absl::status absl::statusor
  PRIVATE gRPC::grpc++ protobuf::libprotobuf absl::cord absl::strings absl::synchronization absl::time)

add_library(tarn_testing STATIC $<TARGET_OBJECTS:tarn_client_fake>)
target_link_libraries(tarn_testing PUBLIC tarn PRIVATE absl::strings)
set_target_properties(tarn_testing PROPERTIES EXPORT_NAME testing)

foreach(library tarn tarn_testing)
  # Objects only: there is nothing to find out a language from.
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_include_directories(${library} PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

install(TARGETS tarn tarn_testing EXPORT tarnTargets COMPONENT libtarn
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/tarn COMPONENT libtarn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tarnTargets NAMESPACE tarn:: COMPONENT libtarn DESTINATION "${package_dir}")

configure_package_config_file(tarnConfig.cmake.in "${generated_dir}/tarnConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${generated_dir}/tarnConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${generated_dir}/tarnConfig.cmake" "${generated_dir}/tarnConfigVersion.cmake" COMPONENT libtarn
  DESTINATION "${package_dir}")

# From where they are installed back to the prefix, so that the tree can be moved.
file(RELATIVE_PATH TARN_PC_TO_PREFIX "/${pkgconfig_dir}" "/")
foreach(module tarn tarn-testing)
  configure_file(${module}.pc.in "${generated_dir}/${module}.pc" @ONLY)
  install(FILES "${generated_dir}/${module}.pc" COMPONENT libtarn DESTINATION "${pkgconfig_dir}")
endforeach()

# For clients in other languages.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/proto/" COMPONENT libtarn DESTINATION "${CMAKE_INSTALL_DATADIR}/tarn/proto"
  FILES_MATCHING PATTERN "*.proto")
