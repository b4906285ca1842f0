# SPDX-License-Identifier: GPL-3.0-or-later
"""Full backups and restores beside partclone, ntfsclone, fsarchiver, qemu-img and dd."""
import os

from bench_base import Bench
from measure import Cost, Row, data_ranges, measure, remove, shell, warm
from report import markdown


class SpeedBench(Bench):
    def run(self):
        """The page and its raw figures, and whether all limits were met."""
        self.prepare()
        facts = self.facts()
        self.machine_limits()
        self.backups()
        self.restores()
        text, met = markdown(facts, self.machine, self.rows)
        record = {"facts": facts, "machine": self.machine, "rows": [row.as_json() for row in self.rows.values()]}
        return text, record, met or self.options.peers_only

    def clone_all(self, compress, checksum, sleep, suffix):
        """partclone of each partition, one after the other, into out-N.suffix; returns command and outputs."""
        preload = "" if sleep else f"LD_PRELOAD='{self.no_sleep}' "
        mode = "" if checksum else "-a 0 "
        lines, outputs = [], []
        for part in self.parts:
            output = self.out(f"{suffix}-{part['number']}")
            lines.append(f"{preload}{part['clone']} -c {mode}-L '{self.dir}/partclone.log' -s {part['device']} -o - "
                         f"{'| ' + compress if compress else ''} > {output}")
            outputs.append(output)
        return "\n".join(lines), outputs

    def restore_all(self, sleep, suffix):
        preload = "" if sleep else f"LD_PRELOAD='{self.no_sleep}' "
        lines, outputs = [], []
        for part in self.parts:
            output = self.out(f"restored-{part['number']}")
            lines.append(f"zstd -q -d -c {self.out(suffix)}-{part['number']} | {preload}{part['clone']} -r -W "
                         f"-L '{self.dir}/partclone.log' -s - -o {output}")
            outputs.append(output)
        return "\n".join(lines), outputs

    def machine_limits(self):
        self.say("the machine's limits")
        used = self.gather_used()
        entries = {"read": f"cat {used}", "zstd -1, one thread": f"zstd -q -1 --single-thread -c {used}",
                   "SHA-256 (openssl)": f"openssl dgst -sha256 {used}",
                   "AES-256-GCM (openssl speed, MB/s)": None}
        for run in range(self.options.runs):
            for name, command in entries.items():
                if command is None:
                    continue
                warm(used, data_ranges(used))
                self.rows.setdefault(name, Row(name)).runs.append(measure(command + " >/dev/null", (), self.log))
        speed = shell("openssl speed -elapsed -seconds 1 -bytes 65536 -evp aes-256-gcm 2>/dev/null | tail -1").split()
        self.machine["aes_gcm_mb_s"] = float(speed[-1].rstrip("k")) / 1000
        zstd, sha = self.rows["zstd -1, one thread"], self.rows["SHA-256 (openssl)"]
        self.machine["floor_cpu_s"] = zstd.median("cpu_s") + sha.median("cpu_s")
        self.machine["floor_s"] = self.machine["floor_cpu_s"] / self.cores
        cost = measure(f"dd if={used} of={self.out('write.bin')} bs=1M status=none", [self.out("write.bin")], self.log)
        self.machine["write_flush_mb_s"] = cost.size / cost.wall_s / 1e6
        remove(self.out("write.bin"), used)
        for name in ("read", "zstd -1, one thread", "SHA-256 (openssl)"):
            self.rows[name].runs = [Cost(r.wall_s, r.cpu_s, r.rss_mib, self.machine["used_bytes"])
                                    for r in self.rows[name].runs]

    def backups(self):
        parts = self.parts
        fast = "zstd -q -T0 -1"
        entries = {}
        if self.tintype:
            for name, what, more in (("tintype level 1", self.source, ("/comp:1",)),
                                     ("tintype level 0", self.source, ("/comp:0",)),
                                     ("tintype level 1, encrypted", self.source, ("/comp:1", "/enc:3", "/pw:bench")),
                                     ("tintype level 1, NTFS alone", f"{self.source}@{self.ntfs['number']}",
                                      ("/comp:1",))):
                entries[name] = (*self.ours_backup(what, "ours-run", *more), ())
        for label, compress in (("zstd -T0 -1", fast), ("lz4", "lz4 -q -1"), ("no compression", "")):
            for checksum in (True, False):
                for sleep in (True, False):
                    name = (f"partclone, {label}{'' if checksum else ', -a 0'}{'' if sleep else ', sleep removed'}")
                    entries[name] = (*self.clone_all(compress, checksum, sleep, "run-pc"), parts)
        run = self.out("run-out")
        entries["ntfsclone, zstd -T0 -1, NTFS alone"] = (
            f"ntfsclone -q -f -s -o - {self.ntfs['device']} | {fast} > {run}", [run], [self.ntfs])
        entries["fsarchiver -Z 1, ext4 alone"] = (
            f"fsarchiver -o -Z 1 -j {self.cores} savefs {run}.fsa {self.ext4['device']}", [run + ".fsa"], [self.ext4])
        entries["qemu-img convert to qcow2"] = (f"qemu-img convert -f raw -O qcow2 {self.source} {run}", [run], ())
        entries["dd, zstd -T0 -1"] = (f"dd if={self.source} bs=1M status=none | {fast} > {run}", [run], ())
        self.group("backups", entries)

    def restores(self):
        image = "image-ours"
        ours = {}
        if self.tintype:
            shell(self.ours_backup(self.source, image, "/comp:1")[0])
            ours = {"tintype restore, level 1": (*self.ours_restore(image), ())}
        for checksum, label in ((True, ""), (False, ", -a 0")):
            command, images = self.clone_all("zstd -q -T0 -1", checksum, False, "image-pc")
            shell(command, cwd=self.dir)
            entries = dict(ours)
            for sleep in (True, False):
                entries[f"zstd -d, partclone{label}{'' if sleep else ', sleep removed'}"] = (
                    *self.restore_all(sleep, "image-pc"), ())
            if not checksum:
                entries["zstd -t (images of partclone -a 0)"] = (f"zstd -q -t {' '.join(images)}", [], ())
                if self.tintype:
                    entries["tintype validate"] = (f"'{self.tintype}' /v /f:{self.out(image)} /log:0 /uy", [], ())
            self.group(f"restores beside partclone{label}", entries)
            remove(*images)
        packed = self.out("image-dd")
        shell(f"dd if={self.source} bs=1M status=none | zstd -q -T0 -1 > {packed}")
        target = self.out("restored-dd")
        entries = dict(ours)
        entries["zstd -d, dd bs=1M conv=sparse"] = (
            f"zstd -q -d -c {packed} | dd of={target} bs=1M conv=sparse iflag=fullblock status=none", [target], ())
        self.group("restores beside dd", entries)
        remove(packed, self.out(image) + "*")
