# SPDX-License-Identifier: GPL-3.0-or-later
# Build switches, warnings and the libraries every room may ask for.
option(TINTYPE_TESTS "Build the tests" ON)
option(TINTYPE_WERROR "Warnings are errors" OFF)
option(TINTYPE_TEST_HOOKS "Let TINTYPE_TEST_FAULTS make opened drives fail (never in a release)" ON)
option(TINTYPE_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(TINTYPE_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(NBD REQUIRED IMPORTED_TARGET libnbd) # virtual drives
pkg_check_modules(FUSE REQUIRED IMPORTED_TARGET fuse3>=3.12) # mount
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib) # this and the next two: compressed images of other programs
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma)
find_package(BZip2 REQUIRED)
pkg_check_modules(EXT2FS REQUIRED IMPORTED_TARGET ext2fs) # this and the next two: images in partitions that are not mounted
pkg_check_modules(COM_ERR REQUIRED IMPORTED_TARGET com_err)
pkg_check_modules(NTFS_3G REQUIRED IMPORTED_TARGET libntfs-3g)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85) # mail
find_library(IPSEC_MB_LIBRARY IPSec_MB) # multi-buffer SHA-256; x86-64 only, OpenSSL serves elsewhere

add_library(tintype_flags INTERFACE)
target_include_directories(tintype_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(tintype_flags INTERFACE _FILE_OFFSET_BITS=64)
target_compile_options(tintype_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${TINTYPE_WERROR}>:-Werror>)
if(TINTYPE_SANITIZE)
  target_compile_options(tintype_flags INTERFACE -fsanitize=${TINTYPE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(tintype_flags INTERFACE -fsanitize=${TINTYPE_SANITIZE})
endif()
if(TINTYPE_FUZZ)
  target_compile_options(tintype_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
