# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of scripts/bench changes: limits first, then every measurement."""
from report import measured_table, verdict

OURS = "tintype, changes only"
HASH = "read and SHA-256 of the used data, all cores"
RESTORE_FULL = "tintype restore, full"
RESTORE_CHAIN = "tintype restore, full and change in one pass"
RESTORE_OVER = "tintype restore over the old state"
RESTORE_DELTA = "tintype restore --delta over the old state"
FULL = "tintype, full"
FULL_PARITY = "tintype, full, parity 5%"
CONSOLIDATE = "tintype consolidate, full and 10 incrementals"
COPY = "cp of the consolidated image"
FILES = ("restic, second backup of the files", "borg, second backup of the files")
DRIVES = ("restic, second backup of the drive file", "borg, second backup of the drive file")

# (what, our row, the rows beside it: the smallest figure counts, property, limit; None: for information)
LIMITS = [
    ("changes-only backup, wall / the faster of restic's and borg's second backup of the files", OURS, FILES, "wall_s", 0.30),
    ("the same / of their second backup of the drive file", OURS, DRIVES, "wall_s", None),
    ("changes-only backup, wall / one read-and-SHA-256 pass", OURS, (HASH,), "wall_s", 1.5),
    ("its size / restic's growth, of the files", OURS, FILES[:1], "size", 0.6),
    ("its size / restic's growth, of the drive file", OURS, DRIVES[:1], "size", None),
    ("restore of full and change in one pass, wall / of full alone", RESTORE_CHAIN, (RESTORE_FULL,), "wall_s", 1.15),
    ("consolidate full and 10 incrementals, wall / copying the result", CONSOLIDATE, (COPY,), "wall_s", 2.0),
    ("delta restore, wall / full restore over the same old state", RESTORE_DELTA, (RESTORE_OVER,), "wall_s", 0.6),
    ("backup with parity 5%, wall / without", FULL_PARITY, (FULL,), "wall_s", 1.10),
]


def limit_lines(machine, rows, refused):
    lines, all_met = [], True

    def add(what, ratio, limit):
        nonlocal all_met
        if limit is None:
            lines.append(f"| {what} | {ratio:.2f} | – | for information |")
            return
        all_met = all_met and ratio <= limit
        lines.append(f"| {what} | {ratio:.2f} | {limit:.2f} | {verdict(ratio, limit)} |")

    for what, ours, beside, prop, limit in LIMITS:
        missing = [name for name in (ours, *beside) if name not in rows]
        if missing:
            why = f"{missing[0]}: {refused.get(missing[0], 'failed')}"
            lines.append(f"| {what} | – | {'–' if limit is None else f'{limit:.2f}'} | not measured: {why} |")
            all_met = all_met and limit is None
        else:
            add(what, rows[ours].median(prop) / min(rows[name].median(prop) for name in beside), limit)
    if OURS in rows:
        add("its size / changed 4 KiB blocks in drive order, one stream of `zstd -1`",
            rows[OURS].median("size") / machine["changed_zstd_bytes"], 1.25)
    return lines, all_met


def markdown(facts, machine, rows, refused):
    limits, met = limit_lines(machine, rows, refused)
    used, changed = machine["used_bytes"], machine["changed_bytes"]
    lines = [
        "# Measured changes", "",
        f"{facts['date']}: {facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load_at_start']:.1f} "
        f"before the start. {used / 1e9:.2f} GB used on NTFS, ext4 and FAT32; medians of {facts['runs']}. 2 % of the file data "
        f"changed in place, moved, added, deleted: {changed / 1e6:.1f} MB in 4 KiB blocks, "
        f"{machine['changed_zstd_bytes'] / 1e6:.1f} MB as one stream of `zstd -1`.", "",
        "Sources and what an image builds on were in the page cache, outputs were flushed (`sync FILE`) inside the time, for "
        "everybody. restic and borg ran as their users run them: on the files of the file systems, mounted read-only (FAT's "
        "unpacked), so they read what changed by its times alone, where an image reads and hashes all that is used; and, for "
        "information, on the drive file as one stream, so that they see the same bytes. restic compresses with `auto` and "
        "encrypts, which it cannot leave; borg takes `lz4`, its fastest, and does not encrypt.", "",
        "| what | ratio | at most | |", "| --- | --- | --- | --- |", *limits, "",
        *measured_table(rows, used), "",
        "Output is what the repository grew by for restic and borg, and what was read for SHA-256. "
        "Versions: " + "; ".join(facts["versions"].values()) + ".", ""]
    return "\n".join(lines), met
