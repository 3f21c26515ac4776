# SPDX-License-Identifier: MIT
"""examples/feature_store: rows in a log train what rows in memory train."""

import filecmp
import os
import subprocess
import sys

import example
import mounted
from example import source

example.numpy()

ROWS = 1 << 19  # of 256 bytes
LIMIT = 64      # MiB: half of that


def program(name, *arguments, limited=False):
    """A program of the example; what it says and how it ended."""
    command = [sys.executable, source("feature_store", name),
               *map(str, arguments)]
    if limited:
        command[:0] = [source("feature_store", "limited"), str(LIMIT)]
    return subprocess.run(command, capture_output=True, text=True,
                          check=False, timeout=mounted.PATIENCE)


class FeatureStore(mounted.MountCase):
    """With log l full of rows."""

    options = "sync=manual,segment-size=32M"

    def setUp(self):
        super().setUp()
        self.make()
        self.run_program("fill.py", self.at("l"), ROWS)

    def run_program(self, *arguments, **named):
        done = program(*arguments, **named)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def in_work(self, name):
        return os.path.join(self.work, name)

    def train(self, where, *arguments, limited=False):
        """Trains; returns the file with the weights."""
        weights = self.in_work("limited.npy" if limited else "memory.npy")
        said = self.run_program("train.py", where, "--weights", weights,
                                *arguments, limited=limited)
        self.assertRegex(said.splitlines()[-1], r"^epoch 3: .*loss 0\.2")
        return weights

    def fresh_cache(self):
        """So that pages count against who reads them."""
        self.restart()
        for name in os.listdir(os.path.join(self.store, "l")):
            with open(os.path.join(self.store, "l", name), "rb") as file:
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def test_more_rows_than_memory_train_the_same_weights(self):
        wanted = self.train(self.at("l"), "--in-memory")
        self.fresh_cache()
        found = self.train(self.at("l"), limited=True)
        self.assertTrue(filecmp.cmp(wanted, found, shallow=False))

    def test_a_copy_of_the_rows_is_more_than_is_allowed(self):
        done = program("train.py", self.at("l"), "--in-memory", limited=True)
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_a_log_and_a_plain_file_hold_the_same_bytes(self):
        self.run_program("fill.py", self.in_work("rows.f32"), ROWS)
        self.sh('cat l/segments/*.log | cmp - "$1"', self.in_work("rows.f32"))

    def test_text_can_be_trained_on(self):
        self.run_program("fill.py", self.in_work("rows.txt"), 20000)
        self.run_program("train.py", self.in_work("rows.txt"))


class Measuring(mounted.MountCase):
    """The command that made the table and the plots."""

    @mounted.only(mounted.PASSTHROUGH, "it is run as root")
    def test_it_draws_and_fills_in_the_table(self):
        example.case_needs(self, "gnuplot")
        said = example.check_record(self, "feature_store", "--rows", 1 << 18,
                                    "--limit", 48)
        self.assertIn("the same, bit by bit", said)
        for name in ("loss.png", "memory.png"):
            self.assertGreater(os.path.getsize(os.path.join(self.work, name)),
                               1000)


if __name__ == "__main__":
    mounted.main()
