# SPDX-License-Identifier: MIT
"""The file append: every line is an entry, whoever writes it and how."""

import errno
import os
import subprocess
import unittest

import mounted
from clients import Child


def lines(data):
    """What is to become of a file: its lines, newlines kept."""
    whole = data.split(b"\n")
    last = whole.pop()
    return [line + b"\n" for line in whole] + ([last] if last else [])


class Shell(mounted.MountCase):
    """What a person does in a shell."""

    def setUp(self):
        super().setUp()
        self.make()

    def holds(self, *wanted):
        self.assertEqual(self.entries(), list(wanted))

    def test_echo_appends_an_entry(self):
        self.sh("echo one > l/append; echo two >> l/append")
        self.holds(b"one\n", b"two\n")

    def test_every_line_of_one_printf_is_an_entry(self):
        self.sh(r"printf 'a\n\nbc\n' >> l/append")
        self.holds(b"a\n", b"\n", b"bc\n")

    def test_a_line_without_newline_becomes_an_entry_at_close(self):
        self.sh("printf half > l/append")
        self.holds(b"half")

    def test_nothing_written_is_no_entry(self):
        self.sh(": > l/append; printf '' >> l/append")
        self.holds()

    def test_half_a_line_waits_for_its_rest_on_the_same_open_file(self):
        self.sh(r"""exec 3>l/append
                    printf half >&3
                    test "$(ls l/entries)" = ""
                    printf 'line\n' >&3
                    test "$(cat l/entries/0)" = halfline
                    exec 3>&-""")
        self.holds(b"halfline\n")

    def test_a_group_of_commands_writes_one_stream(self):
        self.sh("{ printf a; printf b; echo c; printf d; } > l/append")
        self.holds(b"abc\n", b"d")

    def test_tee_appends_what_it_passes_on(self):
        said = self.sh(r"printf 'x\ny\n' | tee -a l/append")
        self.assertEqual(said, b"x\ny\n")
        self.holds(b"x\n", b"y\n")

    def test_dd_with_odd_blocks_cuts_no_line(self):
        data = b"".join(b"line %d of some\n" % i for i in range(3000))
        self.source(data)
        self.sh("dd if=../source of=l/append bs=777 status=none")
        self.assertEqual(self.read("l", "ranges", "0-"), data)
        self.assertEqual(self.counters(), (0, 3000))

    def test_dd_without_truncation_and_with_append_flag_works_too(self):
        self.source(b"a\nb\n")
        self.sh("dd if=../source of=l/append conv=notrunc oflag=append bs=1 "
                "status=none")
        self.holds(b"a\n", b"b\n")

    def test_cp_appends_a_file(self):
        self.source(b"one\ntwo\n")
        self.sh("cp ../source l/append")
        self.holds(b"one\n", b"two\n")

    def test_a_last_line_is_there_when_close_returns(self):
        for i in range(200):
            fd = os.open(self.at("l", "append"), os.O_WRONLY | os.O_APPEND)
            os.write(fd, b"%d" % i)
            os.close(fd)
            self.assertEqual(self.entry(i), b"%d" % i)

    def test_a_last_line_is_there_when_the_shell_goes_on(self):
        self.sh("""for i in {0..199}; do
                       printf $i > l/append
                       test "$(cat l/entries/$i)" = $i
                       test "$(tail -c ${#i} l/segments/*.log)" = $i
                   done""")

    def source(self, data):
        with open(os.path.join(self.work, "source"), "wb") as file:
            file.write(data)


class Files(mounted.MountCase):
    """cat FILE > append, for files of every kind."""

    def check(self, data):
        self.make()
        path = os.path.join(self.work, "source")
        with open(path, "wb") as file:
            file.write(data)
        self.sh('cat "$1" > l/append', path)
        self.assertEqual(self.entries(), lines(data))
        self.sh('cat l/segments/*.log | cmp - "$1"', path)

    def test_an_empty_file_is_no_entry(self):
        self.make()
        self.sh("cat /dev/null > l/append")
        self.assertEqual(self.counters(), (0, 0))

    def test_a_file_without_newline_at_its_end(self):
        self.check(b"one\ntwo")

    def test_carriage_returns_are_kept(self):
        self.check(b"one\r\ntwo\r\n\r\n\rthree\r")

    def test_zero_bytes_are_bytes(self):
        self.check(b"\0\n\0\0\n\na\0b\n\0")

    def test_only_newlines(self):
        self.check(b"\n" * 5000)

    def test_bytes_that_are_no_text(self):
        self.check(bytes(range(256)) * 300)

    def test_lines_longer_than_any_request(self):
        self.check(b"x" * (3 << 20) + b"\n" + b"y" * (1 << 20) + b"\nz\n" +
                   b"w" * ((1 << 20) - 1) + b"\n" + b"v" * (2 << 20))

    def test_lines_that_end_where_a_request_does(self):
        for size in (4095, 4096, 4097):
            with self.subTest(size=size):
                self.check((b"k" * (size - 1) + b"\n") * 40)
                self.sh("echo trim 40 > l/control; rmdir l")


