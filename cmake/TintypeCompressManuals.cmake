# SPDX-License-Identifier: GPL-3.0-or-later
# Run by CPack on the staged files: Debian wants manual pages compressed, `cmake --install` leaves them readable.
file(GLOB pages "${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man*/*.[1-9]")
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip -9nf "${page}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
