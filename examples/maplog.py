# SPDX-License-Identifier: MIT
"""A log of a mount as a sequence of its entries, mapped and not copied.

    import maplog
    log = maplog.Log("mnt/demo")
    log[42]                       # a memoryview of entry 42
    log[10:20], log[-1]           # some entries, the last one
    log.append(b"one", b"two")    # one batch: both are there, or none
    for entry in log.follow(): ...          # new ones, as they come
    for base, rows in log.arrays("<f4"): ...    # one array a segment

Standard library and numpy only. What is mapped stays as it is, whatever is
truncated or trimmed later; a log that was truncated is looked up anew. On a
mount without passthrough the length follows what was appended a moment later.
"""

import bisect
import errno
import operator
import os
import select
import struct

import numpy

RECORD = numpy.dtype(
    [("end", "<u4"), ("crc", "<u4"), ("time", "<u8"), ("tag", "<u8")])
FRAME = struct.Struct("<IIQ")  # of the file batch: length, zero, tag

# Where the counters are in the page head, in words of 8 bytes.
GENERATION, FIRST, NEXT, DURABLE = 8, 9, 10, 11


def _map(path, dtype):
    """The whole items of a file; an empty file cannot be mapped."""
    items = os.stat(path).st_size // dtype.itemsize
    if not items:
        return numpy.empty(0, dtype)
    return numpy.memmap(path, dtype, "r", shape=(items,))


class _Segment:
    """One segment: its payload and its records, as far as they are mapped."""

    def __init__(self, folder, base):
        path = f"{folder}/segments/{base:020}"
        self.base = base
        # In this order: there is payload for every record.
        self.records = _map(path + ".idx", RECORD)
        self.data = _map(path + ".log", numpy.dtype("u1"))

    @property
    def next(self):
        return self.base + len(self.records)

    def start(self, n):
        """Where the n-th entry begins: at the end of the one before."""
        return int(self.records["end"][n - 1]) if n else 0


class Log:
    """A log, by its directory in a mount."""

    def __init__(self, path):
        self.path = os.fspath(path)
        self._head = numpy.memmap(f"{self.path}/head", "<u8", "r")
        self._generation = self.generation
        self._bases = []  # of all segments, when they were last looked up
        self._segments = {}  # those that were mapped, by their bases

    # The live counters: a load each, no system call.
    generation = property(lambda self: int(self._head[GENERATION]))
    first = property(lambda self: int(self._head[FIRST]))
    next = property(lambda self: int(self._head[NEXT]))
    durable = property(lambda self: int(self._head[DURABLE]))

    # ---- a sequence, whose indexes are those of the log ----

    def __len__(self):
        """One past the last index: trimmed entries count, too."""
        return self.next

    def __iter__(self):
        return (self[i] for i in range(self.first, self.next))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        segment, n = self._find(index)
        return memoryview(segment.data)[
            segment.start(n):segment.start(n + 1)]

    def record(self, index):
        """The record of an entry: its end, crc, time and tag."""
        segment, n = self._find(index)
        return segment.records[n]

    # ---- segments ----

    def _find(self, index):
        """The segment that holds an entry, and the entry's place in it."""
        index = operator.index(index)
        if index < 0:
            index += len(self)
        if not self.first <= index < self.next:
            raise IndexError(f"entry {index} is not in the log")
        segment = self._segment(index)
        return segment, index - segment.base

    def _segment(self, index):
        """The segment that holds an entry, mapped that far at least."""
        if self._generation != self.generation:  # truncated: forget it all
            self._generation = self.generation
            self._bases, self._segments = [], {}
        segment = self._segments.get(self._base(index))
        if not segment or index >= segment.next:
            self._look_up()
            base = self._base(index)
            segment = self._segments.get(base)
            if not segment or index >= segment.next:
                segment = self._segments[base] = _Segment(self.path, base)
            if index >= segment.next:
                raise IndexError(f"entry {index} was truncated just now")
        return segment

    def _base(self, index):
        at = bisect.bisect(self._bases, index)
        return self._bases[at - 1] if at else None

    def _look_up(self):
        """Finds new segments, and forgets those that are gone."""
        self._bases = sorted(
            int(name[:-4]) for name in os.listdir(f"{self.path}/segments")
            if name.endswith(".idx"))
        self._segments = {base: segment for base, segment in
                          self._segments.items() if base in self._bases}

    def arrays(self, dtype):
        """(index, array) of every segment, its entries being of one dtype.

        The arrays are the mapped files themselves: nothing is copied.
        ValueError if an entry has another size.
        """
        first, end, dtype = self.first, self.next, numpy.dtype(dtype)
        self._look_up()
        bases = [base for base in self._bases if base < end]
        for base, after in zip(bases, bases[1:] + [end]):
            n = after - base
            segment = self._segment(after - 1)
            if not numpy.array_equal(
                    segment.records["end"][:n],
                    numpy.arange(1, n + 1, dtype="u4") * dtype.itemsize):
                raise ValueError(f"segment {base} has entries of other sizes")
            rows = numpy.ndarray((n,), dtype, segment.data)
            skip = max(first - base, 0)
            yield base + skip, rows[skip:]

    # ---- following and appending ----

    def follow(self, index=None):
        """The entries from an index on, or new ones; waits for more.

        OSError with ESTALE if a truncation took what was given out.
        """
        index = self.next if index is None else index
        last = None
        while True:
            if index > self.next or last is not None and \
                    self.record(index - 1)["crc"] != last:
                raise OSError(errno.ESTALE, f"truncated below {index}")
            generation = self.generation
            while index < self.next and generation == self.generation:
                entry, last = self[index], self.record(index)["crc"]
                index += 1
                yield entry
            self._wait(index)

    def _wait(self, index):
        """Until there is this entry, or a truncation."""
        if index >= self.next:
            with open(f"{self.path}/follow@{index}", "rb", 0) as file:
                select.select([file], [], [])

    def append(self, *entries, tag=0):
        """Appends a batch of entries."""
        data = b"".join(FRAME.pack(len(entry), 0, tag) + bytes(entry)
                        for entry in entries)
        fd = os.open(f"{self.path}/batch", os.O_WRONLY)
        try:
            if os.write(fd, data) != len(data):
                raise OSError(errno.EIO, "a part of the batch is missing")
        finally:
            os.close(fd)
