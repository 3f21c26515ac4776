# SPDX-License-Identifier: MIT
"""What scripts/bench runs, once all that it needs is built."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import library
import machine
import mounted
import plots
import tables
from figures import Bench, Failure, Figures, run

LIBRARY = (library.append, library.durable, library.group, library.roll,
           library.growth, library.limits)
# More than a section has in memory at once.
TOUCHED = 4 << 30

MOUNTED = (mounted.small_writes, mounted.streams, mounted.sealed,
           mounted.active, mounted.ranges, mounted.entries, mounted.clients,
           mounted.publish, mounted.start)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=lambda path: Path(path).resolve(),
                        required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--docs", type=Path, action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("sections", nargs="*")
    return parser.parse_args()


def enter():
    """Runs this program again, in namespaces of its own; without root there
    are none, and no mounts."""
    if "MAPLOG_BENCH_INSIDE" in os.environ or os.geteuid():
        return
    os.environ["MAPLOG_BENCH_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "-p", "--fork", "--kill-child",
                          "--mount-proc", sys.executable, *sys.argv])


def chosen(args, bench):
    every = LIBRARY + MOUNTED
    names = [section.__name__ for section in every]
    for name in args.sections:
        if name not in names:
            sys.exit(f"bench: no section is called {name}; there are "
                     + ", ".join(names))
    sections = [section for section in every
                if not args.sections or section.__name__ in args.sections]
    if os.geteuid() or not os.path.exists("/dev/fuse"):
        bench.skip("mounts need root and /dev/fuse")
        sections = [one for one in sections if one in LIBRARY]
    return sections


def touch_memory():
    """A hypervisor may have to find memory when it is first used, which takes
    longer than what is measured. Once it was used it is quick to come by."""
    run([sys.executable, "-c", f"b'x' * ({TOUCHED})"])


def measure(args):
    """All sections that are wanted. What fails ends the run; what was
    measured before is kept."""
    folder = tempfile.mkdtemp(dir=args.build, prefix="room.")
    bench = Bench(args.build, folder, args.quick)
    about = machine.describe(folder)
    before = earlier(args)
    since = time.monotonic()
    try:
        if not args.quick:
            touch_memory()
        for section in chosen(args, bench):
            begin = time.monotonic()
            section(bench)
            now = time.monotonic()
            print(f"{section.__name__:14}{now - begin:6.1f} s", flush=True)
            keep(args, bench.figures, before, about + [
                ("took", f"{now - since:.0f} s, {bench.rounds} rounds each, "
                 "alternating")])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return bench


def earlier(args):
    """Figures of sections that are not measured this time."""
    path = args.out / "figures.csv"
    if args.sections and path.exists():
        return Figures.read(path)
    return Figures()


def keep(args, figures, before, about):
    """Writes figures, and those of other sections that were there before."""
    args.out.mkdir(parents=True, exist_ok=True)
    both = Figures()
    sections = {key[0] for key in figures.values}
    for key, values in before.values.items():
        if key[0] not in sections:
            both.values[key], both.units[key] = values, before.units[key]
    both.values.update(figures.values)
    both.units.update(figures.units)
    both.write(args.out / "figures.csv")
    (args.out / "machine.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8")


def show(folder, documents):
    """Tables and plots of what a folder holds, in documents as well."""
    figures = Figures.read(folder / "figures.csv")
    about = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    (folder / "figures.md").write_text(tables.everything(figures, about),
                                       encoding="utf-8")
    if shutil.which("gnuplot"):
        plots.draw(figures, folder)
    for document in documents:
        text = document.read_text(encoding="utf-8")
        document.write_text(tables.fill(text, figures, about, folder),
                            encoding="utf-8")
    print(tables.goals.table(figures))
    print(f"bench: {len(figures.values)} figures, tables and plots are in "
          f"{folder}")


def main():
    args = parse()
    if not args.draw:
        enter()
        try:
            bench = measure(args)
        except Failure as failure:
            sys.exit(f"bench: FAILED: {failure}")
    show(args.out, args.docs)
    if not args.draw and not args.sections and not bench.skipped:
        missing = tables.goals.missing(bench.figures)
        if missing:
            sys.exit(f"bench: FAILED: no figure for {missing}")


main()
