# SPDX-License-Identifier: GPL-3.0-or-later

# A room: one static library out of the sources beside the calling CMakeLists.txt.
#   tintype_room(fs SOURCES a.cpp b.cpp USES base drive LIBRARIES PkgConfig::ZSTD)
function(tintype_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(tintype_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(tintype_${name} PUBLIC tintype_flags Threads::Threads)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(tintype_${name} PUBLIC tintype_${used})
  endforeach()
  target_link_libraries(tintype_${name} PRIVATE fmt::fmt ${ARG_LIBRARIES})
endfunction()

# A GoogleTest executable; every case becomes a ctest of its own, labelled with the folder's kind.
#   tintype_test(unit_fs LABEL unit SOURCES fat_test.cpp USES fs [TIMEOUT 120])
function(tintype_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;USES;LIBRARIES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tintype_flags GTest::gtest_main GTest::gmock fmt::fmt ${ARG_LIBRARIES})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(${name} PRIVATE tintype_${used})
  endforeach()
  if(TINTYPE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 takes parts of <regex> for uninitialised when it instruments them; the plain build stays strict.
    target_compile_options(${name} PRIVATE -Wno-maybe-uninitialized)
  endif()
  target_compile_definitions(${name} PRIVATE
    TINTYPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TINTYPE_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name} TEST_PREFIX "${ARG_LABEL}." DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# A libFuzzer target out of one entry function (preset fuzz); in every other preset a plain test that gives each file of
# tests/damaged/<name>/ (seeds and finds) to the same function.
#   tintype_fuzz(fuzz_mbr SOURCES mbr_fuzz.cpp USES layout)
function(tintype_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  if(NOT TINTYPE_FUZZ)
    tintype_test(damaged_${name} LABEL damaged SOURCES ${ARG_SOURCES} "${CMAKE_SOURCE_DIR}/tests/support/damaged_test.cpp"
      USES ${ARG_USES} LIBRARIES ${ARG_LIBRARIES})
    target_compile_definitions(damaged_${name} PRIVATE TINTYPE_FUZZ_NAME="${name}")
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tintype_flags fmt::fmt ${ARG_LIBRARIES})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(${name} PRIVATE tintype_${used})
  endforeach()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
