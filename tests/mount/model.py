# SPDX-License-Identifier: MIT
"""Random changes, beside a model of the log: every way to read agrees with it.

What was opened or mapped before keeps the bytes that it had.
"""

import os
import random
import time

import mounted
import readers
from churn import Model, Writer
from clients import Mapping, boundaries, records

SECONDS = float(os.environ.get("MAPLOG_SECONDS", "5"))
SEED = int(os.environ.get("MAPLOG_SEED", "41"))


class Steps(Writer):
    """The changes of a writer, made one by one from here."""

    # pylint: disable-next=super-init-not-called
    def __init__(self, model, seed):
        self.model, self.rng = model, random.Random(seed)
        self.version = 0


class Differential(mounted.MountCase):
    """One log, one model."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        self.rng = random.Random(SEED)
        self.steps = Steps(Model(), SEED)
        self.kept = []  # (name, mapping or fd, bytes)

    @property
    def model(self):
        return self.steps.model

    def change(self):
        name, data, after = self.steps.step()
        self.write_once(data, name)
        self.steps.model = after

    def write_once(self, data, name):
        fd = os.open(self.at("l", name), os.O_RDWR)
        try:
            self.assertEqual(os.write(fd, data), len(data))
        finally:
            os.close(fd)

    def same(self, name, want):
        """A file, read in one way; a lazy one after a look at its size."""
        reader = self.rng.choice(readers.EXACT + readers.LAZY)
        fd = os.open(self.at("l", name), os.O_RDONLY)
        try:
            self.assertEqual(os.fstat(fd).st_size, len(want), name)
            data = reader(fd, 0)
            at = self.rng.randrange(len(want) + 1)
            part = reader(fd, at)
        finally:
            os.close(fd)
        self.assertTrue(data == want, f"{reader.__name__} of {name}: "
                        f"{len(data)} bytes, not {len(want)}")
        self.assertTrue(part == want[at:], f"{reader.__name__} of {name} "
                        f"from {at} on")

    def some(self):
        """(first, next) of entries that there are"""
        model = self.model
        first = self.rng.randrange(model.first, model.next)
        return first, self.rng.randrange(first, model.next) + 1

    def of(self, first, next_):
        model = self.model
        return model.entries[first - model.first:next_ - model.first]

    def check_spans(self):
        model = self.model
        self.same(f"ranges/{model.first}-", b"".join(model.entries))
        if not model.entries:
            return
        first, next_ = self.some()
        want = self.of(first, next_)
        self.same(f"ranges/{first}-{next_ - 1}", b"".join(want))
        self.same(f"ranges/-{len(model.entries)}", b"".join(model.entries))
        self.same(f"entries/{first}", want[0])
        end, ends = 0, []
        for entry in want:
            end += len(entry)
            ends.append(end)
        data = self.read("l", "ranges", f"{first}-{next_ - 1}.idx")
        self.assertEqual([b.end for b in boundaries(data)], ends)

    def check_segments(self):
        """What is left of trimmed entries comes before what there is."""
        names = sorted(os.listdir(self.at("l", "segments")))
        for log, idx in zip(names[1::2], names[::2]):
            base, start = int(log[:20]), 0
            data, want = self.read("l", "segments", log), []
            for i, record in enumerate(
                    records(self.read("l", "segments", idx)), base):
                entry = data[start:record.end]
                start = record.end
                if i >= self.model.first:
                    self.assertTrue(entry == self.of(i, i + 1)[0], (log, i))
                want.append(entry)
            self.same(f"segments/{log}", b"".join(want))
        self.assertEqual(base + len(want), self.model.next)

    def keep(self):
        """Maps or opens something that is to stay as it is."""
        if not self.model.entries:
            return
        first, next_ = self.some()
        want = b"".join(self.of(first, next_))
        name = self.at("l", "ranges", f"{first}-{next_ - 1}")
        kept = Mapping(name, len(want)) if self.rng.random() < 0.5 \
            else os.open(name, os.O_RDONLY)
        self.kept.append((name, kept, want))

    def check_kept(self):
        for name, kept, want in self.kept:
            data = os.pread(kept, len(want) + 1, 0) \
                if isinstance(kept, int) else kept.load(0, len(want))
            self.assertTrue(data == want, f"{name}, as it was")

    def drop(self):
        while self.kept:
            _, kept, _ = self.kept.pop()
            if isinstance(kept, int):
                os.close(kept)
            else:
                kept.close()

    def test_every_way_to_read_agrees_with_the_model(self):
        end = time.monotonic() + 2 * SECONDS
        turns = 0
        while time.monotonic() < end or turns < 10:
            for _ in range(self.rng.randrange(1, 4)):
                self.change()
            self.assertEqual(self.counters(),
                             (self.model.first, self.model.next))
            self.check_spans()
            self.check_segments()
            self.keep()
            self.check_kept()
            turns += 1
            if len(self.kept) > 30:
                self.drop()
            if turns % 150 == 0:
                self.drop()
                self.restart()
        self.drop()


if __name__ == "__main__":
    mounted.main()
