# The Debian package: scripts/package, or cpack -G DEB in a build directory.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ttytrail)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ttytrail maintainers <ttytrail@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${CMAKE_CURRENT_SOURCE_DIR}/debian/description)
# Whatever prefix this build directory was set up with.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# What Debian's packages have and `cmake --install` has not is laid beside the rest: manual pages compressed, settings
# below /etc, the changes.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/stage.cmake)
set(CPACK_TTYTRAIL_PACKAGING ${CMAKE_CURRENT_SOURCE_DIR})
set(CPACK_TTYTRAIL_CHANGES ${CMAKE_SOURCE_DIR}/CHANGELOG.md)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libcurl is loaded when it is needed, which shlibdeps does not see.  passwd: useradd, where there is no systemd-sysusers.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4, passwd")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, openssh-sftp-server")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "openssh-server")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(file preinst postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/debian/${file})
endforeach()
include(CPack)
