# SPDX-License-Identifier: MIT
"""The file batch: one write(2) of frames is one batch, whole or not at all."""

import ctypes
import errno
import mmap
import os
import random
import struct

import mounted
from clients import LIBC, MORE, PAGE, Child, check, frame, records

LIBC.write.restype = ctypes.c_ssize_t
LIBC.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]

MIB = 1 << 20


class BatchCase(mounted.MountCase):
    """With `self.fd`, the file batch of log l, open for writing."""

    def setUp(self):
        super().setUp()
        self.make()
        self.fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        self.addCleanup(os.close, self.fd)

    def put(self, *frames):
        data = b"".join(frames)
        self.assertEqual(os.write(self.fd, data), len(data))

    def index(self):
        """The records of the whole log."""
        return [record for name in sorted(os.listdir(self.at("l", "segments")))
                if name.endswith(".idx")
                for record in records(self.read("l", "segments", name))]

    def batches(self):
        """How many entries each batch has."""
        sizes, size = [], 0
        for record in self.index():
            size += 1
            if not record.time & MORE:
                sizes.append(size)
                size = 0
        self.assertEqual(size, 0, "the last batch ends")
        return sizes


class Frames(BatchCase):
    """What is a frame, and what is none."""

    def nothing_of(self, error, *frames):
        self.fails(error, os.write, self.fd, b"".join(frames))
        self.assertEqual(self.counters(), (0, 0))
        self.put(frame(b"after"))
        self.assertEqual(self.entries(), [b"after"])

    def test_every_frame_is_an_entry_with_its_tag(self):
        self.put(frame(b"one", 1), frame(b"two\n", 2**64 - 1), frame(b"\0"))
        self.assertEqual(self.entries(), [b"one", b"two\n", b"\0"])
        self.assertEqual([r.tag for r in self.index()], [1, 2**64 - 1, 0])

    def test_one_write_is_one_batch(self):
        self.put(frame(b"a"), frame(b"b"), frame(b"c"))
        self.put(frame(b"d"))
        self.put(frame(b"e"), frame(b"f"))
        self.assertEqual(self.batches(), [3, 1, 2])

    def test_entries_of_no_bytes_are_entries(self):
        self.put(frame(b""), frame(b"x"), frame(b"", 7), frame(b""))
        self.assertEqual(self.entries(), [b"", b"x", b"", b""])
        self.assertEqual(self.batches(), [4])

    def test_an_empty_write_is_nothing(self):
        self.put()
        self.assertEqual(self.counters(), (0, 0))

    def test_an_incomplete_last_frame_refuses_all(self):
        for cut in range(1, 20):
            with self.subTest(cut=cut):
                self.fails(errno.EINVAL, os.write, self.fd,
                           frame(b"good") + frame(b"last")[:-cut])
                self.assertEqual(self.counters(), (0, 0))

    def test_a_field_that_must_be_zero_and_is_not_refuses_all(self):
        self.nothing_of(errno.EINVAL, frame(b"good"), frame(b"bad", zero=1),
                        frame(b"good"))

    def test_a_length_that_goes_far_beyond_the_write_refuses_all(self):
        self.nothing_of(errno.EINVAL, frame(b"good"),
                        struct.pack("<IIQ", 0xffffffff, 0, 0), b"x" * 100)

    def test_an_entry_over_max_entry_refuses_all(self):
        self.control("set max-entry 1K")
        self.nothing_of(errno.EMSGSIZE, frame(b"good"), frame(b"x" * 1025))

    def test_the_most_entries_of_one_write_fit_in_the_smallest_segment(self):
        self.put(frame(b"first"))
        self.control("set segment-size 1M")
        self.control("seal")
        self.put(frame(b"") * 65536)
        self.put(frame(b"") * 65536)
        self.assertEqual(self.batches(), [1, 65536, 65536])

    def test_the_next_writer_does_not_get_the_rest_of_another(self):
        other = os.open(self.at("l", "batch"), os.O_WRONLY)
        self.fails(errno.EINVAL, os.write, self.fd, frame(b"begun")[:-2])
        os.write(other, frame(b"whole"))
        os.close(other)
        self.assertEqual(self.entries(), [b"whole"])


