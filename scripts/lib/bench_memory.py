# SPDX-License-Identifier: GPL-3.0-or-later
"""Peak memory of a backup of very large, nearly empty drives."""
import shutil

from bench_base import folder_to_work_in, tintype_binary
from measure import Loop, measure, remove, shell


def memory(options, limit_mib=256):
    """Peak RSS of a backup of sparse 8 TiB drives, as wait4 (and so `/usr/bin/time -v`) tells it."""
    folder = folder_to_work_in(options)
    binary = tintype_binary()
    drive, image, size, start = f"{folder}/8tib.raw", f"{folder}/image", 8 << 40, 1 << 20
    met = True
    try:
        for kind, make in (("ntfs", "mkntfs -q -Q -F -p 2048 -H 255 -S 63"),
                           ("ext4", "mkfs.ext4 -q -F -J size=64 -E lazy_itable_init=1,nodiscard")):
            remove(drive)
            shell(f"truncate -s {size} {drive}; sgdisk -n 1:2048:-1M {drive}")
            loop = Loop(drive, start, size - start - (2 << 20), writable=True)
            try:
                shell(f"{make} {loop.device}; sync {drive}")
            finally:
                loop.close()
            cost = measure(f"'{binary}' /b /d:{drive} /f:{image} /log:0 /uy", [image + "*"], f"{folder}/bench.log")
            fits = cost.rss_mib <= limit_mib
            met = met and fits
            print(f"8 TiB {kind}: peak {cost.rss_mib:.0f} MiB (limit {limit_mib}): {'met' if fits else 'NOT MET'}; "
                  f"{cost.wall_s:.1f} s, image {cost.size / 1e6:.1f} MB")
            remove(image + "*")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if met else 1
