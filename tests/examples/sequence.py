# SPDX-License-Identifier: MIT
"""maplog.py: a log of a mount as a sequence in Python."""

import errno
import threading

import example
import mounted

numpy = example.numpy()
maplog = __import__("maplog")  # of examples/, where `example` points


class Sequence(mounted.MountCase):
    """With `self.log`, the log l."""

    def setUp(self):
        super().setUp()
        self.make()
        self.log = maplog.Log(self.at("l"))
        self.addCleanup(delattr, self, "log")

    def settle(self):
        """Until the mapped counters are the real ones: at once, mostly."""
        def settled():
            status = self.status()
            return [self.log.first, self.log.next, self.log.generation] == \
                [int(status[key]) for key in ("first", "next", "generation")]

        if mounted.mode() == mounted.PASSTHROUGH:
            self.assertTrue(settled())
        mounted.until(settled, "the counters are there")

    def put(self, *entries, **named):
        self.log.append(*entries, **named)
        self.settle()

    def order(self, command):
        self.control(command)
        self.settle()

    def fill(self, n):
        self.put(*(f"entry {i}".encode() for i in range(n)))

    def test_an_index_gives_an_entry_and_a_slice_some(self):
        self.fill(50)
        self.assertEqual(self.log[42], b"entry 42")
        self.assertEqual(self.log[-1], b"entry 49")
        self.assertEqual(self.log[10:13],
                         [b"entry 10", b"entry 11", b"entry 12"])
        self.assertEqual(self.log[-3::2], [b"entry 47", b"entry 49"])
        self.assertEqual(len(self.log), 50)
        self.assertIn(b"entry 7", self.log)
        self.assertEqual([bytes(e) for e in self.log], self.entries())

    def test_an_empty_log_is_an_empty_sequence(self):
        self.assertEqual((len(self.log), list(self.log)), (0, []))
        self.assertEqual(list(self.log.arrays("u1")), [])
        with self.assertRaises(IndexError):
            _ = self.log[0]

    def test_entries_of_no_bytes_are_entries(self):
        self.put(b"", b"", b"x", b"")
        self.assertEqual(list(self.log), [b"", b"", b"x", b""])

    def test_entries_of_all_segments_are_found_as_they_come(self):
        wanted = []
        for i in range(6):
            self.put(b"a%d" % i, b"b%d" % i)
            wanted += [b"a%d" % i, b"b%d" % i]
            self.assertEqual(list(self.log), wanted)
            if i % 2:
                self.order("seal")
        self.assertEqual(list(maplog.Log(self.at("l"))), wanted)

    def test_the_record_has_the_tag(self):
        self.put(b"x", tag=2**64 - 1)
        self.assertEqual(self.log.record(0)["tag"], 2**64 - 1)

    def test_what_was_trimmed_is_out_of_range(self):
        self.fill(10)
        self.order("trim 4")
        self.assertEqual(self.log.first, 4)
        self.assertEqual(len(list(self.log)), 6)
        with self.assertRaises(IndexError):
            _ = self.log[3]

    def test_a_truncated_log_is_looked_up_anew_and_old_bytes_stay(self):
        self.fill(10)
        old = self.log[8]
        self.order("truncate 5")
        self.put(*[b"new"] * 5)
        self.assertEqual(self.log[8], b"new")
        self.assertEqual(old, b"entry 8")
        self.assertEqual(self.log[4], b"entry 4")

    def test_entries_lie_in_the_mapped_file_and_cannot_be_written(self):
        self.fill(3)
        entry = self.log[1]
        address = numpy.frombuffer(entry, "u1").ctypes.data
        with open("/proc/self/maps", encoding="utf-8") as maps:
            found = [line for line in maps if address in range(*(
                int(end, 16) for end in line.split()[0].split("-")))]
        self.assertRegex(found[0], r"/0{20}\.log$")
        self.assertTrue(entry.readonly)

    def test_arrays_are_the_mapped_files(self):
        rows = numpy.arange(12, dtype="<f4").reshape(4, 3)
        self.put(*(row.tobytes() for row in rows[:2]))
        self.order("seal")
        self.put(*(row.tobytes() for row in rows[2:]))
        found = list(self.log.arrays(("<f4", 3)))
        self.assertEqual([base for base, _ in found], [0, 2])
        self.assertTrue((numpy.concatenate([a for _, a in found])
                         == rows).all())
        self.order("trim 1")
        self.assertEqual([(base, len(array)) for base, array
                          in self.log.arrays(("<f4", 3))], [(1, 1), (2, 2)])

    def test_arrays_of_entries_of_other_sizes_are_refused(self):
        self.put(b"1234", b"123", b"12345")
        with self.assertRaises(ValueError):
            list(self.log.arrays("<f4"))

    def test_following_waits_for_what_is_new(self):
        self.fill(2)
        got = []

        def follow():
            for entry in self.log.follow(0):
                got.append(bytes(entry))
                if entry == b"last":
                    return

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        mounted.until(lambda: len(got) == 2, "what is there")
        self.put(b"a", b"b")
        mounted.until(lambda: len(got) == 4, "what comes")
        self.order("seal")
        self.put(b"last")
        thread.join(mounted.PATIENCE)
        self.assertEqual(got, [b"entry 0", b"entry 1", b"a", b"b", b"last"])

    def test_following_tells_of_a_truncation_that_took_what_was_read(self):
        self.fill(5)
        follower = self.log.follow(0)
        for _ in range(5):
            next(follower)
        self.order("truncate 3")
        self.put(*[b"new"] * 5)
        self.fails(errno.ESTALE, next, follower)

    def test_following_goes_on_if_what_was_read_is_still_there(self):
        self.fill(5)
        follower = self.log.follow(0)
        for _ in range(3):
            next(follower)
        self.order("truncate 3")
        self.put(b"new")
        self.assertEqual(next(follower), b"new")


if __name__ == "__main__":
    mounted.main()
