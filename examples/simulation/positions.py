#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where all particles of nbody are at a time, while it goes on or later.

    positions.py mnt/LOG TIME [IMAGE.png]

Finds the time in the mapped segments by bisection, takes the last update of
each particle up to it, and prints the positions or draws them with gnuplot.
"""

import bisect
import os
import subprocess
import sys

import numpy

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
maplog = __import__("maplog")

UPDATE = numpy.dtype([("particle", "<u4"), ("time", "<f4"),
                      ("position", "<f4", 3), ("velocity", "<f4", 3)])

PLOT = """
set terminal pngcairo size 640,640 font ",10"
set output "{image}"
set title "{count} particles at {time:.3f}, of {end:.3f} that are there"
set size ratio -1
set xlabel "x"
set ylabel "y"
set cblabel "z"
set xrange [-2:2]
set yrange [-2:2]
set grid
plot "-" using 1:2:3 with points pt 7 ps 0.4 palette notitle
"""


def positions(segments, time):
    """The positions at a time: an array by particle, and when that was."""
    rows = segments[0]
    # One update of each particle was logged in every step.
    count = bisect.bisect_right(rows["time"], rows["time"][0])
    found = numpy.zeros((count, 3), "f4")
    starts = [segment["time"][0] for segment in segments]
    at = max(bisect.bisect_right(starts, time) - 1, 0)
    cut = bisect.bisect_right(segments[at]["time"], time)
    updates = segments[at][max(cut - count, 0):cut]
    if cut < count and at:  # the step began in the segment before
        updates = numpy.concatenate([segments[at - 1][cut - count:], updates])
    found[updates["particle"]] = updates["position"]
    return found, float(updates["time"][-1])


def draw(image, found, time, end):
    lines = "\n".join(f"{x} {y} {z}" for x, y, z in found)
    script = PLOT.format(image=image, count=len(found), time=time, end=end)
    subprocess.run(["gnuplot"], input=f"{script}{lines}\ne\n", text=True,
                   check=True)


def main():
    segments = [rows for _, rows in maplog.Log(sys.argv[1]).arrays(UPDATE)]
    end, time = float(segments[-1]["time"][-1]), float(sys.argv[2])
    if time > end:
        sys.exit(f"there are updates up to {end:.3f} only")
    found, time = positions(segments, time)
    if len(sys.argv) > 3:
        draw(sys.argv[3], found, time, end)
        print(f"{len(found)} particles at {time:.3f} of {end:.3f}")
    else:
        numpy.savetxt(sys.stdout, found, "%.6f")


main()
