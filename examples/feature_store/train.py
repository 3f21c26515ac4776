#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Logistic regression by mini-batches, over rows that are mapped, not read.

train.py SOURCE [--epochs N] [--in-memory] [--weights F] [--trace F]

SOURCE is a log of a mount, or a file of rows: .f32 or .txt, as fill.py has
made them. With --in-memory a copy of all rows is made first.
"""

import argparse
import itertools
import os
import sys
import time

import numpy

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
maplog = __import__("maplog")

WIDTH, BATCH, RATE = 64, 8192, 0.5


def arrays(source):
    """All rows, as they lie in the files: no byte is read here."""
    if os.path.isdir(source):
        log = maplog.Log(source)
        return [rows for _, rows in log.arrays(("<f4", WIDTH))]
    return [numpy.memmap(source, "<f4", "r").reshape(-1, WIDTH)]


def text_batches(source):
    """Rows that are parsed each time that they are needed."""
    with open(source, encoding="ascii") as file:
        while lines := list(itertools.islice(file, BATCH)):
            yield numpy.loadtxt(lines, "<f4", ndmin=2)


def step(weights, rows):
    """One step down the gradient of a mini-batch; returns its loss."""
    label, features = rows[:, 0], rows[:, 1:]
    chance = 1 / (1 + numpy.exp(-(features @ weights)))
    error = chance - label
    weights -= RATE * (features.T @ error) / len(rows)
    return -numpy.mean(numpy.log(numpy.abs(1 - label - chance) + 1e-7))


def memory(*fields):
    """Fields of /proc/self/status, in MiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        found = dict(line.split(":", 1) for line in status)
    return [int(found[field].split()[0]) / 1024 for field in fields]


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--weights", help="file for the result")
    parser.add_argument("--trace", default=os.devnull,
                        help="file for batch, loss, own and all MiB in memory")
    return parser.parse_args()


def main():
    args = parse()
    rows = [] if args.source.endswith(".txt") else arrays(args.source)
    if args.in_memory:
        rows = [numpy.array(array) for array in rows]
    weights = numpy.zeros(WIDTH - 1, "f4")
    number = itertools.count()
    with open(args.trace, "w", encoding="ascii") as trace:
        for epoch in range(args.epochs):
            begin, busy = time.perf_counter(), time.process_time()
            losses = []
            batches = (array[i:i + BATCH] for array in rows
                       for i in range(0, len(array), BATCH)) \
                if rows else text_batches(args.source)
            for batch in batches:
                losses.append(step(weights, batch))
                print(next(number), losses[-1],
                      *memory("RssAnon", "VmRSS"), file=trace)
            print(f"epoch {epoch + 1}: {time.perf_counter() - begin:.3f} s, "
                  f"processor {time.process_time() - busy:.3f} s, "
                  f"mean loss {numpy.mean(losses):.5f}", flush=True)
    if args.weights:
        numpy.save(args.weights, weights)


main()
