# SPDX-License-Identifier: MIT
"""Time: since/, the times of entries, and lists of very many of them."""

import errno
import os
import time
import unittest

import mounted
from clients import boundaries, frame

SEC = 1000000000


def rfc3339(nsec):
    """A time as names in since/ have it."""
    seconds, rest = divmod(nsec, SEC)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + \
        f".{rest:09}Z"


class Since(mounted.MountCase):
    """Entries of three segments, found by when they were appended."""

    def setUp(self):
        super().setUp()
        self.make()
        self.lines = []
        for i in range(30):
            self.lines.append(f"line {i}\n".encode())
            self.append(self.lines[-1])
            if i % 10 == 9:
                self.control("seal")
        self.times = [os.stat(self.at("l", "entries", str(i))).st_mtime_ns
                      for i in range(30)]

    def test_an_entry_is_found_by_its_mtime(self):
        for i, when in enumerate(self.times):
            want = b"".join(self.lines[i:])
            self.assertEqual(self.read("l", "since", rfc3339(when)), want)
            after = b"".join(self.lines[i + 1:])
            self.assertEqual(self.read("l", "since", rfc3339(when + 1)), after)

    def test_a_duration_is_counted_from_now(self):
        self.assertEqual(self.read("l", "since", "10m"), b"".join(self.lines))
        self.assertEqual(self.read("l", "since", "99999d"),
                         b"".join(self.lines))
        self.assertEqual(self.read("l", "since", "0s"), b"")

    def test_each_look_up_counts_anew(self):
        # Sooner or later the last line, too, is longer ago than that.
        mounted.until(lambda: not self.read("l", "since", "100ms"),
                      "the lines are old")
        self.append("new\n")
        self.assertIn(b"new\n", self.read("l", "since", "10m"))
        mounted.until(lambda: not self.read("l", "since", "100ms"),
                      "the new line is old, too")

    def test_boundaries_of_it_can_be_read(self):
        when = rfc3339(self.times[12])
        found = boundaries(self.read("l", "since", when + ".idx"))
        self.assertEqual([b.time for b in found], self.times[12:])

    def test_it_grows_while_it_is_open(self):
        with open(self.at("l", "since", rfc3339(self.times[28])), "rb",
                  buffering=0) as file:
            self.assertEqual(file.read(), b"".join(self.lines[28:]))
            self.append("more\n")
            self.assertEqual(file.read(), b"more\n")

    def test_find_newermt_says_the_same(self):
        for i in (0, 9, 10, 17, 28):
            found = self.sh(f"find l/entries -type f -newermt "
                            f"'{rfc3339(self.times[i])}' -printf '%f\\n'")
            self.assertEqual(sorted(map(int, found.split())),
                             list(range(i + 1, 30)))

    def test_what_is_no_time_or_has_not_come_is_not_there(self):
        for name in ("x", "10", "10x", "-10m", "1h30m", "2026-11-20", ".idx",
                     "2026-11-20T10:00:00", "2026-02-30T00:00:00Z", "10m ",
                     "10m.IDX", "9" * 60, "1m\n",
                     rfc3339(time.time_ns() + 3600 * SEC)):
            self.fails(errno.ENOENT, os.stat, self.at("l", "since", name))

    def test_it_is_listed_as_empty(self):
        os.stat(self.at("l", "since", "10m"))
        self.assertEqual(os.listdir(self.at("l", "since")), [])


class Very(mounted.MountCase):
    """Very many entries."""

    COUNT = 10000000

    def fill(self):
        self.make()
        frames = b"".join(frame(b"") for _ in range(10000))
        for _ in range(self.COUNT // 10000):
            self.write(frames, "l", "batch")
        self.assertEqual(self.counters(), (0, self.COUNT))

    def resident(self):
        """Memory of the daemon's own, in KiB: not what it maps of the store."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file
                            if line.startswith("RssAnon:")).split()[1])

    @unittest.skipIf(mounted.is_sanitized(), "freed memory is kept by ASan")
    def test_all_of_them_are_listed_without_memory_that_grows(self):
        self.fill()
        before = self.resident()
        self.sh("ls -U l/entries | cmp - <(seq 0 $1)", str(self.COUNT - 1))
        # A name alone would be 30 bytes and more: 300 MB of them.
        self.assertLess(self.resident() - before, 4096)


class Hidden(mounted.MountCase):
    """A mount that does not list entries."""

    options = "sync=manual,hide-entries"

    def test_entries_are_not_listed_but_there(self):
        self.make()
        self.append("a\nb\n")
        self.assertEqual(os.listdir(self.at("l", "entries")), [])
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.assertEqual(self.sh("find l/entries -type f"), b"")
        self.options = "sync=manual,hide-entries=no"
        self.restart()
        self.assertEqual(sorted(os.listdir(self.at("l", "entries"))),
                         ["0", "1"])


if __name__ == "__main__":
    mounted.main()
