#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/operations.md: each command in it does what is written there."""

import os
import re
import signal
import subprocess

import mounted

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SEGMENT = "00000000000000000000.log"


def page():
    path = os.path.join(ROOT, "docs", "operations.md")
    with open(path, encoding="utf-8") as file:
        return file.read()


def blocks(section):
    """The console blocks of a section, as [(command, what it says)]."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", page(),
                     re.M | re.S)[1]
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        yield re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)


@mounted.only(mounted.PASSTHROUGH, "it is written for root")
class Operations(mounted.MountCase):
    options = ""

    def setUp(self):
        super().setUp()
        self.make("orders")
        self.append("".join(f"{i}\n" for i in range(1, 101)), "orders")
        self.addCleanup(self.unmount)

    def unmount(self):
        while mounted.is_mounted(self.mnt):
            subprocess.run(["umount", "-q", "-l", self.mnt], check=False)

    def works(self, section, between=lambda: None):
        """Runs all commands of a section, each block in one shell."""
        ran = 0
        for block in blocks(section):
            if ran:
                between()
            with open(os.path.join(self.work, "out"), "w+b") as out, \
                    self.shell(out) as shell:
                for command, wanted in block:
                    self.check(shell, out, command, wanted)
                    ran += 1
                shell.stdin.close()
                shell.wait(mounted.PATIENCE)
        self.assertGreater(ran, 0, section)

    def shell(self, out):
        path = [os.path.dirname(mounted.MAPLOG),
                os.path.dirname(mounted.MAPLOGFS), os.environ["PATH"]]
        return subprocess.Popen(
            ["bash"], cwd=self.work, stdin=subprocess.PIPE, stdout=out,
            stderr=out, env={**os.environ, "PATH": ":".join(path)})

    def check(self, shell, out, command, wanted):
        """Three dots stand for anything within a line."""
        marker = os.path.join(self.work, "done")
        start = os.fstat(out.fileno()).st_size
        shell.stdin.write(f"{command}\n>{marker}\n".encode())
        shell.stdin.flush()
        mounted.until(lambda: os.path.exists(marker), command)
        os.unlink(marker)
        said = os.pread(out.fileno(), 1 << 20, start).decode()
        # bash says where a script is that it cannot go on with.
        said = re.sub(r"(?m)^bash: line \d+: (?=.*Killed)\s*\d* *", "", said)
        said = re.sub(r"(?m)^(Killed) .*$", r"\1", said)
        pattern = re.escape(wanted).replace(re.escape("..."), ".*")
        self.assertRegex(said, rf"\A{pattern}\Z", command)

    def test_the_daemon_is_gone(self):
        self.daemon.kill()
        self.works("The daemon is gone")

    def test_nothing_returns(self):
        if not os.listdir("/sys/fs/fuse/connections"):
            subprocess.run(["mount", "-t", "fusectl", "none",
                            "/sys/fs/fuse/connections"], check=True)
        self.daemon.halt()
        self.addCleanup(self.daemon.process.send_signal, signal.SIGCONT)
        self.works("Nothing returns")
        self.daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)

    def test_an_entry_is_damaged(self):
        with open(os.path.join(self.store, "orders", SEGMENT), "r+b") as file:
            file.seek(4)
            file.write(b"2")  # instead of 3: one bit
        self.works("An entry is damaged", self.stop)

    def test_the_disk_is_full(self):
        self.stop()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "none",
                        self.store], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.store],
                        check=True)
        self.start("-o", "segment-size=1M,sync=manual")
        self.make("orders")
        self.works("The disk is full")
        self.assertIn("maplog_append_errors_total",
                      self.read(".maplog", "metrics").decode())
        self.append("and on it goes\n", "orders")

    def test_somebody_else_writes(self):
        self.make("old")
        self.stop()
        other = subprocess.Popen(  # pylint: disable=consider-using-with
            [mounted.MAPLOG, "append", "-v", "-b", "1",
             os.path.join(self.store, "orders")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        other.stdin.write(b"x\n")
        other.stdin.flush()
        other.stdout.readline()
        self.start()
        self.works("Somebody else writes")
        other.communicate()
        self.append("x\n", "orders")

    def test_a_tail_was_cut_off(self):
        self.control("set sync manual", "orders")
        self.append("lost\n", "orders")
        size = int(self.status("orders", "status")["bytes"])
        self.daemon.kill()
        with open(os.path.join(self.store, "orders", SEGMENT), "r+b") as file:
            file.seek(size - 3)
            file.write(b"X")
        self.start()
        self.works("A tail was cut off")

    def test_a_log_is_to_go(self):
        self.works("A log is to go")

    def test_it_cannot_be_unmounted(self):
        with open(self.at("orders", "status"), "rb"):
            self.works("It cannot be unmounted")

    def test_every_section_is_tried(self):
        sections = re.findall(r"^## (.*)$", page(), re.M)
        tests = [name for name in dir(self) if name.startswith("test_")]
        for section in sections:
            if section != "Metrics":  # metrics.py tries it
                name = "test_" + section.lower().replace(" ", "_")
                self.assertIn(name, tests)

    def test_every_link_leads_somewhere(self):
        anchors = {section.lower().replace(" ", "-")
                   for section in re.findall(r"^## (.*)$", page(), re.M)}
        links = re.findall(r"\(#([a-z-]+)\)", page())
        self.assertLessEqual(set(links), anchors)
        self.assertGreater(len(links), 5)


if __name__ == "__main__":
    mounted.main()
