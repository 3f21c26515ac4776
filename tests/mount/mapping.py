# SPDX-License-Identifier: MIT
"""Mappings: what a program in any language finds in mapped files.

It stays there, whatever becomes of the log.
"""

import mmap
import os
import random
import struct
import time

import numpy

import mounted
from clients import (HEAD_GENERATION, HEAD_NEXT, MORE, PAGE, Child, Linked,
                     Mapping, crc32c, frame, records)

MIB = 1 << 20
SECONDS = float(os.environ.get("MAPLOG_SECONDS", "5"))

# As DESIGN and maplog-format(5) give it to users of numpy.
DTYPE = numpy.dtype([("end", "<u4"), ("crc", "<u4"), ("time", "<u8"),
                     ("tag", "<u8")])


class Index(mounted.MountCase):
    """The boundaries of entries, from a mapped .idx."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        rng = random.Random(11)
        self.entries = [rng.randbytes(rng.choice(
            (0, 1, rng.randrange(100), rng.randrange(9000), PAGE)))
            for _ in range(900)]
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        for i in range(0, 900, 9):
            os.write(fd, b"".join(frame(self.entries[j], j * j)
                                  for j in range(i, i + 9)))
        os.close(fd)

    def segments(self):
        """(base, path of .log, path of .idx), in order"""
        for name in sorted(os.listdir(self.at("l", "segments"))):
            if name.endswith(".log"):
                path = self.at("l", "segments", name)
                yield int(name[:20]), path, path[:-4] + ".idx"

    def test_numpy_finds_every_entry(self):
        found = []
        for base, log, idx in self.segments():
            index = numpy.memmap(idx, dtype=DTYPE, mode="r")
            data = numpy.memmap(log, dtype="u1", mode="r")
            ends = index["end"]
            starts = numpy.concatenate(([0], ends[:-1]))
            self.assertEqual(ends[-1], len(data))
            self.assertTrue((starts <= ends).all())
            self.assertEqual(base, len(found))
            self.assertEqual(list(index["tag"]),
                             [i * i for i in range(base, base + len(index))])
            found += [data[a:b].tobytes() for a, b in zip(starts, ends)]
        self.assertEqual(found, self.entries)

    def test_struct_finds_every_entry(self):
        found = []
        for _, log, idx in self.segments():
            with open(idx, "rb") as file, open(log, "rb") as payload, \
                    mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as index, \
                    mmap.mmap(payload.fileno(), 0, prot=mmap.PROT_READ) as data:
                start = 0
                for record in records(index[:]):
                    found.append(data[start:record.end])
                    start = record.end
        self.assertEqual(found, self.entries)

    def test_checksums_and_batches_are_those_of_the_format(self):
        uuid = self.read("l", "head")[16:32]
        at = last = 0
        for _, _, idx in self.segments():
            with open(idx, "rb") as file:
                for record in records(file.read()):
                    fixed = struct.pack("<QQQI", at, record.time, record.tag,
                                        record.end)
                    if at % 50 == 0:
                        self.assertEqual(record.crc, crc32c(
                            uuid + fixed + self.entries[at]), at)
                    # A batch that does not fit in a segment goes to the next.
                    self.assertEqual(bool(record.time & MORE), at % 9 != 8)
                    self.assertGreaterEqual(record.time & ~MORE, last)
                    last = record.time & ~MORE
                    at += 1
        self.assertEqual(at, len(self.entries))


class Kept(mounted.MountCase):
    """A mapping keeps its bytes, touched before or not."""

    options = "sync=manual,segment-size=1M"
    ENTRIES = 600

    def setUp(self):
        super().setUp()
        self.make()
        rng = random.Random(12)
        self.data = [rng.randbytes(rng.randrange(1, 7000))
                     for _ in range(self.ENTRIES)]
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        for entry in self.data:
            os.write(fd, frame(entry))
        os.close(fd)
        self.maps = []

    def keep(self, name, flags):
        """Maps a file; of every other page it sees nothing yet."""
        with open(self.at("l", name), "rb") as file:
            want = file.read()
        mapping = Mapping(self.at("l", name), len(want), flags=flags)
        for at in range(0, len(want), 2 * PAGE):
            mapping.load(at, 1)
        self.maps.append((name, mapping, want))

    def keep_all(self):
        names = [f"segments/{name}"
                 for name in os.listdir(self.at("l", "segments"))]
        last = self.ENTRIES - 1
        names += ["ranges/0-", "ranges/0-.idx", f"ranges/5-{last}",
                  f"ranges/5-{last}.idx", f"entries/{last}", "entries/300",
                  "entries/0"]
        for name in names:
            for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
                self.keep(name, flags)

    def check(self):
        for name, mapping, want in self.maps:
            self.assertTrue(mapping.load(0, len(want)) == want, name)
            mapping.close()

    def test_through_a_truncation(self):
        self.keep_all()
        self.control("truncate 400")
        self.append(b"other bytes that are long enough\n" * 30000)
        self.control("truncate 7")
        self.append(b"still others\n" * 30000)
        self.check()

    def test_through_truncations_inside_of_the_last_segment(self):
        self.keep_all()
        for index in range(self.ENTRIES - 1, self.ENTRIES - 30, -3):
            self.control(f"truncate {index}")
            self.append(b"x" * 9000 + b"\n")
        self.check()

    def test_through_a_trim(self):
        self.keep_all()
        self.control(f"trim {self.ENTRIES - 1}")
        self.assertLess(len(os.listdir(self.at("l", "segments"))), 5)
        self.check()

    def test_through_an_overwrite_and_a_seal(self):
        self.keep_all()
        for index in (590, 300, 0):
            self.control(b"overwrite %d 5\nabcde" % index)
            self.control("seal")
        self.check()

    def test_through_the_end_of_the_daemon_that_is_killed(self):
        self.keep_all()
        for _, mapping, want in self.maps:
            mapping.load(0, len(want))
        self.daemon.kill()
        self.check()
        self.daemon.clear()
        self.start()
        self.assertEqual(self.counters(), (0, self.ENTRIES))


class Live(mounted.MountCase):
    """A reader that does no system call, beside a process that appends."""

    options = "sync=manual,segment-size=64M"
    ENTRIES = 20000

    def setUp(self):
        super().setUp()
        self.make()
        self.want = [b"%d:" % i + b"-" * (i % 97) + b"\n"
                     for i in range(self.ENTRIES)]

    def append_each(self):
        fd = os.open(self.at("l", "append"), os.O_WRONLY)
        for line in self.want:
            os.write(fd, line)

    def watch_head(self, see, writer):
        """Calls see(old, new) for all that `next` ever becomes."""
        with Mapping(self.at("l", "head"), PAGE) as head:
            seen, end = 0, time.monotonic() + mounted.PATIENCE
            while seen < self.ENTRIES:
                now = head.load64(HEAD_NEXT)
                self.assertGreaterEqual(now, seen)
                if now > seen:
                    see(seen, now)
                    seen, end = now, time.monotonic() + mounted.PATIENCE
                elif time.monotonic() > end:
                    self.fail(f"{seen} entries seen, then nothing")
        writer.done()

    def follow_mapped(self, want, writer):
        name = self.at("l", "segments", f"{0:020}")
        ends = [0]
        with Mapping(name + ".log", 4 * MIB) as data, \
                Mapping(name + ".idx", 24 * self.ENTRIES) as index:
            def see(old, new):
                for record in records(index.load(24 * old, 24 * (new - old))):
                    i = len(ends) - 1
                    line = data.load(ends[-1], record.end - ends[-1])
                    self.assertEqual(line, want[i])
                    ends.append(record.end)
            self.watch_head(see, writer)
        self.assertEqual(len(ends), self.ENTRIES + 1)

    @mounted.only(mounted.PASSTHROUGH, "only mappings of the store are live")
    def test_it_sees_every_append_in_order(self):
        self.follow_mapped(self.want, Child(self, self.append_each))

    @mounted.only(mounted.PASSTHROUGH, "only mappings of the store are live")
    def test_it_sees_every_append_of_a_process_with_the_library(self):
        self.stop()
        linked = Linked(self, os.path.join(self.store, "l"))
        linked.append(self.want[0])
        self.start()
        self.follow_mapped(self.want, Child(
            self, lambda: linked.append(*self.want[1:])))

    def test_the_mapped_head_counts_every_append(self):
        # Without passthrough it is told a little later, and nothing is missed.
        self.watch_head(self.see_lines, Child(self, self.append_each))

    def see_lines(self, old, new):
        data = self.read("l", "ranges", f"{old}-{new - 1}")
        self.assertEqual(data, b"".join(self.want[old:new]))

    def test_the_mapped_head_shows_a_truncation(self):
        self.append(b"x\n" * 100)
        with Mapping(self.at("l", "head"), PAGE) as head:
            mounted.until(lambda: head.load64(HEAD_NEXT) == 100, "an append")
            before = head.load64(HEAD_GENERATION)
            self.control("truncate 50")
            mounted.until(lambda: head.load64(HEAD_NEXT) == 50, "a truncation")
            self.assertEqual(head.load64(HEAD_GENERATION), before + 1)


class Survival(mounted.MountCase):
    """Whoever maps no more than he was told of is never killed for it."""

    options = "sync=manual,segment-size=1M"

    def change(self):
        rng = random.Random(13)
        control = os.open(self.at("l", "control"), os.O_RDWR)
        end = time.monotonic() + SECONDS
        count = 0
        while time.monotonic() < end:
            kind = rng.random()
            if kind < 0.75:
                size = rng.choice((1, 5000, 60000))
                os.write(control, b"append %d\n" % size + b"y" * size)
                count += 1
            elif kind < 0.85:
                count = rng.randrange(max(0, count - 30), count + 1)
                os.write(control, b"truncate %d\n" % count)
            elif kind < 0.95:
                os.write(control, b"seal\n")
            else:
                os.write(control, b"truncate 0\n")
                count = 0

    def map_and_load(self, writer, seed):
        rng = random.Random(seed)
        kept = []
        while os.path.exists(f"/proc/{writer}/fd"):
            directory = rng.choice(("segments", "entries"))
            names = os.listdir(self.at("l", directory))
            name = f"{directory}/{rng.choice(names)}" if names else "ranges/0-"
            try:
                fd = os.open(self.at("l", name), os.O_RDONLY)
            except OSError:
                continue
            size = os.fstat(fd).st_size
            if size:
                kept.append((Mapping(fd, size), size, name))
            os.close(fd)
            for mapping, size, name in kept[-20:]:
                data = mapping.load(0, size)
                if not name.endswith(".idx") and data.strip(b"y"):
                    raise AssertionError(f"{name}: {data.strip(b'y')[:9]}")
            if len(kept) > 100:
                kept.pop(0)[0].close()

    def test_no_reader_sees_sigbus_or_another_byte(self):
        self.make()
        writer = Child(self, self.change)
        readers = [Child(self, self.map_and_load, writer.pid, seed)
                   for seed in range(2)]
        for child in (writer, *readers):
            child.done()


if __name__ == "__main__":
    mounted.main()
