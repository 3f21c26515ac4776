#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures nbody with its log and without, and draws it while it runs.

As root, with maplogfs built: measure.py [--record] [--particles N] [--steps N]
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

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
        """Seconds by the clock, of its processor, and of all its threads."""
        self.number += logs
        name = f"run-{self.number}"
        store = f"{self.work}/store/{name}"
        with subprocess.Popen(self.command + [store] * logs,
                              stdout=subprocess.PIPE, text=True) as nbody:
            image = f"{self.out}/positions.png"
            while watched and nbody.poll() is None:
                if self.draw(name, image):  # kept as it was so early
                    image = f"{self.work}/later.png"
                time.sleep(1)
            said = nbody.communicate()[0]
        if logs:  # what it has left to be written would be in the way
            shutil.rmtree(store)
        return tuple(map(float, re.findall(r"([\d.]+) s", said)))

    def draw(self, name, image):
        """The reader; it fails as long as there is nothing to be drawn."""
        return not subprocess.run(
            [sys.executable, os.path.join(HERE, "positions.py"),
             f"{self.mnt}/{name}", "1", image], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def main():
    parser = measuring.parser(HERE, rounds=9)
    parser.add_argument("--particles", type=int, default=896)
    parser.add_argument("--steps", type=int, default=3500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maplog-") as work, \
            measuring.mount(work, "ro") as mnt:
        runs = Runs(args, work, mnt)
        without, logged, watched = measuring.alternate(
            args.rounds, runs.run, lambda: runs.run(logs=True),
            lambda: runs.run(logs=True, watched=True))
    updates = args.particles * args.steps
    rate = updates / statistics.median(clock for clock, *_ in without)
    measuring.report(args, [
        f"{args.particles} particles, {args.steps} steps, "
        f"{updates / 1e6:.1f} million updates of 32 bytes, {rate / 1e6:.1f} "
        f"million a second without output; {args.rounds} rounds; "
        f"{measuring.machine()}",
        "",
        "| a run | by the clock | ratio to no output, median (range) "
        "| its processor | ratio | all its threads | ratio |",
        "|---|---|---|---|---|---|---|",
        measuring.line("no output", without, without),
        measuring.line("logged", logged, without),
        measuring.line("logged, and drawn meanwhile", watched, without),
    ])


main()
