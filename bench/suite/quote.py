# SPDX-License-Identifier: MIT
"""The few lines that the README quotes."""

import goals


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _best(figures, section, rows, case, metric, best):
    """The best of some peers: (name, figure), or None."""
    found = [(figures.median(section, row, case, metric), row)
             for row in rows]
    found = [pair for pair in found if pair[0] is not None]
    if not found:
        return None
    value, row = best(found)
    return row, value


def _line(figures, what, unit, key, others):
    own = figures.median(*key)
    named = [pair for pair in others if pair and pair[1] is not None]
    if own is None or not named:
        return None
    beside = ", ".join(f"{name} {_number(value)}" for name, value in named)
    return f"| {what} | {_number(own)} {unit} | {beside} |"


def _row(figures, name, *key):
    return name, figures.median(*key)


def lines(figures):
    """A Markdown table."""
    many, few = "51x1000", "51x10"
    append = ("append", goals.OWN, few)
    durable = ("durable", "maplog, always")
    raw = ("durable", "raw: pwrite, allocated")
    seq = "warm pread seq 131072"
    made = [
        _line(figures, "append, 51 bytes, 10 at a time", "ns an entry",
              (*append, "append"),
              [_row(figures, "a plain mapping", "append", "mapping logger",
                    few, "append"),
               _best(figures, "append", goals.DATABASES, few, "append",
                     min)]),
        _line(figures, "look at 10 entries in place", "ns",
              (*append, "view"),
              [_row(figures, "copied from a plain mapping", "append",
                    "mapping logger", few, "view")]),
        _line(figures, "durable append, a sync for 10 entries",
              "ns an entry", (*durable, few, "append"),
              [_row(figures, "`write` and `fdatasync`", *raw, few, "append"),
               _best(figures, "durable", goals.SYNCING, few, "append",
                     min)]),
        _line(figures, "durable append, a sync for 1,000 entries",
              "ns an entry", (*durable, many, "append"),
              [_row(figures, "`write` and `fdatasync`", *raw, many,
                    "append"),
               _best(figures, "durable", goals.SYNCING, many, "append",
                     min)]),
        _line(figures, "read a sealed segment through the mount", "MiB/s",
              ("sealed", "maplogfs", seq, "again"),
              [_row(figures, "natively", "sealed", "native", seq, "again")]),
        _line(figures, "read `ranges/`, checked, the first time", "MiB/s",
              ("ranges", goals.RANGES, "pread", "first"),
              [_best(figures, "ranges", goals.MOUNTS, "pread", "first",
                     max)]),
        _line(figures, "from an append to a reader's eyes, spinning", "µs",
              ("publish", "by library", "spin", "p50"),
              [_row(figures, "woken by futex", "publish", "by library",
                    "futex", "p50")]),
    ]
    return "\n".join(["| | maplog | beside it |", "|---|---|---|"]
                     + [line for line in made if line])
