#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures train.py: prints the table of README.md, draws its two plots.

As root, with maplogfs built: measure.py [--record] [--rows N] [--limit MIB]
"""

import filecmp
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, ".."))
measuring = __import__("measuring")

PART = 16  # of the rows are text as well

PLOT = """
set terminal pngcairo size 760,380 font ",10"
set grid
set output out."/loss.png"
set xlabel "mini-batch"
set ylabel "loss"
plot memory using 1:2 with lines lw 4 lc rgb "#c0d0e0" title "in memory", \\
     log using 1:2 with lines lw 1 lc rgb "#204060" \\
     title "mapped, ".limit." MiB allowed"
set output out."/memory.png"
set ylabel "MiB in memory"
set yrange [0:*]
set key right center
plot real(rows) with lines dt 2 lc "gray" title "all rows", \\
     memory using 1:4 with lines lw 2 title "in memory, no limit", \\
     log using 1:4 with lines lw 2 title "mapped: file pages and its own", \\
     log using 1:3 with lines lw 2 title "mapped: its own only", \\
     real(limit) with lines dt 3 lc "black" title "allowed"
"""


def python(name, *arguments, limit=None):
    """Runs a program of this folder; returns what it says, None if killed."""
    command = [sys.executable, os.path.join(HERE, name), *map(str, arguments)]
    if limit:
        command[:0] = [os.path.join(HERE, "limited"), str(limit)]
    done = subprocess.run(command, check=False, text=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL if limit else None)
    return None if done.returncode else done.stdout


def epoch(*arguments, limit=None, part=1):
    """Seconds for an epoch, by the clock and of the processor: the medians of
    one run's epochs. It may have been a part of the rows only."""
    said = python("train.py", *arguments, limit=limit)
    found = re.findall(r"\d: ([\d.]+) s, processor ([\d.]+) s,", said)
    return tuple(part * statistics.median(map(float, numbers))
                 for numbers in zip(*found))


def fill(args, work, log):
    os.mkdir(log)
    python("fill.py", log, args.rows)
    os.mkdir(f"{work}/plain")
    python("fill.py", f"{work}/plain/rows.f32", args.rows)
    python("fill.py", f"{work}/plain/rows.txt", args.rows // PART)


def measure(args, work, log):
    plain, text = f"{work}/plain/rows.f32", f"{work}/plain/rows.txt"
    weights = [f"{work}/memory.npy", f"{work}/limited.npy"]
    traces = [f"{work}/memory.txt", f"{work}/limited.txt"]
    python("train.py", log, "--in-memory", "--weights", weights[0],
           "--trace", traces[0])
    measuring.drop_cache(f"{work}/store")
    python("train.py", log, "--weights", weights[1], "--trace", traces[1],
           limit=args.limit)
    refused = python("train.py", log, "--in-memory", limit=args.limit)

    warm = measuring.alternate(
        args.rounds, lambda: epoch(log), lambda: epoch(plain),
        lambda: epoch(text, "--epochs", 1, part=PART))

    def cold(place):
        measuring.drop_cache(f"{work}/store", f"{work}/plain")
        return epoch(place, limit=args.limit)

    tight = measuring.alternate(args.rounds, lambda: cold(log),
                                lambda: cold(plain))
    size = args.rows * 256 >> 20
    measuring.gnuplot(PLOT, memory=traces[0], log=traces[1], out=args.out,
                      rows=size, limit=args.limit)
    few = f"{args.limit} MiB of memory, from disk"
    same = filecmp.cmp(*weights, shallow=False)
    measuring.report(args, [
        f"{args.rows} rows of 64 float32, {size} MiB; {args.rounds} rounds; "
        f"{measuring.machine()}",
        "",
        "| an epoch over | by the clock | ratio to memmap, median (range) "
        "| of the processor | ratio |",
        "|---|---|---|---|---|",
        measuring.line("the log, mapped", warm[0], warm[1]),
        measuring.line("numpy.memmap of a plain file", warm[1], warm[1]),
        measuring.line(f"text, parsed in each batch (1/{PART} of it, scaled)",
                       warm[2], warm[1]),
        measuring.line(f"the log, {few}", tight[0], tight[1]),
        measuring.line(f"the memmap, {few}", tight[1], tight[1]),
        "",
        f"Weights with {args.limit} MiB and in memory: "
        f"{'the same, bit by bit' if same else 'DIFFERENT'}. In memory with "
        f"{args.limit} MiB: {'it worked' if refused else 'killed'}.",
    ])
    return same and refused is None


def main():
    parser = measuring.parser(HERE, rounds=11)
    parser.add_argument("--rows", type=int, default=1 << 22)
    parser.add_argument("--limit", type=int, default=256, metavar="MIB")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maplog-") as work:
        with measuring.mount(work, "sync=manual") as mnt:
            fill(args, work, f"{mnt}/rows")
        # Mounted anew, so that nobody has the files mapped already.
        with measuring.mount(work, "sync=manual") as mnt:
            good = measure(args, work, f"{mnt}/rows")
    sys.exit(not good)


main()
