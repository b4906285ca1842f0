# SPDX-License-Identifier: GPL-3.0-or-later
# `cmake --install` and the Debian package (`cpack -G DEB` in a build folder). Manual pages and completion are installed by
# the room that makes them. Included after src/, so that the targets exist.
set(TINTYPE_MAINTAINER "Tintype developers <maintainers@tintype.invalid>" CACHE STRING "Maintainer of the Debian package")

if(TARGET tintype)
  install(TARGETS tintype RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES "${CMAKE_SOURCE_DIR}/README.md" DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES "${CMAKE_SOURCE_DIR}/packaging/copyright" DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs/format" DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

# Debian wants both changelogs, compressed without time stamps so that packages can be reproduced.
set(changelogs "${CMAKE_BINARY_DIR}/packaging")
file(MAKE_DIRECTORY "${changelogs}")
configure_file("${CMAKE_SOURCE_DIR}/packaging/changelog.in" "${changelogs}/changelog.Debian" @ONLY)
configure_file("${CMAKE_SOURCE_DIR}/CHANGELOG.md" "${changelogs}/changelog" COPYONLY)
find_program(GZIP_PROGRAM gzip REQUIRED)
foreach(name changelog changelog.Debian)
  execute_process(COMMAND ${GZIP_PROGRAM} -9nkf "${changelogs}/${name}" COMMAND_ERROR_IS_FATAL ANY)
  install(FILES "${changelogs}/${name}.gz" DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tintype)
set(CPACK_PACKAGE_CONTACT "${TINTYPE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS qemu-utils) # virtual drives
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "drive imaging: back up, verify and restore whole drives")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Tintype saves drives and partitions into image files and restores them. It
reads the used blocks of NTFS, FAT, exFAT, ext2/3/4, ReiserFS and swap, checks
every block by a cryptographic hash, compresses, encrypts and splits images,
and asks before anything is overwritten.")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_SOURCE_DIR}/cmake/TintypeCompressManuals.cmake")
include(CPack)
