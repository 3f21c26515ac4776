# SPDX-License-Identifier: MIT
"""The goals of the project: ratios in one run, and whether they are met."""


class Goal:
    """(what, bound, how to compute it); met when the value is at least the
    bound, or with most=True at most. With full=True --quick leaves it out."""

    def __init__(self, work, bound, unit, value, most=False, full=False):
        self.work = work
        self.bound = bound
        self.unit = unit
        self.value = value
        self.most = most
        self.full = full

    def line(self, figures):
        """(work, bound, measured, met) as text; None if not measured."""
        value = self.value(figures)
        if value is None:
            return None
        met = value <= self.bound if self.most else value >= self.bound
        sign = "≤" if self.most else "≥"
        return (self.work, f"{sign} {self.bound:g}{self.unit}",
                f"{value:.3g}{self.unit}", "yes" if met else "**no**")


def _ratio(above, below):
    """Median of one figure through that of another."""
    def value(figures):
        a, b = figures.median(*above), figures.median(*below)
        return a / b if a is not None and b else None
    return value


def _one(*key):
    return lambda figures: figures.median(*key)


def _best(section, rows, case, metric, best, key, over=True):
    """The best of several rows through one figure, or the reverse."""
    def value(figures):
        own = figures.median(*key)
        found = [figures.median(section, row, case, metric) for row in rows]
        found = [one for one in found if one is not None]
        if own is None or not found:
            return None
        return best(found) / own if over else own / best(found)
    return value


def _append(row, case, metric="append"):
    return "append", row, case, metric


OWN = "maplog, manual"
DATABASES = ("LMDB, write map", "LMDB, map async", "LMDB, no sync",
             "SQLite WAL, off", "RocksDB, WAL", "RocksDB, no WAL")
# Of those that keep what they acknowledged in a power cut.
SYNCING = ("LMDB, sync", "SQLite WAL, full", "RocksDB, sync",
           "Redis stream, AOF always")
MOUNTS = ("bindfs", "bindfs, cached", "mergerfs", "mergerfs, cached",
          "fuse-overlayfs", "squashfuse_ll")
RANGES = "maplogfs, ranges/"
ENTRIES = "maplogfs, entries/"


def _append_goals():
    own = _append(OWN, "51x10")
    yield Goal("append, 51 B, batch 10: times the mapping logger", 5, "×",
               _ratio(_append("mapping logger", "51x10"), own))
    yield Goal("… times the open-write-close logger", 40, "×",
               _ratio(_append("open-write-close logger", "51x10"), own))
    yield Goal("… times the best of LMDB, SQLite, RocksDB", 8, "×",
               _best("append", DATABASES, "51x10", "append", min, own))
    yield Goal("… in the appending thread", 15, " ns/entry", _one(*own),
               most=True)
    for size in (1024, 65536):
        case = f"{size}x10"
        yield Goal(f"append, {size} B: of memcpy and CRC, prefaulted", 0.7,
                   "×", _ratio(_append("limit: memcpy and CRC-32C", case),
                               _append(OWN, case)))


def _read_goals():
    view = _append(OWN, "51x10", "view")
    yield Goal("view of 10 entries", 20, " ns/call", _one(*view), most=True)
    yield Goal("… times the mapping logger's copying read", 1, "×",
               _ratio(_append("mapping logger", "51x10", "view"), view))
    yield Goal("cursor over all entries, times that read", 2, "×",
               _ratio(_append("mapping logger", "51x10", "read"),
                      _append(OWN, "51x10", "cursor")))


def _durable_goals():
    row, raw = "maplog, always", "raw: pwrite, allocated"
    for case, of_raw, of_peers in (("51x10", 0.95, 1.15),
                                   ("51x1000", 0.9, 2)):
        own = ("durable", row, case, "append")
        name = f"durable append, {case[3:]} entries a sync"
        yield Goal(f"{name}: of raw write and fdatasync", of_raw, "×",
                   _ratio(("durable", raw, case, "append"), own))
        yield Goal("… times the best peer", of_peers, "×",
                   _best("durable", SYNCING, case, "append", min, own))
    yield Goal("durable append, 64 threads, times one thread", 20, "×",
               _ratio(("group", row, "64", "rate"),
                      ("group", row, "1", "rate")))
    yield Goal("append while segments of 16 MiB roll, p99.99", 1000, " µs",
               _one("roll", OWN, "16M", "unit p99.99"), most=True)


