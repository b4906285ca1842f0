# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of scripts/bench open: limits first, then every measurement."""
import statistics

from report import measured_table

COPY = "tintype copy, raw to raw"
DD = "dd bs=1M of the used bytes alone"
RESTORES = {kind: (f"tintype restore to a new {name}", f"tintype restore to raw, qemu-img convert to {name}")
            for kind, name in (("qcow2", "QCOW2"), ("vhd", "dynamic VHD"))}
ONE = "tintype extract, one small file"
ONE_PEERS = ("restic dump, one small file", "borg extract, one small file")
MANY = "tintype extract, 1,000 small files"
MANY_BORG = "borg extract, 1,000 small files"
OPEN = "tintype list of the encrypted image"
VALIDATE = "tintype validate"
VALIDATE_ONE = "tintype validate, one worker"
IN_ORDER = "mounted, read in order past the page cache"
IN_ORDER_CACHED = "mounted, read in order through the page cache"
AT_RANDOM = "mounted, reads at random places"

# (what, our row, the row beside it, limit) of wall times.
LIMITS = [
    ("copy of a half-full drive, wall / `dd bs=1M` of the used bytes", COPY, DD, 1.2),
    *((f"restore straight to {kind}, wall / to raw and `qemu-img convert`", *pair, 0.7) for kind, pair in RESTORES.items()),
    ("one file out of an encrypted image, wall / restic", ONE, ONE_PEERS[0], 0.25),
    ("the same / borg", ONE, ONE_PEERS[1], 0.25),
    ("1,000 small files out of it, wall / borg", MANY, MANY_BORG, 0.5),
]
THROUGHPUT = ("sequential read of a mounted image (`O_DIRECT`), bytes/s / `validate`'s", 0.7)  # at least
LATENCY = ("random 4 KiB of a mounted image, median / one chunk's read, decrypt, decompress", 1.5)


def speeds(machine, rows):
    """What is known of: bytes/s of the mount and of validate, seconds of a random read and of a chunk."""
    out = {}
    opening = rows[OPEN].median("wall_s") if OPEN in rows else None
    if opening is not None and VALIDATE in rows and IN_ORDER in rows:
        out["mount"] = machine["saved_bytes"] / rows[IN_ORDER].median("wall_s")
        out["validate"] = machine["saved_bytes"] / (rows[VALIDATE].median("wall_s") - opening)
        if IN_ORDER_CACHED in rows:
            out["cached"] = machine["saved_bytes"] / rows[IN_ORDER_CACHED].median("wall_s")
    if opening is not None and VALIDATE_ONE in rows and AT_RANDOM in rows:
        out["read"] = statistics.median(machine["latency_s"])
        out["chunk"] = (rows[VALIDATE_ONE].median("wall_s") - opening) / machine["chunks"]
    return out


def limit_lines(machine, rows, refused):
    lines, all_met = [], True

    def add(what, ratio, limit, least=False):
        nonlocal all_met
        met = ratio >= limit if least else ratio <= limit
        all_met = all_met and met
        word = "at least" if least else "at most"
        lines.append(f"| {what} | {ratio:.2f} | {word} {limit:.2f} | {'met' if met else '**not met**'} |")

    def leave_out(what, limit, rows_needed):
        nonlocal all_met
        all_met = False
        missing = next(name for name in rows_needed if name not in rows)
        lines.append(f"| {what} | – | {limit:.2f} | not measured: {missing}: {refused.get(missing, 'failed')} |")

    for what, ours, beside, limit in LIMITS:
        if ours in rows and beside in rows:
            add(what, rows[ours].median("wall_s") / rows[beside].median("wall_s"), limit)
        else:
            leave_out(what, limit, (ours, beside))
    speed = speeds(machine, rows)
    if "mount" in speed:
        add(THROUGHPUT[0], speed["mount"] / speed["validate"], THROUGHPUT[1], least=True)
    else:
        leave_out(*THROUGHPUT, (OPEN, VALIDATE, IN_ORDER))
    if "read" in speed:
        add(LATENCY[0], speed["read"] / speed["chunk"], LATENCY[1])
    else:
        leave_out(*LATENCY, (OPEN, VALIDATE_ONE, AT_RANDOM))
    return lines, all_met


def speed_lines(machine, rows):
    speed, lines = speeds(machine, rows), []
    if "mount" in speed:
        cached = (f"Through the page cache, which is then filled with it: {speed['cached'] / 1e6:.0f} MB/s, "
                  f"{speed['cached'] / speed['validate']:.2f} x. " if "cached" in speed else "")
        lines.append(f"- In order: {speed['mount'] / 1e6:.0f} MB/s through the mount, {speed['validate'] / 1e6:.0f} MB/s by `validate`, "
                     f"of {machine['saved_bytes'] / 1e6:.0f} MB saved. {cached}Peak memory of the mount: "
                     f"{rows[IN_ORDER].median('rss_mib'):.0f} MiB.")
    if "read" in speed:
        lines.append(f"- At random: {speed['read'] * 1e3:.2f} ms, the median of {machine['reads']} reads of 4 KiB, each in another chunk; "
                     f"one of {machine['chunks']} chunks takes {speed['chunk'] * 1e3:.2f} ms. Peak memory of the mount: "
                     f"{rows[AT_RANDOM].median('rss_mib'):.0f} MiB.")
    return lines


def markdown(facts, machine, rows, refused):
    limits, met = limit_lines(machine, rows, refused)
    used = machine["used_bytes"]
    lines = [
        "# Measured opening", "",
        f"{facts['date']}: {facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load_at_start']:.1f} "
        f"before the start. {used / 1e9:.2f} GB used of {facts['drive_bytes'] / 1e9:.2f} GB on NTFS, ext4 and FAT32; medians of "
        f"{facts['runs']}.", "",
        "Sources, images and repositories were in the page cache, outputs were flushed (`sync FILE`) inside the time, for everybody. "
        "Images are of level 1; files come out of an encrypted one and are read through a mount of it, those of restic and borg "
        f"(`repokey`, `lz4`) out of encrypted repositories of the same files, with the caches that their backups left. {machine['files']} "
        "small files of 1 byte to 64 KiB were drawn from all of NTFS. A mount was new for each run, so nothing was in its caches; "
        "mounting is not in its time, and opening the image (`list`) is taken off the time of `validate`.", "",
        "| what | ratio | limit | |", "| --- | --- | --- | --- |", *limits, "",
        *speed_lines(machine, rows), "",
        *measured_table(rows, used), "",
        "MB/s of used means something for copy, restore, validate and reading in order only. CPU and memory of the mounted rows are the "
        "mount's, with the reader's CPU. Output of the drives is what they take on the disk. "
        "Versions: " + "; ".join(facts["versions"].values()) + ".", ""]
    return "\n".join(lines), met
