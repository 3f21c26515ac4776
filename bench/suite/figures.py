# SPDX-License-Identifier: MIT
"""Figures: programs of the bench are run in turn, what they print is kept."""

import csv
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path


# Seconds: what takes longer hangs.
PATIENCE = 600


class Failure(Exception):
    """A program of the bench did not do its work, or not right."""


def run(command, **options):
    """Runs a program; returns {metric: (unit, value)} of what it printed."""
    try:
        done = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False, timeout=PATIENCE, **options)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{late}") from late
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    printed = {}
    for line in done.stdout.splitlines():
        metric, unit, value = line.rsplit(",", 2)
        printed[metric] = (unit, float(value))
    return printed


class Figures:
    """All values of a run, by section, row, case and metric.

    A section is a table, a row is who did it, a case is with what sizes.
    """

    COLUMNS = ("section", "row", "case", "metric", "unit",
               "median", "min", "max", "rounds")

    def __init__(self):
        self.units = {}
        self.values = {}

    def add(self, section, row, case, printed):
        for metric, (unit, value) in printed.items():
            key = (section, row, str(case), metric)
            self.units[key] = unit
            self.values.setdefault(key, []).append(value)

    def median(self, section, row, case, metric):
        """The median, or None if nothing of that kind was measured."""
        values = self.values.get((section, row, str(case), metric))
        return statistics.median(values) if values else None

    def spread(self, section, row, case, metric):
        """(median, min, max), or None."""
        values = self.values.get((section, row, str(case), metric))
        if not values:
            return None
        return statistics.median(values), min(values), max(values)

    def rows(self, section):
        """The rows of a section, in the order in which they were measured."""
        return list(dict.fromkeys(key[1] for key in self.values
                                  if key[0] == section))

    def cases(self, section):
        return list(dict.fromkeys(key[2] for key in self.values
                                  if key[0] == section))

    def write(self, path):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.COLUMNS)
            for key, values in self.values.items():
                middle = statistics.median(values)
                writer.writerow([
                    *key, self.units[key],
                    *(f"{value:.6g}" for value in
                      (middle, min(values), max(values))), len(values)])

    @classmethod
    def read(cls, path):
        """What write() has kept: of each figure its median, min and max."""
        figures = cls()
        with open(path, newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                key = tuple(line[name] for name in cls.COLUMNS[:4])
                figures.units[key] = line["unit"]
                figures.values[key] = [float(line[name]) for name in
                                       ("min", "median", "max")]
        return figures


class Bench:
    """What sections are given: where programs and room are, and how much to
    do."""

    def __init__(self, build, room, quick):
        self.build = Path(build)
        self.room = Path(room)
        self.quick = quick
        self.rounds = 2 if quick else 5
        self.figures = Figures()
        self.skipped = []

    def program(self, name):
        return self.build / "bench" / f"bench-{name}"

    def has(self, name):
        """Whether a program was built; a peer may not be installed."""
        if self.program(name).exists():
            return True
        self.skip(f"{name} was not built")
        return False

    def skip(self, why):
        line = f"SKIP: bench: {why}"
        if line not in self.skipped:
            self.skipped.append(line)
            print(line, flush=True)

    def some(self, full, quick):
        """How much to do."""
        return quick if self.quick else full

    def folder(self):
        """A new, empty directory, to be removed by its user."""
        return Path(tempfile.mkdtemp(dir=self.room, prefix="d"))

    def alternate(self, section, jobs, rounds=None):
        """Runs jobs in turn, round by round: A B A B.

        A job is (row, case, function); the function returns what run() does.
        """
        for _ in range(rounds or self.rounds):
            for row, case, job in jobs:
                self.figures.add(section, row, case, job())

    def job(self, name, **arguments):
        """A job that runs a program in a directory of its own."""
        def work():
            folder = self.folder()
            try:
                return run([self.program(name), f"dir={folder}", *(
                    f"{key.rstrip('_')}={value}"
                    for key, value in arguments.items())])
            finally:
                shutil.rmtree(folder)
        return work
