#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures a replica's catch-up: prints the table of README.md.

As root, with maplogfs built: measure.py [--record] [--mib N] [--rounds N]
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, ".."))
measuring = __import__("measuring")
maplog = __import__("maplog")

ENTRY = 1000  # bytes


def fill(log, plain, mib):
    """The same bytes in a log, all of them sealed, and in a plain file."""
    os.mkdir(log)
    entries = [os.urandom(ENTRY) for _ in range(1000)]
    with open(plain, "wb") as file:
        for _ in range((mib << 20) // ENTRY // len(entries)):
            maplog.Log(log).append(*entries)
            file.writelines(entries)
    with open(f"{log}/control", "w", encoding="ascii") as control:
        print("seal", file=control)


def fetch(*urls):
    """MB/s at which curl has fetched, and thrown away, all of these."""
    said = subprocess.run(
        ["curl", "-sSf", "-w", "%{size_download} %{time_total}\n",
         *(word for url in urls for word in (url, "-o", "/dev/null"))],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    sizes, seconds = zip(*(map(float, line.split())
                           for line in said.splitlines()))
    return sum(sizes) / sum(seconds) / 1e6


def timed(size, *command):
    """MB/s of a command that moves so many bytes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return size / (time.perf_counter() - begin) / 1e6


def measure(args, work, mnt, url):
    """The lines of a table."""
    log, plain, size = f"{mnt}/log", f"{work}/plain", args.size
    names = sorted(name for name in os.listdir(f"{log}/segments")
                   if name.endswith(".log"))
    last = size // ENTRY - 1

    def again(*command, policy="always"):
        """Into a log or a folder that is not there yet."""
        def run():
            if os.path.isdir(f"{mnt}/replica"):
                subprocess.run(["bash", "-c", 'echo truncate 0 >"$1/control" '
                                '&& rmdir "$1"', "-", f"{mnt}/replica"],
                               check=True)
            os.mkdir(f"{mnt}/replica")
            with open(f"{mnt}/replica/control", "wb") as control:
                control.write(f"set sync {policy}\n".encode())
            shutil.rmtree(f"{work}/copy", ignore_errors=True)
            return timed(size, *command)
        return run

    catch_up = [os.path.join(HERE, "catch_up.py"), f"{url}/mnt/log",
                f"{mnt}/replica"]

    results = measuring.alternate(
        args.rounds,
        lambda: fetch(f"{url}/plain"),
        lambda: fetch(*(f"{url}/mnt/log/segments/{n}" for n in names)),
        lambda: fetch(f"{url}/mnt/log/ranges/0-{last}"),
        again("sh", "-c", 'curl -sSf -o "$2" "$1" && sync "$2"',
              "sh", f"{url}/plain", f"{work}/fetched"),
        again(*catch_up, policy="manual"),
        again(*catch_up),
        again("rsync", "-a", plain, f"{work}/copy/"),
        again(os.path.join(HERE, "rsync_sealed"), log, f"{work}/copy"))
    lines = ["a plain file, fetched by curl", "the segments, fetched by curl",
             f"ranges/0-{last}, fetched by curl",
             "a plain file, fetched into a file by curl, synced at its end",
             "catch_up.py, policy manual: synced at its end",
             "catch_up.py, policy always: a sync for each MiB",
             "a plain file, copied by rsync",
             "the sealed segments, copied by rsync_sealed"]
    bases = [0, 0, 0, 3, 3, 3, 6, 6]
    return ["| bytes | median MB/s | ratio to the plain file, "
            "median (range) |",
            "|---|---|---|",
            *(f"| {line} | {statistics.median(found):.0f} "
              f"| {measuring.ratios(found, results[base])} |"
              for line, found, base in zip(lines, results, bases))]


def main():
    parser = measuring.parser(HERE, rounds=7)
    parser.add_argument("--mib", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maplog-") as work, \
            measuring.mount(work, "segment-size=64M,sync=always") as mnt, \
            measuring.nginx(work, root=".") as url:
        fill(f"{mnt}/log", f"{work}/plain", args.mib)
        args.size = os.path.getsize(f"{work}/plain")
        measuring.report(args, [
            f"{args.size / 1e6:.0f} MB, entries of {ENTRY} bytes, one client; "
            f"{args.rounds} rounds; {measuring.machine()}", "",
            *measure(args, work, mnt, url)])


main()
