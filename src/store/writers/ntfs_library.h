// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is used of libntfs-3g. Its headers want the system's included before them, and define short words in lower case.
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <sys/stat.h>

extern "C" {
#include <ntfs-3g/types.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>
}
#undef min
#undef max
