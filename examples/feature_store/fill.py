#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Appends rows of float32 to a log: each an entry, a label and 63 features.

fill.py LOG ROWS          appends them through the mount
fill.py FILE.f32 ROWS     the same rows, end to end in a plain file
fill.py FILE.txt ROWS     the same rows as text, a line each
"""

import os
import sys

import numpy

WIDTH = 64
# What the file batch of a log takes: a header, then the bytes of the entry.
FRAME = numpy.dtype([("length", "<u4"), ("zero", "<u4"), ("tag", "<u8"),
                     ("row", "<f4", WIDTH)])
CHUNK = 3000  # rows at once: one write of less than 1 MiB is one batch


def chunk(number, rows):
    """Rows that can be learnt, the same ones whenever they are asked for."""
    random = numpy.random.default_rng([7, number])
    features = random.standard_normal((rows, WIDTH - 1), dtype="f4")
    truth = numpy.linspace(-1, 1, WIDTH - 1, dtype="f4")
    chance = 1 / (1 + numpy.exp(-features @ truth))
    label = random.random(rows, dtype="f4") < chance
    return numpy.column_stack([label, features]).astype("<f4")


def main():
    where, count = sys.argv[1], int(sys.argv[2])
    is_log = os.path.isdir(where)
    with open(os.path.join(where, "batch") if is_log else where, "wb",
              buffering=0) as file:
        for number, begin in enumerate(range(0, count, CHUNK)):
            rows = chunk(number, CHUNK)[:count - begin]
            if is_log:
                frames = numpy.zeros(len(rows), FRAME)
                frames["length"], frames["row"] = rows.itemsize * WIDTH, rows
                file.write(frames)
            elif where.endswith(".txt"):
                numpy.savetxt(file, rows, "%.6g")
            else:
                file.write(rows)


main()