class Large(BatchCase):
    """Writes that are as large as one may be, wherever they begin."""

    def frames_of(self, size):
        """Frames that have just so many bytes."""
        rng = random.Random(size)
        frames, left = [], size
        while left > 4000:
            frames.append(frame(rng.randbytes(rng.randrange(2000)),
                                len(frames)))
            left -= len(frames[-1])
        frames.append(frame(b"z" * (left - 16), len(frames)))
        self.assertEqual(sum(map(len, frames)), size)
        return frames

    def write_from(self, shift, size):
        """One write(2) from a buffer that begins @shift into a page."""
        frames = self.frames_of(size)
        _, first = self.counters()
        with mmap.mmap(-1, 2 * PAGE + size) as buffer:
            buffer[shift:shift + size] = b"".join(frames)
            inside = ctypes.c_char.from_buffer(buffer, shift)
            done = check(LIBC.write(self.fd, ctypes.addressof(inside), size))
            del inside
        self.assertEqual(done, size)
        self.assertEqual(self.batches()[-1], len(frames))
        self.assertEqual(
            self.read("l", "ranges", f"{first}-"),
            b"".join(f[16:] for f in frames))

    def test_a_mebibyte_from_an_aligned_buffer_is_one_batch(self):
        self.write_from(0, MIB)

    def test_a_mebibyte_from_any_place_in_a_page_is_one_batch(self):
        for shift in (1, 8, 100, 2048, PAGE - 16, PAGE - 1):
            with self.subTest(shift=shift):
                self.write_from(shift, MIB)

    def test_nearly_a_mebibyte_from_any_place_in_a_page_is_one_batch(self):
        for size in (MIB - 1, MIB - PAGE + 1, MIB - PAGE, MIB - PAGE - 1):
            for shift in (0, 1, PAGE - 1):
                with self.subTest(size=size, shift=shift):
                    self.write_from(shift, size)

    def test_a_mebibyte_of_smallest_entries_is_one_batch(self):
        count = MIB // 17
        self.put(*(frame(b"%d" % (i % 10)) for i in range(count)))
        self.assertEqual(self.batches(), [count])
        self.assertEqual(self.counters(), (0, count))

    def test_a_vector_of_100_pieces_is_one_batch(self):
        # The kernel makes a page of each piece, and a request of 256 pages.
        pieces = self.frames_of(MIB)[:100]
        self.assertEqual(os.writev(self.fd, pieces), sum(map(len, pieces)))
        self.assertEqual(self.batches(), [100])

    def test_a_mebibyte_that_ends_inside_of_a_frame_appends_nothing(self):
        data = b"".join(self.frames_of(MIB + 1))[:MIB]
        for shift in (0, 5):
            with mmap.mmap(-1, 2 * PAGE + MIB) as buffer:
                buffer[shift:shift + MIB] = data
                inside = ctypes.c_char.from_buffer(buffer, shift)
                LIBC.write(self.fd, ctypes.addressof(inside), MIB)
                del inside
            self.assertEqual(self.counters(), (0, 0))
        other = os.open(self.at("l", "batch"), os.O_WRONLY)
        os.write(other, frame(b"whole"))
        os.close(other)
        self.assertEqual(self.entries(), [b"whole"])


class Crowd(BatchCase):
    """Batches of many processes."""

    options = "sync=manual,segment-size=1M"

    def write_batches(self, name, count):
        rng = random.Random(name)
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        for number in range(count):
            size = rng.randrange(1, 30)
            os.write(fd, b"".join(
                frame(b"%d %d %d" % (name, number, i) + b"." * i, size)
                for i in range(size)))

    def test_batches_of_many_writers_stay_together(self):
        children = [Child(self, self.write_batches, name, 1000)
                    for name in range(4)]
        for child in children:
            child.done()
        at = 0
        index = self.index()
        data = self.read("l", "ranges", "0-.idx")
        self.assertEqual(len(data), 24 * len(index))
        entries = self.entries()
        for size in self.batches():
            run = entries[at:at + size]
            name, number, _ = run[0].rstrip(b".").split()
            self.assertEqual(run, [b"%s %s %d" % (name, number, i) + b"." * i
                                   for i in range(size)])
            self.assertEqual({r.tag for r in index[at:at + size]}, {size})
            at += size
        self.assertEqual(len(self.batches()), 4000)


if __name__ == "__main__":
    mounted.main()
