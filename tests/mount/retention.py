# SPDX-License-Identifier: MIT
"""Retention: a mount drops old segments by itself, and what it waits for."""

import errno
import os
import subprocess

import mounted

LINE = b"x" * 999 + b"\n"


class Retention(mounted.MountCase):
    """Segments of 10 lines, 10000 bytes each."""

    def setUp(self):
        super().setUp()
        self.make()

    def fill(self, segments):
        for _ in range(segments):
            self.append(LINE * 10)
            self.control("seal")

    def first_is(self, index):
        mounted.until(lambda: self.counters()[0] == index,
                      f"the log begins with {index}")

    def test_old_segments_go_when_there_are_bytes_enough(self):
        self.fill(5)
        self.assertIn("there is no limit", self.status()["kept"])
        before = int(self.status()["disk"])
        self.assertGreater(before, 50000)
        self.control("set retain-bytes 20000")
        self.first_is(30)
        mounted.until(lambda: int(self.status()["disk"]) < before,
                      "there is more room on the disk")
        self.assertIn("within the limits", self.status()["kept"])
        mounted.until(lambda: len(os.listdir(self.at("l", "segments"))) == 6,
                      "three segments are left")
        # And those that come.
        self.fill(2)
        self.first_is(50)
        self.says("l: dropped the entries before 50")

    def test_old_segments_go_when_they_are_old(self):
        self.control("set retain-age 1h")
        self.fill(2)
        self.append(LINE)
        self.control("set retain-age 100ms")
        self.first_is(21)
        self.assertEqual(os.listdir(self.at("l", "entries")), [])

    def test_names_of_what_was_dropped_are_gone(self):
        self.fill(3)
        names = [self.at("l", *name) for name in (
            ("entries", "0"), ("ranges", "0-5"), ("ranges", "5-25"),
            ("segments", "0" * 20 + ".log"), ("segments", "0" * 20 + ".idx"))]
        for name in names:
            os.stat(name)
        with open(names[0], "rb") as entry, open(names[3], "rb") as segment:
            self.control("set retain-bytes 10000")
            self.first_is(20)
            for name in names:
                mounted.until(lambda n=name: not os.path.exists(n), name)
                self.fails(errno.ENOENT, os.stat, name)
            self.assertEqual(entry.read(), LINE)
            self.assertEqual(segment.read(), LINE * 10)

    def test_a_named_reader_is_waited_for_unless_told_otherwise(self):
        self.fill(3)
        self.append(LINE)
        path = os.path.join(self.store, "l")
        with subprocess.Popen(
                [mounted.MAPLOG, "follow", "--name", "slow", "--from", "12",
                 path], stdout=subprocess.DEVNULL) as reader:
            mounted.until(lambda: self.status().get("reader") ==
                          "slow next=31 lag=0", "it has read all")
            self.fill(1)
            mounted.until(lambda: self.status()["reader"] ==
                          "slow next=41 lag=0", "it has read what came")
            reader.terminate()
        self.append(LINE * 15)
        self.control("seal")
        self.append(LINE * 5)
        self.assertEqual(self.status()["reader"], "slow next=41 lag=20")
        self.control("set retain-bytes 1")
        self.first_is(41)
        self.assertIn("slow has read up to 41", self.status()["kept"])
        self.control("set retain-unread drop")
        self.first_is(56)

    def test_limits_can_be_given_to_the_mount(self):
        self.options = "sync=manual,retain-bytes=10000"
        self.restart()
        self.make("new")
        self.assertEqual(self.status("new", "status")["retain-bytes"],
                         "10000")
        for _ in range(3):
            self.append(LINE * 10, "new")
            self.control("seal", "new")
        mounted.until(lambda: self.counters("new")[0] == 20, "dropped")


if __name__ == "__main__":
    mounted.main()
