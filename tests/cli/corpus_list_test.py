#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists every image of the corpus with the program and holds the answer against the corpus's manifest.

usage: corpus_list_test.py TINTYPE CORPUS     (exit status 77: there is no corpus)
"""
import csv
import json
import lzma
import os
import subprocess
import sys
import tempfile

MOST_UNPACKED = 700 << 20
TYPES = {"vfat": ("fat12", "fat16", "fat32"), "exfat": ("exfat",), "ntfs": ("ntfs",), "ext2": ("ext2",), "ext3": ("ext3",),
         "ext4": ("ext4",), "reiserfs": ("reiserfs",), "swap": ("swap",)}


def facts_of(text):
    facts = {}
    for item in text.split("; "):
        key, _, value = item.partition("=")
        facts[key.strip()] = value
    return facts


def unpack(packed, target):
    """Sparse, a piece at a time."""
    with lzma.open(packed) as source, open(target, "wb") as out:
        while piece := source.read(1 << 20):
            if piece.count(0) == len(piece):
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate()


def listed(program, path):
    run = subprocess.run([program, "list", "--drive", path, "--json"], capture_output=True, timeout=120, check=False)
    if run.returncode < 0 or run.returncode > 5:
        raise AssertionError(f"ended with {run.returncode}: {run.stderr.decode(errors='replace')[:300]}")
    if run.returncode != 0:
        raise AssertionError(f"exit status {run.returncode}: {run.stderr.decode(errors='replace')[:300]}")
    return json.loads(run.stdout)["drives"][0]


def whole_file_system(drive):
    return next((p for p in drive["partitions"] if p["id"] == "0"), None)


def check_file_system(drive, facts):
    """A drive without a table that holds a file system."""
    wanted = TYPES.get(facts.get("blkid.TYPE", ""))
    if not wanted or "blkid.PTTYPE" in facts:
        return
    part = whole_file_system(drive)
    assert part, "no partition 0"
    if part["file_system"] == "unknown" and part["warning"]:
        return  # doubtful, such as swap over a LUKS volume: saved whole, which loses nothing
    assert part["file_system"] in wanted, f"file system {part['file_system']}, wanted {wanted}"
    serial = facts.get("blkid.UUID", "")
    assert part["serial"].lower() == serial.lower(), f"serial {part['serial']!r}, wanted {serial!r}"
    if part["warning"] or drive["size_bytes"] % 512:
        return
    unit = int(facts.get("fs.cluster", 0) or facts.get("fs.bs", 0))
    used = None
    if "fs.used_clusters_bitmap" in facts:
        used = int(facts["fs.used_clusters_bitmap"]) * unit
    elif "fs.blocks" in facts and "fs.free" in facts:
        used = (int(facts["fs.blocks"]) - int(facts["fs.free"])) * unit
    elif " files, " in facts.get("fs.summary", "") and facts.get("fs.fsck_fat_rc") == "0":
        used = int(facts["fs.summary"].split(", ")[1].split("/")[0]) * unit
    if used is not None:
        assert part["used_bytes"] == used, f"used {part['used_bytes']}, wanted {used}"


def check_table(drive, facts):
    if facts.get("ptable.pt") not in ("dos", "gpt") or "blkid.TYPE" in facts and "blkid.PTTYPE" not in facts:
        return
    if "blkid.PTTYPE" not in facts or facts["blkid.PTTYPE"] not in ("dos", "gpt"):
        return
    sectors = drive["size_bytes"] // drive["sector_size_bytes"]
    wanted = set()
    for item in filter(None, facts.get("ptable.parts", "").split(",")):
        start, count = item.partition(":")[0].split("+")
        if int(start) + int(count) <= sectors:
            wanted.add((int(start), int(count)))
    found = {(p["start_sector"], p["sector_count"]) for p in drive["partitions"]}
    missing = wanted - found
    assert not missing, f"partitions {sorted(missing)} are missing, found {sorted(found)}"


def main():
    program, corpus = sys.argv[1], sys.argv[2]
    manifest = os.path.join(corpus, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        print("skipped: there is no corpus at", corpus)
        return 77
    bad, done = [], 0
    with open(manifest, encoding="utf-8", errors="replace") as file, tempfile.TemporaryDirectory(prefix="tintype-corpus-") as folder:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not row["type"].startswith("raw:") or int(row["unpacked_size"] or 0) > MOST_UNPACKED:
                continue
            path = os.path.join(folder, "image.raw")
            unpack(os.path.join(corpus, row["path_xz"]), path)
            try:
                drive = listed(program, path)
                facts = facts_of(row["facts"])
                check_file_system(drive, facts)
                check_table(drive, facts)
            except (AssertionError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                bad.append(f"{row['path_xz']} ({row['type']}): {error}")
            os.unlink(path)
            done += 1
    print(f"{done} images listed, {len(bad)} not as the manifest says")
    for line in bad:
        print(" ", line)
    return 1 if bad or done < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
