# SPDX-License-Identifier: MIT
"""examples/simulation: nbody logs what it does, and is looked at meanwhile."""

import os
import struct
import subprocess
import sys

import example
import mounted
from example import source

numpy = example.numpy()

UPDATE = struct.Struct("<If3f3f")
PARTICLES, STEPS = 100, 3010


class Simulation(mounted.MountCase):
    """The mount shows the log that another process writes: it is mounted so
    that it does not become the writer of what it sees first."""

    options = "ro"

    def nbody(self, log, steps=STEPS):
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen(
            [os.path.join(example.BUILT, "nbody"), str(PARTICLES), str(steps),
             *([os.path.join(self.store, log)] if log else [])],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, process):
        said = process.communicate(timeout=mounted.PATIENCE)[0]
        self.assertEqual(process.returncode, 0)
        self.assertRegex(said, r"^[\d.]+ s, processor [\d.]+ s, .*/s\n$")

    def positions(self, time, *image):
        return subprocess.run(
            [sys.executable, source("simulation", "positions.py"),
             self.at("run"), str(time), *image], capture_output=True,
            text=True, check=False, timeout=mounted.PATIENCE)

    def found(self, time):
        done = self.positions(time)
        self.assertEqual(done.returncode, 0, done.stderr)
        return numpy.loadtxt(done.stdout.splitlines())

    def updates(self, step):
        """The updates of a step, counted from 0, as the mount has them."""
        first = step * PARTICLES
        data = self.read("run", "ranges", f"{first}-{first + PARTICLES - 1}")
        return list(UPDATE.iter_unpack(data))

    def test_every_update_of_every_particle_is_an_entry(self):
        self.finish(self.nbody("run"))
        self.assertEqual(self.counters("run"), (0, PARTICLES * STEPS))
        done = subprocess.run([mounted.MAPLOG, "verify",
                               os.path.join(self.store, "run")], check=False)
        self.assertEqual(done.returncode, 0)
        for step in (0, 1, STEPS - 1):
            updates = self.updates(step)
            self.assertEqual([u[0] for u in updates], list(range(PARTICLES)))
            for update in updates:
                self.assertAlmostEqual(update[1], (step + 1) / 1000, places=4)

    def test_without_a_log_nothing_is_written(self):
        self.finish(self.nbody(None, 10))
        self.assertEqual(os.listdir(self.store), [])

    def test_positions_are_those_of_the_last_update_before_a_time(self):
        self.finish(self.nbody("run"))
        for time, step in ((0.0105, 9), (1.0005, 999), (2.9999, 2998)):
            wanted = [update[2:5] for update in self.updates(step)]
            numpy.testing.assert_allclose(self.found(time), wanted, atol=1e-5)
        done = self.positions(99)
        self.assertEqual(done.stderr, "there are updates up to 3.010 only\n")

    def test_it_is_looked_at_while_it_goes_on(self):
        process = self.nbody("run", 1 << 20)
        mounted.until(lambda: os.path.exists(self.at("run", "status")) and
                      self.counters("run")[1] > 500 * PARTICLES, "it runs")
        during = self.found(0.4)
        begun = self.counters("run")[1]
        mounted.until(lambda: self.counters("run")[1] > begun, "it goes on")
        self.assertIsNone(process.poll())
        self.assertTrue((self.found(0.4) == during).all())
        process.kill()
        process.wait()
        # What is there outlives it.
        self.assertTrue((self.found(0.4) == during).all())

    def test_positions_are_drawn(self):
        example.case_needs(self, "gnuplot")
        self.finish(self.nbody("run"))
        image = os.path.join(self.work, "image.png")
        done = self.positions(1, image)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "100 particles at 1.000 of 3.010\n")
        with open(image, "rb") as file:
            self.assertEqual(file.read(4), b"\x89PNG")


class Measuring(mounted.MountCase):
    """The command that made the table and the image."""

    @mounted.only(mounted.PASSTHROUGH, "it is run as root")
    def test_it_draws_and_fills_in_the_table(self):
        example.case_needs(self, "gnuplot")
        example.check_record(self, "simulation", "--steps", "3000")


if __name__ == "__main__":
    mounted.main()
