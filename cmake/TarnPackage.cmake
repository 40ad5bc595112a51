# Debian packages: tarnd (the service), tarnctl, libtarn-dev. `make package` builds them with the preset `package`.

set(deploy_dir "${PROJECT_SOURCE_DIR}/deploy")

# The bill of materials of each program, of the libraries that it is linked with on this machine.
foreach(program tarnd tarnctl)
  set(sbom "${CMAKE_CURRENT_BINARY_DIR}/${program}.spdx.json")
  add_custom_command(OUTPUT "${sbom}"
    COMMAND ${Python3_EXECUTABLE} "${deploy_dir}/sbom.py" "${PROJECT_VERSION}" $<TARGET_FILE:${program}> > "${sbom}"
    DEPENDS ${program} "${deploy_dir}/sbom.py"
    COMMENT "Bill of materials of ${program}"
    VERBATIM)
  list(APPEND sboms "${sbom}")
  # EXCLUDE_FROM_ALL, here and below: only in packages, not by `make install`.
  install(FILES "${sbom}" COMPONENT ${program} DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${program}" EXCLUDE_FROM_ALL)
endforeach()
add_custom_target(tarn_sbom DEPENDS ${sboms})

foreach(component_and_package tarnd:tarnd tarnctl:tarnctl libtarn:libtarn-dev)
  string(REPLACE ":" ";" component_and_package ${component_and_package})
  list(GET component_and_package 0 component)
  list(GET component_and_package 1 package)
  install(FILES "${deploy_dir}/debian/copyright" COMPONENT ${component}
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" EXCLUDE_FROM_ALL)
endforeach()
install(FILES "${deploy_dir}/tarnd.toml" COMPONENT tarnd DESTINATION "/etc/tarn" EXCLUDE_FROM_ALL)
install(FILES "${deploy_dir}/systemd/tarnd.service" COMPONENT tarnd DESTINATION "lib/systemd/system" EXCLUDE_FROM_ALL)
install(FILES "${deploy_dir}/systemd/tarn.sysusers" RENAME tarn.conf COMPONENT tarnd
  DESTINATION "lib/sysusers.d" EXCLUDE_FROM_ALL)
install(FILES "${deploy_dir}/systemd/tarn.tmpfiles" RENAME tarn.conf COMPONENT tarnd
  DESTINATION "lib/tmpfiles.d" EXCLUDE_FROM_ALL)
install(FILES "${deploy_dir}/prometheus/tarn.rules.yml" "${deploy_dir}/prometheus/tarn.alerts.yml"
    "${deploy_dir}/grafana/tarn.json"
  COMPONENT tarnd DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/tarnd/examples" EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tarn)
set(CPACK_PACKAGE_CONTACT "The Tarn authors <tarn@localhost>")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL tarnd tarnctl libtarn)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# What is installed bears the time of the sources, not of the build, and no trace of its folder.
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/before_packing.cmake")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_COMPONENT_TARND_DESCRIPTION "The daemon: tarnd keeps the state of stream workers, serves it over gRPC,
and makes a checksummed checkpoint of all of it every few seconds, from which
it can be restored, to any of its engines.")
set(CPACK_DEBIAN_TARND_PACKAGE_NAME tarnd)
set(CPACK_DEBIAN_TARND_PACKAGE_SECTION database)
# The user is made when the package is configured.
set(CPACK_DEBIAN_TARND_PACKAGE_DEPENDS "systemd-standalone-sysusers | systemd-sysusers, init-system-helpers")
set(CPACK_DEBIAN_TARND_PACKAGE_SUGGESTS "tarnctl, prometheus")
set(CPACK_DEBIAN_TARND_PACKAGE_CONTROL_EXTRA
  "${deploy_dir}/debian/conffiles" "${deploy_dir}/debian/postinst" "${deploy_dir}/debian/prerm" "${deploy_dir}/debian/postrm")
set(CPACK_COMPONENT_TARNCTL_DESCRIPTION "The command line: tarnctl reads and writes the state that a tarnd keeps, and
looks after its namespaces, checkpoints and jobs.")
set(CPACK_DEBIAN_TARNCTL_PACKAGE_NAME tarnctl)
set(CPACK_DEBIAN_TARNCTL_PACKAGE_SECTION database)
set(CPACK_COMPONENT_LIBTARN_DESCRIPTION "The C++ client: libtarn, with its headers, CMake and pkg-config files, a fake
for tests, and the protos for clients in other languages.")
set(CPACK_DEBIAN_LIBTARN_PACKAGE_NAME libtarn-dev)
set(CPACK_DEBIAN_LIBTARN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBTARN_PACKAGE_SHLIBDEPS OFF)
# Two archives: whoever links them needs what they need.
set(CPACK_DEBIAN_LIBTARN_PACKAGE_DEPENDS "libgrpc++-dev, libprotobuf-dev, libabsl-dev")
include(CPack)
