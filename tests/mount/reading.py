# SPDX-License-Identifier: MIT
"""Reading what has grown: the committed bytes, never one more, never a stale
one, whichever call or tool asks for them."""

import os
import random
import struct

import mounted
import readers
from clients import (BOUNDARY, HEAD_DURABLE, HEAD_FIRST, HEAD_GENERATION,
                     HEAD_NEXT, PAGE, Mapping, boundaries, frame, records)

MIB = 1 << 20

# Sizes that a segment's payload has, one after the other, in bytes.
STEPS = [1, 2, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1,
         3 * PAGE - 1, 20 * PAGE + 5, 20 * PAGE + 6, 64 * PAGE, 500000,
         500001, MIB - PAGE, MIB - 1, MIB]


class Growing(mounted.MountCase):
    """One log that grows step by step, and what it must hold."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        self.rng = random.Random(5)
        self.stream = b""   # all payload
        self.ends = []      # of each entry, in the stream
        self.bases = [0]    # first entry of each segment
        self.batch = os.open(self.at("l", "batch"), os.O_WRONLY)
        self.addCleanup(os.close, self.batch)

    def grow(self, size):
        """Appends entries of so many bytes together."""
        sizes = [size]
        while sizes[-1] > 3 and self.rng.random() < 0.7 and len(sizes) < 8:
            last = sizes.pop()
            part = self.rng.randrange(1, last)
            sizes += [part, last - part]
        for size in sizes:
            data = self.rng.randbytes(size)
            os.write(self.batch, frame(data, len(self.ends)))
            self.stream += data
            self.ends.append(len(self.stream))

    def start_of(self, index):
        return self.ends[index - 1] if index else 0

    def payload(self, first, end=None):
        return self.stream[self.start_of(first):
                           self.ends[end - 1] if end else None]

    def seal(self):
        self.control("seal")
        self.bases.append(len(self.ends))

    def segment(self, number):
        """First entry, and one past the last, of a segment"""
        ends = self.bases[1:] + [len(self.ends)]
        return self.bases[number], ends[number]

    def path(self, number, kind):
        return self.at("l", "segments", f"{self.bases[number]:020}.{kind}")

    # ---- what a file is to hold ----

    def check_bytes(self, data, want, what):
        if data != want:
            same = os.path.commonprefix([data, want])
            self.fail(f"{what}: {len(data)} bytes, not {len(want)}; other "
                      f"from {len(same)} on: {data[len(same):][:16]}")

    def check_index(self, data, number, what):
        first, end = self.segment(number)
        self.assertEqual(len(data), 24 * (end - first), what)
        start = self.start_of(first)
        for i, record in enumerate(records(data), first):
            self.assertEqual((record.end, record.tag),
                             (self.ends[i] - start, i), what)
            self.assertTrue(record.time and record.crc, what)

    def check_boundaries(self, data, first, end, what):
        self.assertEqual(len(data), 24 * (end - first), what)
        start = self.start_of(first)
        for i, boundary in enumerate(boundaries(data), first):
            self.assertEqual((boundary.end, boundary.tag),
                             (self.ends[i] - start, i), what)


class Calls(Growing):
    """System calls, through descriptors opened before and after."""

    def setUp(self):
        super().setUp()
        # (name, kind, number or range) of what is open all the time
        self.opened = []

    def open(self, path, kind, *about):
        for reader in readers.EXACT + readers.LAZY:
            fd = os.open(path, os.O_RDONLY)
            self.addCleanup(os.close, fd)
            self.opened.append((fd, reader, kind, about))

    def want(self, kind, about):
        if kind == "log":
            return self.payload(*self.segment(*about))
        if kind == "range":
            first, end = about
            return self.payload(first, end)
        raise KeyError(kind)

    def check(self, read, kind, about, what):
        if kind == "idx":
            self.check_index(read(), *about, what)
        elif kind == "boundaries":
            first, end = about
            self.check_boundaries(read(), first, end or len(self.ends), what)
        else:
            self.check_bytes(read(), self.want(kind, about), what)

    def complete(self, reader, fd):
        """A lazy call: what it gives before and after a look at the size."""
        before = reader(fd, 0)
        os.fstat(fd)
        after = reader(fd, 0)
        self.check_bytes(before, after[:len(before)], reader.__name__)
        return after

    def check_opened(self):
        self.rng.shuffle(self.opened)
        for fd, reader, kind, about in self.opened:
            what = f"{reader.__name__} of {kind} {about}, opened before"
            if reader in readers.LAZY:
                self.check(lambda: self.complete(reader, fd), kind, about,
                           what)
            else:
                self.check(lambda: reader(fd, 0), kind, about, what)

    def check_anew(self, path, kind, *about):
        order = readers.EXACT + readers.LAZY
        for reader in self.rng.sample(order, len(order)):
            fd = os.open(path, os.O_RDONLY)
            try:
                self.check(lambda: reader(fd, 0), kind, about,
                           f"{reader.__name__} of {path}, opened now")
            finally:
                os.close(fd)

    def check_all(self):
        self.check_opened()
        for number in range(len(self.bases)):
            self.check_anew(self.path(number, "log"), "log", number)
            self.check_anew(self.path(number, "idx"), "idx", number)
        last = len(self.ends) - 1
        first = self.bases[-1] - 1 if len(self.bases) > 1 else 0
        for name, about in ((f"{first}-", (first, None)),
                            (f"{first}-{last}", (first, last + 1)),
                            ("-2", (max(0, last - 1), last + 1))):
            path = self.at("l", "ranges", name)
            self.check_anew(path, "range", *about)
            self.check_anew(path + ".idx", "boundaries", *about)
        self.check_anew(self.at("l", "entries", str(last)), "range", last,
                        last + 1)

    def open_active(self):
        number = len(self.bases) - 1
        self.open(self.path(number, "log"), "log", number)
        self.open(self.path(number, "idx"), "idx", number)

    def test_every_call_gives_the_committed_bytes_after_every_growth(self):
        self.open_active()
        self.open(self.at("l", "ranges", "0-"), "range", 0, None)
        self.open(self.at("l", "ranges", "0-.idx"), "boundaries", 0, None)
        for step in STEPS:
            self.grow(step - len(self.stream))
            self.check_all()
        self.open(self.at("l", "entries", "0"), "range", 0, 1)
        last = len(self.ends) - 1
        self.open(self.at("l", "ranges", f"0-{last}"), "range", 0, last + 1)
        # Full: the next one goes to another segment.
        self.bases.append(len(self.ends))
        for size in (1, PAGE, 5):
            self.grow(size)
            self.check_all()
        self.open_active()
        self.seal()
        self.grow(PAGE)
        self.check_all()

    def test_a_reader_that_goes_on_gets_only_what_is_new(self):
        # As tail -f: read to the end, wait, read on.
        fds = [os.open(path, os.O_RDONLY)
               for path in (self.path(0, "log"), self.at("l/ranges/0-"))]
        got = {fd: b"" for fd in fds}
        for step in STEPS:
            self.grow(step - len(self.stream))
            for fd in fds:
                while True:
                    part = os.read(fd, 100000)
                    if not part:
                        break
                    got[fd] += part
                self.check_bytes(got[fd], self.stream, f"up to {step}")
        for fd in fds:
            os.close(fd)

    def test_a_read_past_the_end_is_the_end(self):
        self.grow(PAGE + 100)
        for path in (self.path(0, "log"), self.path(0, "idx"),
                     self.at("l", "ranges", "0-"),
                     self.at("l", "entries", "0")):
            fd = os.open(path, os.O_RDONLY)
            size = os.fstat(fd).st_size
            for at in (size, size + 1, size + PAGE, 10 * MIB, 2**40, 2**62):
                self.assertEqual(os.pread(fd, 10, at), b"")
            self.assertEqual(len(os.pread(fd, 10, size - 1)), 1)
            os.close(fd)


class Tools(Growing):
    """What people use."""

    def check_tools(self, path, want):
        lines = want.split(b"\n")
        half = len(want) // 2
        copy = os.path.join(self.work, "copy")
        for script, result in (
                ('cat "$1"', want), ('dd if="$1" status=none', want),
                ('dd if="$1" status=none bs=1M', want),
                ('dd if="$1" status=none bs=777', want),
                ('dd if="$1" iflag=direct status=none bs=64K', want),
                ('head -c 100000000 "$1"', want),
                (f'head -c {half} "$1"', want[:half]),
                (f'tail -c +{half + 1} "$1"', want[half:]),
                ('tail -c 1 "$1"', want[-1:]),
                ('tail -c 100000000 "$1"', want),
                ('wc -c < "$1"', b"%d\n" % len(want)),
                ('cat "$1" | wc -c', b"%d\n" % len(want)),
                ('tail -n 2 "$1"', tail(want, 2)),
                ('head -n 1 "$1"', lines[0] + b"\n" * (len(lines) > 1)),
                ('sed "" "$1"', want), ('tac "$1" | tac', want),
                ('cp "$1" "$2"; cat "$2"', want),
                ('cp --sparse=always "$1" "$2"; cat "$2"', want),
                ('install -m 600 "$1" "$2"; cat "$2"', want),
                ('cmp "$1" <(cat "$1"); stat -c %s "$1"',
                 b"%d\n" % len(want)),
                ('grep -c "" "$1" || true', b"%d\n" % len(
                    lines[:-1] if want.endswith(b"\n") else lines))):
            with self.subTest(script=script):
                self.check_bytes(self.sh(script, path, copy), result, script)

    def test_tools_agree_on_a_log_that_grows(self):
        line = b"some words that make a line\n"
        for step in (1, 2, 146, 147, 3000, 30000, 50000):
            data = line * (step - len(self.ends))
            self.append(data)
            self.stream += data
            self.ends += [0] * (step - len(self.ends))
            self.check_tools(self.at("l", "ranges", "0-"), self.stream)
            name = sorted(os.listdir(self.at("l", "segments")))[-1]
            path = self.at("l", "segments", name)
            size = int(self.sh('stat -c %s "$1"', path))
            self.check_tools(path, self.stream[-size:])
        self.check_tools(self.at("l", "entries", "7"), line)
        self.check_tools(self.at("l", "ranges", "5-3000"), line * 2996)

    def test_a_copy_of_the_log_is_the_log(self):
        for i in range(50):
            self.grow(self.rng.randrange(1, 100000))
        self.assertEqual(self.sh("cat l/segments/*.log"), self.stream)
        self.sh('cp -r l/segments "$1"; cat "$1"/*.log | cmp - l/ranges/0-;'
                'diff -r "$1" l/segments',
                os.path.join(self.work, "copied"))

    def test_rsync_copies_what_is_there(self):
        if not self.sh("command -v rsync || true"):
            print("SKIP: rsync is not installed", flush=True)
            self.skipTest("there is no rsync")
        copy = os.path.join(self.work, "copy")
        for _ in range(3):
            self.grow(700000)
            self.sh('rsync -a --append-verify l/segments/ "$1/"', copy)
            self.sh('cat "$1"/*.log | cmp - l/ranges/0-', copy)


def tail(data, count):
    """The last lines"""
    lines = data.splitlines(keepends=True)
    return b"".join(lines[-count:])


class Mapped(Growing):
    """Mappings that were made before the growth."""

    def test_what_was_committed_stays_right_in_a_mapping(self):
        self.grow(100)
        mappings = []
        for step in STEPS[3:]:
            size = len(self.stream)
            mappings.append((size, Mapping(self.path(0, "log"), size)))
            mappings.append((size, Mapping(self.at("l", "ranges", "0-"),
                                           size)))
            self.grow(step - size)
            for size, mapping in mappings:
                self.check_bytes(mapping.read(0, size), self.stream[:size],
                                 f"{size} mapped, now {step}")
        for _, mapping in mappings:
            mapping.close()

    def test_a_mapping_of_boundaries_stays_right(self):
        self.grow(5000)
        count = len(self.ends)
        with Mapping(self.at("l", "ranges", "0-.idx"), 24 * count) as mapping:
            for _ in range(20):
                self.grow(5000)
                self.check_boundaries(mapping.read(0, 24 * count), 0, count,
                                      "mapped")
        self.assertEqual(
            BOUNDARY.unpack(self.read("l", "ranges", "3-3.idx"))[0],
            self.ends[3] - self.ends[2])

    @mounted.only(mounted.PASSTHROUGH, "only mappings of the store are live")
    def test_a_mapping_made_before_shows_what_came_after(self):
        with Mapping(self.path(0, "log"), MIB) as data, \
                Mapping(self.path(0, "idx"), PAGE) as index:
            for step in STEPS:
                self.grow(step - len(self.stream))
                self.check_bytes(data.load(0, step), self.stream, "mapped")
                ends = [struct.unpack("<I", index.load(24 * i, 4))[0]
                        for i in range(len(self.ends))]
                self.assertEqual(ends, self.ends)

    def test_the_counters_in_a_mapped_head_follow_whatever_changed(self):
        keys = {"generation": HEAD_GENERATION, "first": HEAD_FIRST,
                "next": HEAD_NEXT, "durable": HEAD_DURABLE}
        with Mapping(self.at("l", "head"), PAGE) as head:
            self.append("a\n" * 10)
            for command in ("sync", "trim 3", "truncate 7", "seal"):
                self.control(command)
                wanted = {key: int(self.status()[key]) for key in keys}
                mounted.until(
                    lambda wanted=wanted: wanted == {
                        key: head.load64(at) for key, at in keys.items()},
                    f"the head after {command!r}: {wanted}")


if __name__ == "__main__":
    mounted.main()
