#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demo runs on a file of one's own, and says what is wrong with others."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "scripts" / "quickstart"


def can_run():
    return (os.geteuid() == 0 and os.path.exists("/dev/fuse")
            and (ROOT / "build" / "build.ninja").exists())


class Quickstart(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name
        self.demo = os.path.join(self.place, "demo")

    def file(self, lines):
        with open(os.path.join(self.place, "own"), "w",
                  encoding="ascii") as file:
            file.writelines(f"{i}\n" for i in range(lines))

    def run_it(self, *arguments):
        return subprocess.run(
            [QUICKSTART, *arguments], cwd=self.place, text=True, check=False,
            capture_output=True, env={**os.environ, "MAPLOG_DEMO": self.demo})

    def refused(self, why, *arguments):
        done = self.run_it(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"quickstart: {why}\n")
        self.assertFalse(os.path.exists(self.demo))

    def test_help_begins_with_what_it_does(self):
        done = self.run_it("--help")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("Installs, builds, mounts"))

    def test_a_file_that_is_not_there_is_named(self):
        self.refused("own: not a text file of 100 lines or more", "own")

    def test_a_file_that_is_too_short_is_named(self):
        self.file(99)
        self.refused("own: not a text file of 100 lines or more", "own")

    def test_a_second_file_is_refused(self):
        self.refused("one file at most, see scripts/quickstart --help",
                     "own", "own")

    @unittest.skipUnless(can_run(), "needs root, /dev/fuse and a build")
    def test_any_text_will_do_also_from_another_directory(self):
        self.file(100)
        self.addCleanup(self.run_it, "--stop")
        done = self.run_it("own")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("store/demo: ok entries=51", done.stdout)
        self.assertTrue(os.path.ismount(os.path.join(self.demo, "mnt")))
        self.assertEqual(self.run_it("--stop").returncode, 0)
        self.assertFalse(os.path.exists(self.demo))


if __name__ == "__main__":
    unittest.main(verbosity=2)
