# SPDX-License-Identifier: MIT
"""Readers beside a writer: what they see is what the log was at one time."""

import errno
import os
import random
import time

import mounted
import readers
from churn import make, parse
from clients import Child, Mapping, boundaries, frame, records

MIB = 1 << 20
SEED = int(os.environ.get("MAPLOG_SEED", "7"))
# How long each race goes on.
SECONDS = float(os.environ.get("MAPLOG_SECONDS", "5"))


def draw(rng, choices):
    return choices[rng.randrange(len(choices))]


class Growth(mounted.MountCase):
    """One process appends what all know, others read it meanwhile."""

    options = "sync=manual,segment-size=1M"
    ENTRIES = 8000

    def setUp(self):
        super().setUp()
        self.make()
        rng = random.Random(SEED)
        sizes = [draw(rng, (0, 1, rng.randrange(100), rng.randrange(5000),
                            4096)) for _ in range(self.ENTRIES)]
        self.ends = [0]
        for size in sizes:
            self.ends.append(self.ends[-1] + size)
        self.stream = rng.randbytes(self.ends[-1])
        self.head = Mapping(self.at("l", "head"), 4096)
        self.addCleanup(self.head.close)

    def append_all(self):
        rng = random.Random(SEED + 1)
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        at = 0
        while at < self.ENTRIES:
            n = min(rng.randrange(1, 20), self.ENTRIES - at)
            os.write(fd, b"".join(
                frame(self.stream[self.ends[i]:self.ends[i + 1]], i)
                for i in range(at, at + n)))
            at += n

    def next(self):
        with open(self.at("l", "status"), "rb") as file:
            return int(file.read().split(b"next: ")[1].split()[0])

    def test_all_that_is_read_is_a_prefix_of_what_is_appended(self):
        writer = Child(self, self.append_all)
        children = [Child(self, Reader(self, SEED + i).run)
                    for i in range(3)]
        for child in [*children, writer]:
            child.done()
        self.assertEqual(self.read("l", "ranges", "0-"), self.stream)


class Sizes(mounted.MountCase):
    """Many ask for the size of what grows, and go by what they are told."""

    def append_until(self, watched):
        """One byte value, so that a zero is seen."""
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        while any(os.path.exists(f"/proc/{pid}/fd") for pid in watched):
            os.write(fd, frame(b"x" * 3001))

    def go_by_size(self, name):
        """The last page of the size that was told must be there, and right."""
        fd = os.open(self.at("l", name), os.O_RDONLY)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            size = os.fstat(fd).st_size
            with Mapping(fd, size) as mapping:
                if mapping.read(size - 5, 5) != b"xxxxx":
                    raise AssertionError(f"mapped {name} ends in other bytes")
            last = os.lseek(fd, 0, os.SEEK_END)
            if last < size:
                raise AssertionError(f"{name} ends at {last}, not {size}")
            for reader in (*readers.LAZY, readers.by_pread):
                data = reader(fd, size - 5)
                if len(data) < 5 or data.strip(b"x"):
                    raise AssertionError(
                        f"{reader.__name__} of {name} at {size - 5}: "
                        f"{len(data)} bytes, {data.lstrip(b'x')[:9]}")

    def check(self, name):
        self.make()
        self.append("x" * 5000)
        watched = [Child(self, self.go_by_size, name) for _ in range(3)]
        writer = Child(self, self.append_until, [w.pid for w in watched])
        for child in watched:
            child.done()
        writer.done()

    def test_a_size_of_an_open_range_can_be_relied_on(self):
        self.check("ranges/0-")

    def test_a_size_of_the_active_segment_can_be_relied_on(self):
        self.make("other")
        self.check(f"segments/{0:020}.log")


