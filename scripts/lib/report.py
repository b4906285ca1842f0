# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the rows of scripts/bench into a Markdown page: limits first, then every measurement."""

PARTCLONE = "partclone, zstd -T0 -1"
OURS = "tintype level 1"
RESTORE = "tintype restore, level 1"

# (what, our row, the row beside it, property, limit). The rows beside have partclone's idle sleep taken out, which is
# the stricter reading for us.
LIMITS = [
    ("backup, level 1, wall / partclone, `zstd -T0 -1`", OURS, PARTCLONE + ", sleep removed", "wall_s", 0.30),
    ("the same / partclone `-a 0`", OURS, PARTCLONE + ", -a 0, sleep removed", "wall_s", 0.75),
    ("NTFS alone / ntfsclone, `zstd -T0 -1`", "tintype level 1, NTFS alone", "ntfsclone, zstd -T0 -1, NTFS alone",
     "wall_s", 0.75),
    ("size, level 1 / partclone `-a 0`, `zstd -1`", OURS, PARTCLONE + ", -a 0, sleep removed", "size", 1.02),
    ("backup, level 0, wall / `qemu-img convert`", "tintype level 0", "qemu-img convert to qcow2", "wall_s", 1.3),
    ("encrypted, level 1, wall / not encrypted", "tintype level 1, encrypted", OURS, "wall_s", 1.15),
    ("restore, wall / `zstd -d`, partclone", RESTORE, "zstd -d, partclone, sleep removed", "wall_s", 0.30),
    ("the same / `zstd -d`, partclone of `-a 0`", RESTORE, "zstd -d, partclone, -a 0, sleep removed", "wall_s", 1.0),
    ("the same / `zstd -d`, `dd conv=sparse`", RESTORE, "zstd -d, dd bs=1M conv=sparse", "wall_s", 1.2),
    ("validate, wall / `zstd -t`", "tintype validate", "zstd -t (images of partclone -a 0)", "wall_s", 0.95),
]


def verdict(ratio, limit):
    return "met" if ratio <= limit else "**not met**"


def limit_lines(machine, rows):
    lines, all_met = [], True

    def add(what, ratio, limit):
        nonlocal all_met
        all_met = all_met and ratio <= limit
        lines.append(f"| {what} | {ratio:.2f} | {limit:.2f} | {verdict(ratio, limit)} |")

    if OURS in rows:
        add("backup, level 1, wall / floor", rows[OURS].median("wall_s") / machine["floor_s"], 1.15)
    for what, ours, beside, prop, limit in LIMITS:
        if ours in rows and beside in rows:
            add(what, rows[ours].median(prop) / rows[beside].median(prop), limit)
        else:
            missing = ours if ours not in rows else beside
            lines.append(f"| {what} | – | {limit:.2f} | not measured: {missing} |")
            all_met = False
    if OURS in rows:
        add("CPU seconds, level 1 / `zstd -1` + SHA-256", rows[OURS].median("cpu_s") / machine["floor_cpu_s"], 1.25)
    return lines, all_met


def measured_table(rows, used):
    lines = ["| measured | wall s | all runs | CPU s | MB/s of used | peak RSS MiB | output MB |",
             "| --- | ---: | --- | ---: | ---: | ---: | ---: |"]
    for row in rows.values():
        wall = row.median("wall_s")
        alone = "alone" in row.name
        runs = " ".join(f"{run.wall_s:.1f}" for run in row.runs)
        lines.append(f"| {row.name} | {wall:.2f} | {runs} | {row.median('cpu_s'):.2f} | "
                     f"{'–' if alone else round(used / wall / 1e6)} | {row.median('rss_mib'):.0f} | "
                     f"{row.median('size') / 1e6:.1f} |")
    return lines


def markdown(facts, machine, rows):
    limits, met = limit_lines(machine, rows)
    used = machine["used_bytes"]
    parts = ", ".join(f"{part['kind']} {part['size'] >> 20} MiB" for part in facts["partitions"])
    lines = [
        "# Measured speed", "",
        f"{facts['date']}: {facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load_at_start']:.1f} "
        f"before the start. {used / 1e9:.2f} GB used on {parts}; medians of {facts['runs']}.", "",
        "Sources were in the page cache, outputs were flushed (`sync FILE`) inside the time, for everybody. partclone joins a "
        "progress thread that sleeps 2 s at a time: each partclone row was measured as it is and once more with that "
        "sleep cut to 50 ms by a preloaded `sleep`; the limits are judged against the second, faster figure. "
        "partclone ran once per partition, one after the other, on loop devices.", "",
        f"Floor: {machine['floor_cpu_s']:.2f} CPU s (`zstd -1` and SHA-256 over the used bytes) / {facts['cores']} cores "
        f"= {machine['floor_s']:.2f} s. AES-256-GCM: {machine['aes_gcm_mb_s']:.0f} MB/s on one core. "
        f"Write with flush: {machine['write_flush_mb_s']:.0f} MB/s.", "",
        "| what | ratio | at most | |", "| --- | --- | --- | --- |", *limits, "",
        *measured_table(rows, used),
    ]
    lines += ["", "Versions: " + "; ".join(facts["versions"].values()) + ".", ""]
    return "\n".join(lines), met
