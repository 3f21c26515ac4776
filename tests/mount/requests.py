#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requests: how many there are, and who waits for whom."""

import errno
import os
import re
import time
import unittest

import mounted
from churn import GONE
from clients import Child, Mapping

# Longer than one thread is left alone with what it works on.
LONG = 700000


class Counted(mounted.MountCase):
    """A daemon that prints every request."""

    def setUp(self):
        super().setUp()
        self.restart("-d")
        self.make()
        # The directory is known, and its mode.
        os.stat(self.at("l", "entries"))

    def requests(self):
        """What was asked so far; nobody waits for an answer to the rest."""
        return [name for name in re.findall(r"opcode: (\w+) ", self.said())
                if name not in ("FORGET", "BATCH_FORGET", "RELEASE")]

    def requests_of(self, work):
        before = len(self.requests())
        work()
        return self.requests()[before:]

    def test_an_entry_is_read_with_a_look_up_and_an_open(self):
        self.append("first\nsecond\n")
        self.assertEqual(
            self.requests_of(lambda: self.read("l", "entries", "1")),
            ["LOOKUP", "OPEN"])
        self.assertEqual(self.entry(1), b"second\n")

    def test_an_entry_that_is_known_is_read_with_an_open(self):
        self.append("first\nsecond\n")
        self.read("l", "entries", "1")
        self.assertEqual(
            self.requests_of(lambda: self.read("l", "entries", "1")),
            ["OPEN"])

    def test_a_small_range_is_read_with_a_look_up_and_an_open(self):
        self.append("first\nsecond\nthird\n")
        os.stat(self.at("l", "ranges"))
        self.assertEqual(
            self.requests_of(lambda: self.read("l", "ranges", "0-1")),
            ["LOOKUP", "OPEN"])
        self.assertEqual(self.read("l", "ranges", "0-1"), b"first\nsecond\n")

    def test_a_large_entry_is_asked_for_when_it_is_read(self):
        self.append(b"x" * 100000 + b"\n")
        fd = os.open(self.at("l", "entries", "0"), os.O_RDONLY)
        self.addCleanup(os.close, fd)
        self.assertIn("READ", self.requests_of(lambda: os.read(fd, 10)))

    @mounted.only(mounted.PASSTHROUGH, "needs the rights to ask for it")
    def test_a_large_range_is_read_with_large_requests(self):
        for _ in range(8):
            self.append((b"x" * 65535 + b"\n") * 16)
        asked = self.requests_of(lambda: self.read("l", "ranges", "0-127"))
        self.assertLess(asked.count("READ"), 20)


class Waiting(mounted.MountCase):
    """A daemon that is slow at something."""

    options = "sync=always"

    def test_a_request_that_takes_long_holds_up_no_other(self):
        self.make()
        self.append("one\n")
        control = os.open(self.at("l", "control"), os.O_RDWR)
        self.addCleanup(os.close, control)
        trace = self.delay("newfstatat,fstat", 100 * LONG)
        self.beside("stat", "l/entries/0")
        # Before whoever waits for the daemon.
        self.addCleanup(trace.kill)
        mounted.until(lambda: "fstat" in self.traced(), "somebody waits")
        os.write(control, b"sync\n")
        self.assertEqual(os.read(control, 100), b"ok durable=1\n")
        self.assertNotIn("DELAYED", self.traced())

    def traced(self):
        """What the daemon has called; DELAYED is what has returned late."""
        with open(os.path.join(self.work, "trace"), encoding="utf-8") as file:
            return file.read()

    def test_no_request_overtakes_what_a_close_appends(self):
        self.make()
        self.delay("fdatasync", LONG)
        self.append("no newline")
        self.assertEqual(self.counters(), (0, 1))


class Taken(mounted.MountCase):
    """What may happen to a request on its way to the daemon."""

    def requests_end(self, error):
        """The daemon is told so when it takes the next request, and ends."""
        self.inject("read", f"error={error}", "-P", "/dev/fuse")
        # It may have been one that nobody waits for, a moment before.
        self.fails((*GONE, errno.ENOENT), os.stat, self.at("unknown"))
        self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)
        self.assertFalse(mounted.is_mounted(self.mnt))

    @unittest.skipIf(mounted.is_sanitized(), "LSan cannot work under strace")
    def test_an_unmount_that_comes_in_between_is_no_error(self):
        for error in ("ENODEV", "ECONNABORTED"):
            self.requests_end(error)
            self.assertEqual(self.said(), "")
            self.start()


class Ending(mounted.MountCase):
    """A signal in the middle of requests."""

    options = "sync=manual,segment-size=1M"

    def until_it_is_gone(self, work):
        """Does it again and again. EFAULT is what a mapping says then."""
        fd = os.open(self.at("l", "ranges", "0-"), os.O_RDONLY)
        self.ready()
        try:
            while True:
                work(fd)
        except OSError as error:
            if error.errno not in (*GONE, errno.ENOENT, errno.EFAULT):
                raise

    def read_the_end(self, fd):
        size = os.fstat(fd).st_size
        with Mapping(fd, size) as mapping:
            mapping.read(max(0, size - 40000), min(size, 40000))

    def append_some(self, _):
        self.append("x" * 3000 + "\n")

    def test_pages_that_are_to_be_dropped_and_read_do_not_keep_it(self):
        self.make()
        self.append("x\n")
        for _ in range(10):
            told, tell = os.pipe()
            self.ready = lambda fd=tell: os.write(fd, b".")
            children = [Child(self, self.until_it_is_gone, work) for work in
                        [self.append_some] * 2 + [self.read_the_end] * 4]
            for _ in children:
                os.read(told, 1)
            time.sleep(0.05)
            self.daemon.process.terminate()
            self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)
            for child in children:
                child.done()
            self.start()


class Ring(mounted.MountCase):
    """Requests that come by io_uring, where libfuse and the kernel can."""

    options = "sync=manual,io_uring"

    def test_the_status_says_whether_or_why_not(self):
        self.assertRegex(self.status(".maplog", "status")["io_uring"],
                         r"^(yes|no \((needs libfuse|off in|the kernel).*\))$")

    def test_it_is_off_by_default(self):
        self.options = "sync=manual"
        self.restart()
        self.assertEqual(self.status(".maplog", "status")["io_uring"],
                         "no (switched off)")

    def test_the_mount_works_with_it_or_without(self):
        self.make()
        self.append("one\ntwo\n")
        self.assertEqual(self.entries(), [b"one\n", b"two\n"])
        self.restart()
        self.assertEqual(self.read("l", "ranges", "0-1"), b"one\ntwo\n")


if __name__ == "__main__":
    mounted.main()
