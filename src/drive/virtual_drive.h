// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "drive/open.h"

namespace tintype {

// How a file holds a drive. The words are the reference product's, and QEMU's for what it does not have.
enum class DriveFormat {
  raw,
  vhdd,   // VHD, dynamic
  vhdf,   // VHD, fixed
  vmdk,   // VMDK, monolithic sparse, IDE
  vmdks,  // the same, SCSI
  qcow2,
  vhdx,
  vdi,
};
const char* to_string(DriveFormat format);
std::optional<DriveFormat> drive_format(std::string_view word);  // ignores case

// What the extension of a file's name says: what create_drive_file() makes without being told. Empty: a raw file.
std::optional<DriveFormat> format_of_name(const std::string& path);

// True for .raw, .img, .dd, .bin and .iso: whatever such a file begins with is its guest's.
bool name_says_raw(const std::string& path);
// Error{usage} if a new file of that format would be taken for something else by its name.
Result<void> check_new_name(const std::string& path, DriveFormat format);

struct DetectedFormat {
  DriveFormat format = DriveFormat::raw;  // vhdd, vmdk: also of what is no more known, as IDE from SCSI
  std::uint64_t fixed_bytes = 0;          // vhdf: the drive is so many of the file's first bytes
};
// The format of a file by its own records: those at its beginning, or the footer of a fixed VHD, whose beginning belongs to its guest.
// Where both could be, its name decides. Nothing if it has none of them. Errors: unsupported if its data, or the state it
// builds on, lies in other files (a differencing or backed drive, external data, a text descriptor); corrupt.
// Sources: the VHD specification 1.0 (footer), MS-VHDX 2.2, "Virtual Disk Format 5.0" (VMDK), QEMU's docs/interop/qcow2.txt, VirtualBox's VDICore.h.
Result<std::optional<DetectedFormat>> find_format(Drive& file);
// The same of a file whose name says that it is a virtual drive: Error{corrupt} if it is none.
Result<DetectedFormat> detect_format(Drive& file);

// Opens such a file through QEMU's block layer: a qemu-nbd process of our own on a unix socket in a private folder, which ends with the
// drive, or with the thread that opened it. open_drive() comes here by itself. Opening to read does not change the file. Error{busy} if another
// process has it open for writing; not_found if qemu-nbd is not installed.
Result<std::shared_ptr<Drive>> open_virtual_drive(const std::string& path, const OpenOptions& options);

// Makes an empty drive in a file and opens it for writing, raw ones too. If that fails, a file that was not there is not there.
// A fixed VHD takes its whole size at once.
Result<std::shared_ptr<Drive>> create_drive_file(const std::string& path, std::uint64_t size_bytes, DriveFormat format, const CreateOptions& options = {});

}  // namespace tintype
