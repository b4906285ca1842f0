// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/action.h"

#include <array>

#include "options/words.h"

namespace tintype::options {
namespace {

constexpr std::array<ActionInfo, kActionCount> kActions = {{
    {.action = Action::none, .gnu = "", .summary = "process global options and stop", .built = true},
    {.action = Action::backup, .feature = "A1", .slash = "b", .gnu = "backup",
     .summary = "save a drive, or partitions of it, in an image",
     .about = "Reads the source drive and writes an image of it. Only sectors in use are saved where the file system "
              "is known; everything is saved where it is not. The image appears under its final name only when it is "
              "complete, so an older image of that name stays whole until then.",
     .examples = "tintype backup --drive 0 --file /mnt/bk/pc\n"
                 "tintype backup --drive 0@1,2 --file /mnt/bk/pc --compression 7 --post-validate\n"
                 "tintype backup --drive disk.raw@1 --file pc-c --encryption 3 --password-file secret.txt",
     .built = true},
    {.action = Action::restore, .feature = "A2", .slash = "r", .gnu = "restore",
     .summary = "write an image, or a partition of it, back to a drive",
     .about = "Makes a plan first (--dry-run prints it), asks before anything is destroyed, then writes. Without a "
              "partition in --drive, what is restored goes back to its old place on that drive.",
     .examples = "tintype restore --file /mnt/bk/pc --drive 1\n"
                 "tintype restore --file pc --drive new.raw --overwrite\n"
                 "tintype restore --file pc --source-partition 0x1 --drive 0@1 --dry-run",
     .built = true},
    {.action = Action::validate, .feature = "A3", .slash = "v", .gnu = "validate",
     .summary = "check an image from its first byte to its last",
     .about = "Reads every part file and checks every chunk, the index and the chain it belongs to; names the "
              "partitions that are hit when something is damaged. With a recovery file (backup --parity) also checks that, "
              "and says whether repair can mend the damage.",
     .examples = "tintype validate --file /mnt/bk/pc",
     .built = true},
    {.action = Action::copy, .feature = "A4", .slash = "copy", .gnu = "copy",
     .summary = "copy a drive or partition straight to another",
     .about = "Copies what is in use of a drive to another drive or raw file, of a partition into another partition, or of a partition "
              "into the free space of a drive when the target names none. An image can be the source. The partition table comes "
              "last: a copy that was cut off does not look whole.",
     .examples = "tintype copy --source-drive 0 --target-drive 1\n"
                 "tintype copy --source disk.raw@1 --target other.raw@2 --byte-for-byte\n"
                 "tintype copy --source pc.tti --target new.raw --dry-run",
     .built = true},
    {.action = Action::list, .feature = "A5", .slash = "l", .gnu = "list",
     .summary = "show drives and partitions, or what an image holds",
     .about = "Without options every drive of the machine is shown. The numbers and partition ids are those that "
              "--drive takes in the other actions.",
     .examples = "tintype list\n"
                 "tintype list --drive 0 --free-space\n"
                 "tintype list --file /mnt/bk/pc --json",
     .built = true},
    {.action = Action::reboot, .feature = "A6", .slash = "reboot", .gnu = "reboot", .summary = "restart the computer"},
    {.action = Action::help, .feature = "A7", .slash = "?", .gnu = "help",
     .summary = "explain the program or one action", .examples = "tintype help backup", .built = true},
    {.action = Action::version, .gnu = "version", .summary = "print the program's version", .built = true},
    {.action = Action::ls, .feature = "P6", .gnu = "ls", .summary = "list files inside an image or drive",
     .about = "Nothing is mounted, and root is not needed. IMAGE may be a drive or drive file too, as in --drive of other actions. @ and the "
              "id of a partition stand behind it; without it, and without a path, the partitions are listed, and the id may be left "
              "out where only one partition has files. An existing image of exactly that name wins.\n"
              "A folder that is named shows what lies in it; one that wildcards match is shown itself. The marks are h(idden), s(ystem), r(ead-only), "
              "c(ompressed), e(ncrypted). Links are not followed. Exit status 1: a path is not there; 4: folders are damaged, "
              "and the rest is listed.",
     .examples = "tintype ls pc\n"
                 "tintype ls pc@1 /Windows\n"
                 "tintype ls pc@1 /Users/*/*.doc --recursive --json\n"
                 "tintype ls disk.raw@1 /",
     .words = "file path", .built = true},
    {.action = Action::extract, .feature = "P6", .gnu = "extract", .summary = "copy files out of an image or drive",
     .about = "Copies what the paths mean, folders with all that is in them, into --to, each under its whole path: /Users/ann becomes "
              "DIR/Users/ann. IMAGE and PATH are as in ls; / means everything. Nothing is mounted, and root is not needed. Kept are contents, holes, times, permissions, "
              "symbolic and hard links, and the owner if root extracts.\n"
              "Nothing is written outside --to, whatever names and links the image holds. A name that cannot be made is reported. "
              "Windows links and junctions become symbolic links if this partition has what they lead to; other reparse points, devices, "
              "pipes, sockets and files that the file system encrypted are reported and passed over. A file whose data the backup left out "
              "is not made; where parts of one are lost or cannot be read, zeros stand for them and the file is named.\n"
              "A file that is there already is left alone and counts as a failure, unless --overwrite or --skip-existing is given. What fails "
              "does not stop the rest. Exit status 5: something of it could not be had; 1: nothing could; 3: all of it was there already.",
     .examples = "tintype extract pc@1 /Users/ann /boot/*.cfg --to /tmp/ann\n"
                 "tintype extract pc@2 / --to /mnt/all --streams files",
     .words = "file path", .built = true},
    {.action = Action::mount, .feature = "P6 X3", .gnu = "mount", .summary = "show an image as drive files, and the files in it",
     .about = "Puts files into an empty folder that are the image as a drive: drive.img is all of it, partition-1.img and so on its "
              "partitions, for any program that wants a drive. Nothing is unpacked first: what is read is decoded when it is read. With "
              "--files the folder files/ shows what is in the file systems, without root and without a driver for them. The image is never "
              "written to; --writable keeps writes in a temporary file until it is unmounted. Goes on in the background.",
     .examples = "tintype mount /mnt/bk/pc /mnt/image --files\n"
                 "tintype mount friday /mnt/image --writable\n"
                 "tintype unmount /mnt/image",
     .words = "file to", .built = true},
    {.action = Action::unmount, .feature = "P6 X3", .gnu = "unmount", .summary = "take a mounted image away again",
     .about = "Ends what tintype mount put on a folder. It is refused while something in it is in use.",
     .examples = "tintype unmount /mnt/image", .words = "mount-point", .built = true},
    {.action = Action::serve, .feature = "X3", .gnu = "serve", .summary = "offer an image as a network block device",
     .about = "Serves the drive that the image is by the NBD protocol on a unix socket, for virtual machines and other programs, until it "
              "is told to end (Ctrl-C). Needs qemu-nbd and FUSE.",
     .examples = "tintype serve /mnt/bk/pc --socket /run/pc.sock\n"
                 "tintype serve /mnt/bk/pc --writable",
     .words = "file", .built = true},
    {.action = Action::boot, .feature = "X3", .gnu = "boot", .summary = "start the system in an image in a virtual machine",
     .about = "Starts QEMU with the image as its drive. What the machine writes goes to a temporary file and is forgotten when it ends; "
              "the image stays as it is. The machine has no network, so that it does not meet its original there.",
     .examples = "tintype boot /mnt/bk/pc\n"
                 "tintype boot /mnt/bk/pc --headless --memory 1024",
     .words = "file", .built = true},
    {.action = Action::consolidate, .feature = "X1", .gnu = "consolidate",
     .summary = "merge a chain of images into one",
     .about = "Writes one image that holds the state of --file, without the source drive: a full one, or with --base a changes-only one "
              "that takes the place of the images after the base. Their data is copied as it is, neither compressed nor encrypted "
              "again. The old images stay, unless --replace says to delete them once the new one has been validated.",
     .examples = "tintype consolidate --file friday --to full2\n"
                 "tintype consolidate --file friday --to week --base monday --replace",
     .built = true},
    {.action = Action::salvage, .feature = "X5", .gnu = "salvage",
     .summary = "save what a damaged image still holds",
     .about = "Searches every part file for chunks that are sound, whatever else is damaged, cut off or missing, and writes "
              "them to a folder: as one drive file if the layout is still known, else a file for each area. Of a changes-only "
             "image also what lies in the earlier images of its chain, which may be damaged too; --base names those that lie "
             "elsewhere. salvage.txt and salvage.json list what is lost. The exit status is 5 if something is, 4 if nothing could be brought back.",
     .examples = "tintype salvage --file /mnt/bk/pc --to /mnt/big/pc-salvaged",
     .built = true},
    {.action = Action::repair, .feature = "X5", .gnu = "repair",
     .summary = "mend a damaged image from its recovery file",
     .about = "For images made by backup --parity. Finds what is damaged or missing in the parts and in the recovery file "
              "and writes those files anew; an old file is replaced only when the new one is complete and checked. If more is "
              "lost than can be brought back, nothing is touched. No password is needed, and there has to be room for a "
              "second copy of the largest damaged part.",
     .examples = "tintype backup --drive 0 --file /mnt/bk/pc --parity 5%\n"
                 "tintype validate --file /mnt/bk/pc\n"
                 "tintype repair --file /mnt/bk/pc",
     .built = true},
    {.action = Action::convert, .feature = "X11", .gnu = "convert",
     .summary = "turn an image or a drive into a virtual drive",
     .about = "Writes the drive that an image is, or any other drive, into a new file: raw, VHD, VMDK, QCOW2, VHDX or VDI, by its name's "
              "extension or --type. It has the size of the source and the same bytes; what is zero or was not saved takes no room where the "
              "format allows that. The file appears under its name when it is complete.",
     .examples = "tintype convert /mnt/bk/pc pc.qcow2\n"
                 "tintype convert disk.vmdk disk.raw\n"
                 "tintype convert friday azure.vhd --type vhdf",
     .words = "file to", .built = true},
    {.action = Action::purge, .feature = "B19", .slash = "purge", .gnu = "purge",
     .summary = "delete the images of a folder that no rule keeps",
     .about = "Sorts the images of a folder by their source (a drive and the choice of its partitions) and applies the "
              "keep rules to each source. An image that one rule keeps is kept, and so is every image that a kept one "
              "builds on. --keep-daily=7 keeps the newest image of each of the last seven days that have one; weeks "
              "are those of ISO 8601, beginning on Monday; days begin by the local clock. While a rule of periods is not "
              "used up the oldest image is kept too. What cannot be read (damaged, or encrypted and no fitting password "
              "given) is kept and named.\n"
              "Asks before anything is deleted; --dry-run shows what would be. Images in other folders are not seen: keep "
              "the images of a chain together.",
     .examples = "tintype purge --folder /mnt/bk --keep-last 7 --keep-weekly 8 --dry-run\n"
                 "tintype purge --folder /mnt/bk --keep-daily 7 --keep-monthly 12 --unattended-yes",
     .built = true},
    {.action = Action::boot_test, .feature = "X12", .gnu = "boot-test",
     .summary = "start a drive or image in a virtual machine and report how far it came"},
    {.action = Action::disc, .feature = "P7", .gnu = "disc", .summary = "burn images to discs and copy them back"},
    {.action = Action::media, .feature = "P4", .gnu = "media", .summary = "make a bootable recovery medium"},
    {.action = Action::schedule, .feature = "P8", .gnu = "schedule", .summary = "run backups at set times"},
    {.action = Action::deploy, .feature = "P10", .gnu = "deploy", .summary = "restore many machines at once"},
    {.action = Action::tui, .feature = "P3", .gnu = "tui", .summary = "full-screen menus"},
}};

}  // namespace

std::span<const ActionInfo> all_actions() { return kActions; }

const ActionInfo& info(Action action) { return kActions.at(static_cast<std::size_t>(action)); }

const ActionInfo* find_slash_action(std::string_view name) {
  for (const ActionInfo& each : kActions)
    if (!each.slash.empty() && same_word(each.slash, name)) return &each;
  return nullptr;
}

const ActionInfo* find_gnu_action(std::string_view name) {
  for (const ActionInfo& each : kActions)
    if (!each.gnu.empty() && each.gnu == name) return &each;
  return nullptr;
}

}  // namespace tintype::options
