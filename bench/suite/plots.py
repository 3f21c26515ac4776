# SPDX-License-Identifier: MIT
"""Plots, drawn by gnuplot as SVG."""

import subprocess

HEADER = """\
set terminal svg size 760,420 font "sans-serif,12" background "white"
set output "{path}"
set title "{title}"
set grid back lc rgb "#dddddd"
set border 3 lc rgb "#888888"
set tics nomirror
"""

BARS = """\
set style fill solid 0.8 noborder
set boxwidth 0.7
set yrange [:] reverse
set lmargin 30
set xlabel "{label}"
set logscale x 10
unset key
plot "-" using (0.5*($2+1)):0:(1):($2):($0-0.35):($0+0.35):ytic(1) \
     with boxxyerror lc rgb "#3366aa", \
     "-" using 1:0:2:3 with xerrorbars lc rgb "#222222" pt 0
"""

LINES = """\
set xlabel "{x}"
set ylabel "{y}"
set key outside right top
{more}
plot {parts}
"""

COLOURS = ("#3366aa", "#cc5533", "#448844", "#885599", "#888822", "#228888")


def _draw(path, script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    # gnuplot leaves blanks at the ends of lines, and of the file.
    lines_drawn = path.read_text(encoding="utf-8").rstrip().split("\n")
    path.write_text("\n".join(line.rstrip() for line in lines_drawn) + "\n",
                    encoding="utf-8")


def bars(figures, path, title, label, section, case, metric):
    """One metric of one case: a bar a row, and how far it spreads."""
    rows = [(row, figures.spread(section, row, case, metric))
            for row in figures.rows(section)]
    rows = [(row, spread) for row, spread in rows if spread]
    if not rows:
        return
    low = min(spread[1] for _, spread in rows) / 2
    script = HEADER.format(path=path, title=title)
    script += f"set xrange [{low}:*]\n"
    script += BARS.format(label=label).replace("(1):($2)", f"({low}):($2)")
    data = [f'"{row}" {middle}' for row, (middle, _, _) in rows]
    marks = [f"{middle} {least} {most}" for _, (middle, least, most) in rows]
    _draw(path, script + "\n".join(data) + "\ne\n" + "\n".join(marks) + "\ne\n")


def lines(path, title, x, y, series, more=""):
    """Series of points: {name: [(x, y), ...]}."""
    series = {name: points for name, points in series.items() if points}
    if not series:
        return
    parts = ", ".join(
        f'"-" using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc rgb '
        f'"{COLOURS[number % len(COLOURS)]}" title "{name}"'
        for number, name in enumerate(series))
    data = "".join("".join(f"{a} {b}\n" for a, b in points) + "e\n"
                   for points in series.values())
    _draw(path, HEADER.format(path=path, title=title)
          + LINES.format(x=x, y=y, more=more, parts=parts) + data)


def _matrix(figures, order, cache):
    """ns a read over the size of a read, pread and mmap, native and mount."""
    series = {}
    for row in ("native", "maplogfs"):
        for how in ("pread", "mmap"):
            points = []
            for size in (100, 4096, 131072, 1048576):
                value = figures.median("sealed", row, f"{cache} {how} {order}"
                                       f" {size}", "first")
                if value:
                    rate = value if order == "seq" else \
                        size / value * 1e9 / (1 << 20)
                    points.append((size, rate))
            series[f"{how}, {row}"] = points
    return series


def _growth(figures, metric, row):
    points = []
    for case in figures.cases("growth"):
        count, *name = case.split(" ", 1)
        value = figures.median("growth", row, case, metric)
        if name == ["entries"] and value:
            points.append((int(count), value))
    return points


def _curve(figures, row, case):
    """Latency over how many are slower: 10, 100, ... of them one."""
    points = []
    for key in figures.values:
        if key[:3] == ("publish", row, case) and key[3].startswith("at:"):
            rest = 1 - float(key[3][3:])
            points.append((1 / max(rest, 1e-12), figures.median(*key)))
    return sorted(points)


def draw(figures, folder):
    """All plots that there are figures for."""
    bars(figures, folder / "append.svg",
         "Append without sync: 51 bytes, batches of 10", "ns an entry",
         "append", "51x10", "append")
    bars(figures, folder / "durable.svg",
         "Durable append: one sync a batch of 10", "ns an entry",
         "durable", "51x10", "append")
    for order in ("seq", "random"):
        for cache in ("warm", "dropped"):
            named = "in order" if order == "seq" else "at random"
            lines(folder / f"read-{order}-{cache}.svg",
                  f"Reading a sealed segment {named}, page cache {cache}",
                  "bytes a read", "MiB/s", _matrix(figures, order, cache),
                  "set logscale xy 10")
    lines(folder / "growth.svg", "Cost as a log grows", "entries",
          "ns an entry", {
              f"{what}{size}": _growth(figures, metric, row)
              for what, metric in (("append", "append"),
                                   ("read, 10 at a time", "read"))
              for size, row in (("", "maplog, manual"),
                                (", 16 bytes", "maplog, manual, 16 bytes"))},
          "set logscale x 10; set yrange [0:*]")
    lines(folder / "group.svg", "Durable appends by threads", "threads",
          "entries/s", {"maplog, always": [
              (int(case), figures.median("group", "maplog, always", case,
                                         "rate"))
              for case in figures.cases("group")]},
          "set logscale x 2")
    lines(folder / "publish.svg", "From the append to a reader's eyes",
          "one in so many is slower", "µs", {
              f"{row}, {case}": _curve(figures, row, case)
              for row in figures.rows("publish")
              for case in figures.cases("publish")},
          "set logscale xy 10")
