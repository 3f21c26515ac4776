#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures nbody with its log and without, and draws it while it runs.

As root, with maplogfs built: measure.py [--particles N] [--steps N]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, ".."))
measuring = __import__("measuring")
NBODY = os.path.join(os.environ.get("EXAMPLES", os.path.join(
    measuring.BUILD, "examples")), "nbody")


class Runs:
    """Runs of nbody, each with a log of its own or without one."""

    def __init__(self, args, work, mnt):
        self.command = [NBODY, str(args.particles), str(args.steps)]
        self.work, self.mnt, self.out, self.number = work, mnt, args.out, 0

    def run(self, logs=False, watched=False):
        """(seconds, seconds of its processor) of a run."""
        self.number += logs
        name = f"run-{self.number}"
        command = self.command + [f"{self.work}/store/{name}"] * logs
        with subprocess.Popen(command, stdout=subprocess.PIPE,
                              text=True) as nbody:
            while watched and nbody.poll() is None:
                self.draw(name)
            said = nbody.communicate()[0]
        return tuple(map(float, re.findall(r"([\d.]+) s", said)))

    def draw(self, name):
        """The reader; it fails as long as there is nothing to be drawn."""
        subprocess.run(
            [sys.executable, os.path.join(HERE, "positions.py"),
             f"{self.mnt}/{name}", "1", f"{self.out}/positions.png"],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--particles", type=int, default=384)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", default=HERE, help="folder for the image")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maplog-") as work, \
            measuring.mount(work, "ro") as mnt:
        runs = Runs(args, work, mnt)
        without, logged, watched = measuring.alternate(
            args.rounds, runs.run, lambda: runs.run(logs=True),
            lambda: runs.run(logs=True, watched=True))
    updates = args.particles * args.steps
    print(f"{args.particles} particles, {args.steps} steps, "
          f"{updates / 1e6:.1f} million updates of 32 bytes; "
          f"{args.rounds} rounds; {measuring.machine()}\n")
    print("| a run | median time of its processor | updates in a second of it "
          "| ratio to no output, median (range) | ratio by the clock |")
    print("|---|---|---|---|---|")
    for what, found in (("no output", without), ("logged", logged),
                        ("logged, and drawn meanwhile", watched)):
        clock, busy = zip(*found)
        none_clock, none_busy = zip(*without)
        print(f"| {what} | {statistics.median(busy):.2f} s "
              f"| {updates / statistics.median(busy) / 1e6:.1f} million "
              f"| {measuring.ratios(busy, none_busy)} "
              f"| {measuring.ratios(clock, none_clock)} |")


main()
