# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of scripts/bench chains: growth curves with their limits."""
from report import verdict

MOST_MIB = 256  # at any size
GROWTH = 1.25  # from the smallest drive to the largest
OPEN_S = 1.0  # list --file of the longest chain
RUNS = ("full", "differential", "incremental", "dry-run", "validate")


def limit_lines(memory, opening):
    lines, met = [], True

    def add(what, figure, limit, unit=""):
        nonlocal met
        met = met and figure <= limit
        lines.append(f"| {what} | {figure:.2f}{unit} | {limit:.2f}{unit} | {verdict(figure, limit)} |")

    for kind in dict.fromkeys(row["kind"] for row in memory):
        rows = [row for row in memory if row["kind"] == kind]
        first, last = rows[0], rows[-1]
        for run in RUNS:
            add(f"{kind}, {run}: peak memory, {last['tib']} TiB / {first['tib']} TiB", last[run] / first[run], GROWTH)
        add(f"{kind}: peak memory, the most of all", max(row[run] for row in rows for run in RUNS), MOST_MIB, " MiB")
    if opening:
        add(f"list --file, a chain of {opening[-1]['links']} links", opening[-1]["list_s"], OPEN_S, " s")
    return lines, met


def markdown(facts, memory, opening):
    limits, met = limit_lines(memory, opening)
    lines = [
        "# Growth of chains", "",
        f"{facts['date']}: {facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load_at_start']:.1f} "
        "before the start.", "",
        "| what | figure | at most | |", "| --- | --- | --- | --- |", *limits, "",
        "## Memory over the size of the drive", "",
        "A sparse drive with 256 MiB of files in 2048 folders and the file system's own tables (those of NTFS, and ext4's group "
        "tables, grow with the drive). Before the differential and the incremental image 1 % of the files get other bytes. Peak RSS in MiB; "
        "`restore --dry-run` and `validate` are of the chain of three.", "",
        "| file system | TiB | full | differential | incremental | restore --dry-run | validate | drive on disk MB | images MB |",
        "| --- | " + "---: | " * 8,
        *(f"| {row['kind']} | {row['tib']} | " + " | ".join(f"{row[run]:.0f}" for run in RUNS) +
          f" | {row['on_disk_mb']:.0f} | {row['images_mb']:.1f} |" for row in memory), "",
        "## Time over the length of a chain", "",
        "A drive of 64 MiB, 16 small changes before each incremental image; the files are in the page cache; medians. `list --file` "
        "opens the newest image, `restore --dry-run` checks every link too.", "",
        "| links | list s | read kB | peak RSS MiB | restore --dry-run s | read kB | peak RSS MiB | newest image kB |",
        "| " + "---: | " * 8,
        *(f"| {row['links']} | {row['list_s']:.3f} | {row['list_read'] / 1e3:.0f} | {row['list_rss_mib']:.0f} | "
          f"{row['dry-run_s']:.3f} | {row['dry-run_read'] / 1e3:.0f} | {row['dry-run_rss_mib']:.0f} | "
          f"{row['size'] / 1e3:.1f} |" for row in opening), ""]
    return "\n".join(line.rstrip() for line in lines), met