class Reader:
    """A process that reads at random, until it has seen the end."""

    def __init__(self, case, seed):
        self.case = case
        self.rng = random.Random(seed)
        self.ends = case.ends
        self.open = []  # (fd, check, first) that stay open for a while

    def run(self):
        after = 0
        while after < 50:
            after += self.case.next() == self.case.ENTRIES
            self.turn()

    def turn(self):
        if self.open and self.rng.random() < 0.6:
            fd, check, first = draw(self.rng, self.open)
        else:
            path, check, first = self.choose()
            try:
                fd = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return
            self.open.append((fd, check, first))
        reader = draw(self.rng, readers.EXACT + readers.LAZY)
        least = self.case.next()
        what = f"{reader.__name__} of {check.__name__} from {first}"
        check(reader(fd, 0), first, least, reader in readers.LAZY, what)
        if len(self.open) > 12:
            os.close(self.open.pop(self.rng.randrange(12))[0])

    def choose(self):
        """(path, check, first entry) of any file"""
        at = self.case.at
        names = sorted(os.listdir(at("l", "segments")))
        # The last segments are the ones that change.
        name = draw(self.rng, names if self.rng.random() < 0.3
                    else names[-2:])
        first = self.rng.randrange(self.case.next() + 1)
        return draw(self.rng, (
            (at("l", "segments", name),
             self.index if name.endswith("idx") else self.payload,
             int(name[:20])),
            (at("l", "ranges", f"{first}-"), self.payload, first),
            (at("l", "ranges", f"{first}-.idx"), self.boundaries, first),
            (at("l", "entries", f"{first}"), self.entry, first)))

    def fail(self, what, *about):
        raise AssertionError(f"{what}: {about}")

    def payload(self, data, first, least, lazy, what):
        start = self.ends[first]
        want = self.case.stream[start:start + len(data)]
        if data != want:
            same = len(os.path.commonprefix([data, want]))
            self.fail(what, "wrong at", same, data[same:][:16],
                      "of", len(data))
        if start + len(data) not in self.ends[first:]:
            self.fail(what, "ends inside of an entry", start, len(data))

    def entry(self, data, first, least, lazy, what):
        if data != self.case.stream[self.ends[first]:self.ends[first + 1]]:
            self.fail(what, "another entry", len(data))

    def index(self, data, first, least, lazy, what):
        if len(data) % 24:
            self.fail(what, "half a record", len(data))
        for i, record in enumerate(records(data), first):
            if (record.end, record.tag) != (
                    self.ends[i + 1] - self.ends[first], i):
                self.fail(what, i, record)

    def boundaries(self, data, first, least, lazy, what):
        if not lazy and len(data) < 24 * (least - first):
            self.fail(what, "too few", len(data) // 24, least - first)
        for i, boundary in enumerate(boundaries(data), first):
            if (boundary.end, boundary.tag) != (
                    self.ends[i + 1] - self.ends[first], i):
                self.fail(what, i, boundary)


class History(mounted.MountCase):
    """One process truncates, overwrites and trims, others read meanwhile."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()

    def change(self):
        """Keeps the log at some dozens of entries."""
        rng = random.Random(SEED)
        first, next_, version = 0, 0, 0
        control = os.open(self.at("l", "control"), os.O_RDWR)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            kind = rng.random()
            at = rng.randrange(max(first, next_ - 20), next_ + 1)
            if kind < 0.3:
                version += 1
                entry = make(at, version, rng.randrange(6000))
                os.write(control, b"overwrite %d %d\n" % (at, len(entry))
                         + entry)
                next_ = at + 1
            elif kind < 0.5:
                os.write(control, b"truncate %d\n" % at)
                next_ = at
            elif kind < 0.55 and next_ - first > 60:
                first = next_ - 50
                os.write(control, b"trim %d\n" % first)
            elif kind < 0.6:
                os.write(control, b"seal\n")
            else:
                for _ in range(rng.randrange(1, 12)):
                    version += 1
                    entry = make(next_, version, draw(
                        rng, (0, 5, rng.randrange(300), 10000)))
                    os.write(control, b"append %d\n" % len(entry) + entry)
                    next_ += 1

    def look(self, look_once, seed, writer):
        """Reads whatever there is, for as long as the writer lives."""
        rng = random.Random(seed)
        stale = turns = 0
        while os.path.exists(f"/proc/{writer}/fd"):
            turns += 1
            try:
                look_once(rng)
            except FileNotFoundError:
                pass
            except OSError as error:
                # Two truncations between looking a name up and opening it.
                if error.errno != errno.ESTALE:
                    raise
                stale += 1
        if stale > 5 + turns // 20:
            raise AssertionError(f"{stale} of {turns} were stale")

    def look_at_ranges(self, rng):
        first, end = self.counters()
        if first == end:
            return
        a, b = sorted(rng.randrange(max(first, end - 25), end)
                      for _ in range(2))
        name = draw(rng, (f"entries/{a}", f"ranges/{a}-", f"ranges/{a}-{b}",
                          f"ranges/{a}-{a}"))
        reader = draw(rng, readers.EXACT + readers.LAZY)
        if rng.random() < 0.3:
            os.stat(self.at("l", name))
        fd = os.open(self.at("l", name), os.O_RDONLY)
        try:
            for turn in range(rng.randrange(1, 3)):
                versions = parse(reader(fd, 0), a,
                                 f"{reader.__name__} of {name}, time {turn}")
                if "-" not in name and len(versions) != 1:
                    raise AssertionError(f"{name}: {versions}")
        finally:
            os.close(fd)

    def look_at_segments(self, rng):
        names = [name for name in os.listdir(self.at("l", "segments"))
                 if name.endswith(".log")]
        if not names:
            return  # while a truncation makes the next one
        name = draw(rng, sorted(names))
        reader = draw(rng, readers.EXACT)
        fd = os.open(self.at("l", "segments", name), os.O_RDONLY)
        try:
            parse(reader(fd, 0), int(name[:20]),
                  f"{reader.__name__} of {name}")
        finally:
            os.close(fd)

    def test_what_is_read_is_the_log_as_it_was_at_one_time(self):
        writer = Child(self, self.change)
        looking = [Child(self, self.look, look_once, SEED + i, writer.pid)
                   for i, look_once in enumerate(
                       [self.look_at_ranges] * 3 + [self.look_at_segments])]
        writer.done()
        for child in looking:
            child.done()


if __name__ == "__main__":
    mounted.main()
