# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of what changed: their cost beside restic and borg, and what chains, delta restores and parity cost."""
import contextlib
import os
import shutil
import subprocess

import bench_peers as peers
import report_changes as report
from bench_base import SCRIPTS, Entry
from bench_images import ImagesBench
from measure import Failed, measure, remove, shell

LINKS = 10  # incrementals that are consolidated


class ChangesBench(ImagesBench):
    SCRATCH = (*ImagesBench.SCRATCH, "state-*")

    def run(self):
        self.prepare()
        self.prepare_states()
        facts = self.facts()
        facts["versions"].update(restic=shell("restic version"), borg=shell("borg --version"))
        self.full = self.image("image-full", self.source)
        self.second_backups_of_files()
        self.second_backups_of_drives()
        self.sizes()
        changed = self.image("image-changed", self.changed, "--base", self.full)
        self.restores(changed)
        remove(changed + "*")
        self.parity()
        self.consolidation()
        text, met = report.markdown(facts, self.machine, self.rows, self.refused)
        record = {"facts": facts, "machine": self.machine, "rows": [row.as_json() for row in self.rows.values()],
                  "refused": self.refused}
        return text, record, met

    def prepare_states(self):
        """The drive a day later, and the used bytes of that state."""
        self.changed = self.source.replace(".raw", "-changed.raw")
        if not os.path.exists(self.changed):
            self.say(f"making {self.changed}")
            self.machine["changes"] = self.copy_and_change(self.source, self.changed + ".new", 1)
            os.rename(self.changed + ".new", self.changed)
        self.changed_parts = self.partitions(self.changed)
        self.used = self.out("used.ranges")
        with open(self.used, "w") as out:
            for part in self.changed_parts:
                domain = self.out("used.domain")
                remove(domain)
                shell(f"LD_PRELOAD='{self.no_sleep}' {part['clone']} -D -q -L '{self.dir}/partclone.log' "
                      f"--offset_domain={part['offset']} -s {part['device']} -o '{domain}'")
                with open(domain) as lines:
                    rows = [line.split() for line in lines if line.rstrip().endswith("+")]
                out.writelines(f"{int(at, 16)} {int(size, 16)}\n" for at, size, _ in rows)
        with open(self.used) as lines:
            self.machine["used_bytes"] = sum(int(line.split()[1]) for line in lines)

    def copy_and_change(self, old, new, seed):
        remove(new)
        shell(f"cp --sparse=always '{old}' '{new}'")
        return shell(f"'{SCRIPTS}/change-source' --seed {seed} '{new}'")

    # --- groups

    def tintype_second(self):
        command, outputs = self.backup(self.changed, "run-changed", "--base", self.full)
        return Entry(command, outputs, before=self.warmer(self.changed, self.full))

    def second_backups_of_files(self):
        self.say("first backups of files")
        fat, root, pair = self.out("peer-fat"), self.out("peer-files"), peers.of_files(self)
        peers.unpack_fat(self.source, self.parts, fat)
        with contextlib.closing(peers.Files(self, root, fat, self.source, self.parts)) as files:
            for peer in pair:
                peer.first(root)
            devices = files.devices
        peers.unpack_fat(self.changed, self.changed_parts, fat + "-new")
        peers.update_folder(fat, fat + "-new")
        with contextlib.closing(peers.Files(self, root, fat, self.changed, self.changed_parts, devices)) as files:
            entries = {report.OURS: self.tintype_second()}
            for peer in pair:
                entries[f"{peer.name}, second backup of the files"] = peer.second(root, files.warm)
            hash_all = f"'{SCRIPTS}/lib/hash-used' '{self.changed}' '{self.used}' {self.cores}"
            entries[report.HASH] = Entry(hash_all, before=self.warmer(self.changed),
                                         size=lambda: self.machine["used_bytes"])
            self.group("changes only, beside second backups of the files", entries)
        for peer in pair:
            peer.close()
        shutil.rmtree(fat)

    def second_backups_of_drives(self):
        """The same bytes as an image holds, for information: both states of the drive as one stream each."""
        for peer in peers.of_drives(self):
            self.say(f"first backup of the drive: {peer.name}")
            peer.first(self.source)
            name = f"{peer.name.removesuffix('-drive')}, second backup of the drive file"
            self.group(name, {name: peer.second(self.changed, self.warmer(self.changed))})
            peer.close()

    def sizes(self):
        self.say("changed blocks")
        stream = self.out("used.changed")
        told = subprocess.run(["bash", "-c", f"set -o pipefail; '{SCRIPTS}/lib/changed-blocks' '{self.source}' "
                               f"'{self.changed}' '{self.used}' | zstd -q -1 --single-thread -c > '{stream}'"],
                              capture_output=True, text=True, check=False)
        if told.returncode:
            raise Failed(told.stderr)
        self.machine["changed_bytes"] = int(told.stderr) * 4096
        self.machine["changed_zstd_bytes"] = os.path.getsize(stream)
        remove(stream)

    def restore(self, image, target, *more):
        return self.ours("restore", "--file", image, "--drive", target, "--overwrite", *more), [target]

    def restores(self, changed):
        target, size = self.out("restored.raw"), os.path.getsize(self.source)
        entries = {}
        for name, image in ((report.RESTORE_FULL, self.full), (report.RESTORE_CHAIN, changed)):
            command, outputs = self.restore(image, target)
            entries[name] = Entry(f"truncate -s {size} {target}\n{command}", outputs, before=self.warmer(self.full, changed))
        self.group("restores", entries)

        def old_state():
            shell(f"cp --sparse=always '{self.source}' '{target}'; sync '{target}'")
            self.warmer(target, self.full, changed)()

        entries = {report.RESTORE_OVER: Entry(*self.restore(changed, target), before=old_state),
                   report.RESTORE_DELTA: Entry(*self.restore(changed, target, "--delta"), before=old_state,
                                               may_be_refused=True)}
        self.group("restores over the old state", entries)

    def parity(self):
        entries = {}
        for name, more in ((report.FULL, ()), (report.FULL_PARITY, ("--parity", "5"))):
            command, outputs = self.backup(self.source, "run-parity", *more)
            entries[name] = Entry(command, outputs, before=self.warmer(self.source), may_be_refused=bool(more))
        self.group("parity", entries)

    def consolidation(self):
        result = self.out("image-result")
        command = self.ours("consolidate", "--file", self.out(f"image-day-{LINKS}"), "--to", "{}", "--no-post-validate")
        self.say(f"{LINKS} incrementals")
        work, base = self.out("state-day.raw"), self.full
        shell(f"cp --sparse=always '{self.source}' '{work}'")
        for day in range(1, LINKS + 1):
            shell(f"'{SCRIPTS}/change-source' --seed {day} '{work}'")
            base = self.image(f"image-day-{day}", work, "--base", base)
        remove(work)
        try:
            measure(command.format(result), (), self.log)
        except Failed as failure:
            if not self.was_refused(report.CONSOLIDATE, failure):
                raise
            return
        chain = [self.out(f"image-day-{day}") for day in range(1, LINKS + 1)]
        output, copy = self.out("run-result"), self.out("run-copy")
        copying = "\n".join(f"cp '{file}' '{copy}-{number}'" for number, file in enumerate(self.files_of(result)))
        self.group("consolidation", {
            report.CONSOLIDATE: Entry(command.format(output), [output + "*"], before=self.warmer(self.full, *chain)),
            report.COPY: Entry(copying, [copy + "*"], before=self.warmer(result))})