class Streams(mounted.MountCase):
    """Programs that keep it open, and several of them."""

    def setUp(self):
        super().setUp()
        self.make()
        self.fd = os.open(self.at("l", "append"), os.O_WRONLY)
        self.addCleanup(os.close, self.fd)

    def test_a_line_in_single_bytes_is_one_entry(self):
        for byte in b"slowly\nagain\n":
            self.assertEqual(os.write(self.fd, bytes([byte])), 1)
        self.assertEqual(self.entries(), [b"slowly\n", b"again\n"])

    def test_what_is_whole_is_appended_before_the_rest_comes(self):
        os.write(self.fd, b"a\nb\nha")
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        os.write(self.fd, b"lf\nc")
        self.assertEqual(self.entries(), [b"a\n", b"b\n", b"half\n"])

    def test_the_beginnings_of_two_writers_do_not_mix(self):
        other = os.open(self.at("l", "append"), os.O_WRONLY | os.O_APPEND)
        os.write(self.fd, b"one ")
        os.write(other, b"two ")
        os.write(self.fd, b"first\n")
        os.write(other, b"second\n")
        os.close(other)
        self.assertEqual(self.entries(), [b"one first\n", b"two second\n"])

    def test_a_copy_of_the_descriptor_that_is_closed_ends_no_line(self):
        os.write(self.fd, b"be")
        os.close(os.dup(self.fd))
        os.write(self.fd, b"gun\n")
        self.assertEqual(self.entries(), [b"begun\n"])

    def test_it_cannot_be_sought_nor_read(self):
        self.fails(errno.ESPIPE, os.lseek, self.fd, 0, os.SEEK_END)
        self.fails(errno.ESPIPE, os.pwrite, self.fd, b"x\n", 5)
        self.fails(errno.EBADF, os.read, self.fd, 1)
        self.assertEqual(self.read("l", "append"), b"")

    def test_truncating_it_to_nothing_does_nothing(self):
        os.write(self.fd, b"kept\n")
        os.ftruncate(self.fd, 0)
        os.truncate(self.at("l", "append"), 0)
        self.fails(errno.EINVAL, os.ftruncate, self.fd, 7)
        self.assertEqual(self.entries(), [b"kept\n"])

    def test_fsync_makes_the_log_durable(self):
        os.write(self.fd, b"a\nb\n")
        os.fsync(self.fd)
        self.assertEqual(self.status()["durable"], "2")

    @unittest.skipIf(mounted.is_sanitized(), "LSan cannot work under strace")
    def test_fsync_fails_for_ever_once_it_has_failed(self):
        os.write(self.fd, b"a\n")
        trace = self.inject("fdatasync", "error=EIO")
        self.fails(errno.EIO, os.fsync, self.fd)
        trace.terminate()
        trace.wait()
        self.fails(errno.EIO, os.fsync, self.fd)
        other = os.open(self.at("l", "head"), os.O_RDONLY)
        self.addCleanup(os.close, other)
        self.fails(errno.EIO, os.fsync, other)


class Limits(mounted.MountCase):
    """Lines that are longer than the log allows."""

    options = "sync=manual,max-entry=64K,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        self.fd = os.open(self.at("l", "append"), os.O_WRONLY)
        self.addCleanup(os.close, self.fd)

    def test_a_line_of_just_max_entry_is_an_entry(self):
        line = b"m" * 65535 + b"\n"
        os.write(self.fd, line)
        self.assertEqual(self.entries(), [line])

    def test_a_longer_line_is_refused_and_nothing_of_it_appended(self):
        self.fails(errno.EMSGSIZE, os.write, self.fd, b"m" * 65536 + b"\n")
        self.assertEqual(self.entries(), [])
        os.write(self.fd, b"next\n")
        self.assertEqual(self.entries(), [b"next\n"])

    def test_what_came_before_a_longer_line_is_appended(self):
        self.assertEqual(
            os.write(self.fd, b"a\nb\n" + b"m" * 65536 + b"\nafter\n"), 4)
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.fails(errno.EMSGSIZE, os.write, self.fd,
                   b"m" * 65536 + b"\nafter\n")

    def test_a_line_that_gets_too_long_in_pieces_is_dropped_whole(self):
        os.write(self.fd, b"a\n" + b"m" * 60000)
        self.fails(errno.EMSGSIZE, os.write, self.fd, b"m" * 6000)
        os.write(self.fd, b"still of the long line\nb\n")
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])

    def test_cat_says_that_a_line_is_too_long(self):
        path = os.path.join(self.work, "source")
        with open(path, "wb") as file:
            file.write(b"first\n" + b"m" * 200000 + b"\nlast\n")
        done = subprocess.run(["cat", path], check=False, stdout=self.fd,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Message too long", done.stderr)
        self.assertEqual(self.entries(), [b"first\n"])

    def test_lines_of_a_write_that_do_not_fit_in_a_segment_use_two(self):
        line = b"q" * 60000 + b"\n"
        data = line * 18
        while data:
            data = data[os.write(self.fd, data):]
        self.assertEqual(self.entries(), [line] * 18)
        self.assertEqual(self.status()["segments"], "2")


class Crowd(mounted.MountCase):
    """Many processes that append to one log."""

    options = "sync=manual,segment-size=1M"

    def check(self, clients, count, sync):
        self.make(sync=sync)
        children = [Child(self, self.write_lines, name, count)
                    for name in range(clients)]
        for child in children:
            child.done()
        seen = [[] for _ in range(clients)]
        for line in self.read("l", "ranges", "0-").splitlines():
            name, number = line.split()
            seen[int(name)].append(int(number))
        self.assertEqual(seen, [list(range(count))] * clients)
        self.assertEqual(self.counters(), (0, clients * count))

    def write_lines(self, name, count):
        fd = os.open(self.at("l", "append"), os.O_WRONLY)
        for i in range(count):
            os.write(fd, b"%d %d\n" % (name, i))

    def test_two_append_100000_lines_each_in_their_own_order(self):
        self.check(2, 100000, "manual")

    def test_five_append_while_the_log_is_synced(self):
        self.check(5, 10000, "interval=5ms")

    def test_two_append_2000_durable_lines_each(self):
        self.check(2, 2000, "always")


if __name__ == "__main__":
    mounted.main()