def _write_goals():
    for case in ("any processor", "one processor"):
        yield Goal(f"small write through the mount, {case}: times an empty "
                   "FUSE write", 1.3, "×", _ratio(
                       ("small write", "maplogfs, append", case, "p50"),
                       ("small write", "limit: empty FUSE write", case,
                        "p50")), most=True)
    for entry in (51, 1024):
        for way in ("batch", "append"):
            yield Goal(f"1 MiB writes to {way}, {entry} B: of the library",
                       0.5, "×", _ratio(
                           ("stream", "library", entry, "append"),
                           ("stream", f"maplogfs, {way}", entry, "append")))
    for way in ("batch", "append"):
        yield Goal(f"… {way}, entries of 1 KiB", 1000, " MB/s",
                   _one("stream", f"maplogfs, {way}", 1024, "write"))


def _passthrough(name, section, case, metric, unit):
    own = (section, "maplogfs", case, metric)
    native = (section, "native", case, metric)
    ratio = _ratio(own, native) if unit == "MiB/s" else _ratio(native, own)
    return Goal(f"{name}: of native", 0.98, "×", ratio)


def _mount_goals():
    for how in ("pread", "mmap"):
        yield _passthrough(f"sealed, {how} 128 KiB in order", "sealed",
                           f"warm {how} seq 131072", "again", "MiB/s")
        yield _passthrough(f"sealed, {how} 4 KiB at random", "sealed",
                           f"warm {how} random 4096", "again", "ns")
    yield _passthrough("active, mmap in order", "active",
                       "mmap segment seq", "again", "MiB/s")
    yield _passthrough("active, mmap at random", "active",
                       "mmap segment random", "again", "ns")
    yield _passthrough("head, mmap", "active", "mmap head seq", "again",
                       "MiB/s")
    for how in ("pread", "mmap"):
        for metric, bound in (("first", 1.2), ("again", 1)):
            yield Goal(f"ranges/, {how}, {metric}: times the best peer",
                       bound, "×", _best(
                           "ranges", MOUNTS, how, metric, max,
                           ("ranges", RANGES, how, metric), over=False))


def _open_goals():
    for count in ("1000", "100000000"):
        yield Goal(f"open, read, close of entries/N, {count} entries", 30,
                   " µs", _one("entries", ENTRIES, count,
                               "first p50"), most=True,
                   full=count != "1000")
    first = ("entries", ENTRIES, "1000", "first p50")
    yield Goal("… 1000 entries: times the best peer", 1, "×", _best(
        "entries", MOUNTS, "1000", "first p50", min, first))
    yield Goal("append until seen through the mount, spinning on head", 1,
               " µs", _one("publish", "by library", "spin", "p50"), most=True)
    for wait in ("futex", "poll"):
        yield Goal(f"… by {wait}", 50, " µs", _one(
            "publish", "by library", wait, "p50"), most=True)
    big = "10000 segments of 10000 entries"
    yield Goal("start with 10,000 segments, 100 million entries", 200, " ms",
               _one("start", "maplogfs", big, "first entry read"), most=True,
               full=True)
    for case in (big, "1000 logs"):
        yield Goal(f"anonymous memory, {case}", 32, " MiB",
                   _one("start", "maplogfs", case, "anonymous memory"),
                   most=True, full=True)


GOALS = [*_append_goals(), *_read_goals(), *_durable_goals(),
         *_write_goals(), *_mount_goals(), *_open_goals()]


def table(figures):
    """A Markdown table of all goals that were measured."""
    lines = ["| work | at least | measured | met |", "|---|---|---|---|"]
    for goal in GOALS:
        line = goal.line(figures)
        if line:
            lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def missing(figures):
    """Goals that even --quick should have a figure for, and has not."""
    return [goal.work for goal in GOALS
            if not goal.full and goal.value(figures) is None]
