# SPDX-License-Identifier: MIT
"""Following a log: what is next comes as soon as it is there.

Whatever the log goes through meanwhile.
"""

import errno
import fcntl
import os
import random
import select
import signal
import subprocess
import threading
import time

import mounted
from clients import Child, Linked, frame

SOON = mounted.PATIENCE * 1000


def read_exactly(fd, size):
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {size} bytes, then the end")
        data += part
    return data


class FollowCase(mounted.MountCase):
    """A log of three lines, and streams of it."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        self.append("a\nbb\nccc\n")

    def follow(self, name="follow", flags=0):
        fd = os.open(self.at("l", name), os.O_RDONLY | flags)
        self.addCleanup(os.close, fd)
        return fd

    def in_thread(self, function, *arguments):
        """Calls it; returns a function that waits for its result."""
        results = []
        thread = threading.Thread(
            target=lambda: results.append(function(*arguments)))
        thread.start()

        def wait():
            thread.join(mounted.PATIENCE)
            return results[0]
        return wait


class Streams(FollowCase):
    """One reader."""

    def test_it_begins_with_what_is_new(self):
        fd = self.follow()
        self.append("new\n")
        self.assertEqual(os.read(fd, 100), b"new\n")

    def test_it_can_begin_with_any_entry(self):
        self.assertEqual(os.read(self.follow("follow@0"), 100), b"a\nbb\nccc\n")
        self.assertEqual(os.read(self.follow("follow@2"), 100), b"ccc\n")

    def test_it_can_begin_with_an_entry_that_will_come(self):
        fd = self.follow("follow@4", os.O_NONBLOCK)
        self.append("3\n")
        self.fails(errno.EAGAIN, os.read, fd, 100)
        self.append("4\n5\n")
        self.assertEqual(os.read(fd, 100), b"4\n5\n")

    def test_a_read_waits_for_an_append(self):
        fd = self.follow()
        for line in (b"x\n", b"yy\n", b"z" * 5000 + b"\n"):
            got = self.in_thread(read_exactly, fd, len(line))
            self.append(line)
            self.assertEqual(got(), line)

    def test_without_waiting_it_says_that_there_is_nothing(self):
        fd = self.follow("follow@2", os.O_NONBLOCK)
        self.assertEqual(os.read(fd, 2), b"cc")
        self.assertEqual(os.read(fd, 2), b"c\n")
        self.fails(errno.EAGAIN, os.read, fd, 2)

    def test_it_can_be_told_not_to_wait_later(self):
        fd = self.follow()
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
        self.fails(errno.EAGAIN, os.read, fd, 2)

    def test_entries_of_no_bytes_are_passed_over(self):
        fd = self.follow()
        self.write(frame(b"") * 3 + frame(b"x") + frame(b""), "l", "batch")
        self.assertEqual(os.read(fd, 100), b"x")
        self.append("y\n")
        self.assertEqual(os.read(fd, 100), b"y\n")

    def test_it_goes_on_across_segments(self):
        rng = random.Random(3)
        want = b"".join(b"%d " % i + b"." * rng.randrange(9000) + b"\n"
                        for i in range(800))
        fd = self.follow()
        got = self.in_thread(read_exactly, fd, len(want))
        self.append(want)
        self.assertTrue(got() == want)
        self.assertGreater(int(self.status()["segments"]), 3)
        fd = self.follow("follow@3")
        self.assertTrue(read_exactly(fd, len(want)) == want)

    def test_it_cannot_be_sought(self):
        fd = self.follow("follow@0")
        self.fails(errno.ESPIPE, os.lseek, fd, 0, os.SEEK_SET)
        self.fails(errno.ESPIPE, os.pread, fd, 1, 0)

    def test_a_signal_ends_the_wait(self):
        reader = Child(self, lambda: os.read(self.follow(), 10))
        mounted.until(lambda: self.waits(reader.pid), "it waits")
        reader.kill(signal.SIGTERM)
        self.assertEqual(reader.wait(), -signal.SIGTERM)
        # And nothing that came later was lost to it.
        fd = self.follow("follow@3")
        self.append("later\n")
        self.assertEqual(os.read(fd, 10), b"later\n")

    def waits(self, pid):
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            return file.read().startswith(("request_wait", "fuse_"))

    def test_many_are_interrupted_while_more_comes(self):
        end = time.monotonic() + 2
        appending = Child(self, self.append_until, end)
        while time.monotonic() < end:
            reader = Child(self, self.read_for_ever)
            time.sleep(0.002)
            reader.kill(signal.SIGTERM)
            self.assertEqual(reader.wait(), -signal.SIGTERM)
        appending.done()
        self.assertTrue(self.status(".maplog", "status"))

    def append_until(self, end):
        fd = os.open(self.at("l", "append"), os.O_WRONLY)
        while time.monotonic() < end:
            os.write(fd, b"x\n")

    def read_for_ever(self):
        while True:
            fd = os.open(self.at("l", "follow"), os.O_RDONLY)
            os.read(fd, 10)
            os.close(fd)

    def test_a_daemon_that_ends_ends_the_wait(self):
        reader = Child(self, self.read_to_its_error, self.follow())
        mounted.until(lambda: self.waits(reader.pid), "it waits")
        self.daemon.process.terminate()
        self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)
        reader.done()

    def read_to_its_error(self, fd):
        self.fails((errno.ENOTCONN, errno.ECONNABORTED), os.read, fd, 10)


class History(FollowCase):
    """Truncations and trims."""

    def test_what_was_read_and_truncated_is_one_error(self):
        fd = self.follow("follow@0")
        os.read(fd, 100)
        self.control("truncate 1")
        self.append("new\n")
        self.fails(errno.ESTALE, os.read, fd, 100)
        self.append("newer\n")
        self.assertEqual(read_exactly(fd, 10), b"new\nnewer\n")

    def test_more_than_was_read_takes_its_place_and_none_is_missed(self):
        fd = self.follow("follow@0")
        os.read(fd, 100)
        self.control("truncate 1")
        lines = b"".join(b"new %d\n" % i for i in range(1000))
        self.append(lines)
        self.fails(errno.ESTALE, os.read, fd, 100)
        self.assertEqual(read_exactly(fd, len(lines)), lines)

    def test_a_truncation_before_what_it_began_with_is_one_error(self):
        fd = self.follow()
        self.control("truncate 1")
        self.append("1\n2\n3\n4\n")
        self.fails(errno.ESTALE, os.read, fd, 100)
        self.assertEqual(read_exactly(fd, 8), b"1\n2\n3\n4\n")

    def test_half_of_an_entry_that_stays_goes_on(self):
        fd = self.follow("follow@1")
        self.assertEqual(os.read(fd, 1), b"b")
        self.control("truncate 2")
        self.append("other\n")
        self.assertEqual(read_exactly(fd, 8), b"b\nother\n")

    def test_every_entry_comes_once_while_others_are_truncated(self):
        fd = self.follow("follow@0")
        lines = [b"a\n", b"bb\n", b"ccc\n"]
        seen = []
        for turn in range(200):
            if turn % 3 == 0:
                keep = turn * 7 % len(lines) + 1
                self.control(f"truncate {keep}")
                del lines[keep:]
            self.append(f"turn {turn}\nand more {turn}\n")
            lines += [b"turn %d\n" % turn, b"and more %d\n" % turn]
            if turn % 4 == 1:
                continue
            while seen != lines:
                try:
                    got = os.read(fd, 1 << 16)
                    seen += got.splitlines(True)
                except OSError as error:
                    self.assertEqual(error.errno, errno.ESTALE)
                    # What is there by now is told again from where they
                    # are the same.
                    same = 0
                    while seen[same:same + 1] == lines[same:same + 1] and \
                            same < len(seen):
                        same += 1
                    self.assertLess(same, len(seen))
                    del seen[same:]

    def test_a_wait_is_ended_by_a_truncation_of_what_was_read(self):
        fd = self.follow("follow@0")
        os.read(fd, 100)

        def read():
            try:
                return os.read(fd, 100)
            except OSError as error:
                return error.errno
        got = self.in_thread(read)
        self.control("truncate 2")
        self.assertEqual(got(), errno.ESTALE)

    def test_what_was_not_read_yet_may_be_truncated(self):
        fd = self.follow("follow@0")
        self.assertEqual(os.read(fd, 2), b"a\n")
        self.control("truncate 1")
        self.append("other\n")
        self.assertEqual(os.read(fd, 100), b"other\n")

    def test_half_of_an_entry_that_is_truncated_is_an_error(self):
        fd = self.follow("follow@2")
        self.assertEqual(os.read(fd, 1), b"c")
        self.control("truncate 2")
        self.append("other\n")
        self.fails(errno.ESTALE, os.read, fd, 100)

    def test_an_overwrite_of_what_was_read_is_one_error(self):
        fd = self.follow("follow@2")
        os.read(fd, 100)
        self.control(b"overwrite 2 4\nnew\n")
        self.fails(errno.ESTALE, os.read, fd, 100)
        self.append("3\n")
        self.assertEqual(read_exactly(fd, 6), b"new\n3\n")

    def test_a_trim_of_what_was_not_read_yet_is_one_error(self):
        self.control("seal")
        self.append("3\n")
        fd = self.follow("follow@0")
        self.control("trim 3")
        self.fails(errno.ESTALE, os.read, fd, 100)
        self.assertEqual(os.read(fd, 100), b"3\n")

    def test_a_truncation_far_behind_changes_nothing(self):
        fd = self.follow("follow@0")
        self.assertEqual(os.read(fd, 2), b"a\n")
        for _ in range(5):
            self.append("x\n")
            self.control("truncate 3")
        self.append("y\n")
        self.assertEqual(read_exactly(fd, 9), b"bb\nccc\ny\n")

    def test_every_entry_of_a_damaged_log_but_the_bad_one_comes(self):
        self.control("seal")
        self.append("3\n")
        self.stop()
        path = os.path.join(self.store, "l", f"{0:020}.log")
        with open(path, "r+b") as file:
            file.seek(3)
            file.write(b"X")
        self.start()
        fd = self.follow("follow@0")
        self.assertEqual(os.read(fd, 2), b"a\n")
        self.fails(errno.EIO, os.read, fd, 3)
        self.assertEqual(os.read(self.follow("follow@2"), 6), b"ccc\n")


class Polls(FollowCase):
    """poll, select and epoll."""

    def test_poll_says_when_there_is_something(self):
        fd = self.follow()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        for i in range(200):
            self.assertEqual(poll.poll(0), [])
            appended = self.in_thread(self.append, f"{i}\n")
            self.assertEqual(poll.poll(SOON), [(fd, select.POLLIN)])
            appended()
            self.assertEqual(os.read(fd, 100), b"%d\n" % i)

    def test_epoll_wakes_all_that_wait(self):
        fds = [self.follow(flags=os.O_NONBLOCK) for _ in range(20)]
        with select.epoll() as epoll:
            for fd in fds:
                epoll.register(fd, select.EPOLLIN)
            for i in range(50):
                self.append(f"{i}\n")
                waiting = set(fds)
                while waiting:
                    for fd, _ in epoll.poll(mounted.PATIENCE):
                        self.assertEqual(os.read(fd, 100), b"%d\n" % i)
                        waiting.remove(fd)

    def test_the_first_who_ask_are_woken(self):
        # Nobody watched the log before.
        for i in range(30):
            self.make(f"new{i}")
            fd = os.open(self.at(f"new{i}", "follow"), os.O_RDONLY)
            waits = [self.in_thread(select.select, [fd], [], [],
                                    mounted.PATIENCE) for _ in range(2)]
            self.append("x\n", f"new{i}")
            for wait in waits:
                self.assertEqual(wait()[0], [fd])
            os.close(fd)

    def test_a_truncation_of_what_was_read_is_something(self):
        fd = self.follow("follow@0")
        os.read(fd, 100)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        self.assertEqual(poll.poll(0), [])
        self.control("truncate 0")
        self.assertEqual(poll.poll(SOON), [(fd, select.POLLIN)])
        self.fails(errno.ESTALE, os.read, fd, 100)

    def test_other_files_are_always_ready(self):
        for name in ("status", "entries/0", f"segments/{0:020}.log"):
            with open(self.at("l", name), "rb") as file:
                self.assertEqual(
                    select.select([file], [], [], 0)[0], [file], name)


class Tools(FollowCase):
    """What people type, and other processes that write."""

    def tool(self, *command):
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen(command, cwd=self.mnt, bufsize=0,
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.stdout.fileno()

    def test_cat_grep_and_read_of_follow(self):
        outs = [self.tool("cat", "l/follow@0"),
                self.tool("grep", "--line-buffered", "", "l/follow@0"),
                self.tool("bash", "-c", 'while read -r line; do echo "$line";'
                          "done < l/follow@0")]
        want = b"a\nbb\nccc\n" + b"".join(b"%d\n" % i for i in range(500))
        for i in range(500):
            self.append(f"{i}\n")
        for out in outs:
            self.assertEqual(read_exactly(out, len(want)), want)

    def test_tail_follows_the_active_segment(self):
        name = f"l/segments/{0:020}"
        data = self.tool("tail", "-c", "+1", "-s", "0.05", "-f", name + ".log")
        index = self.tool("tail", "-c", "+1", "-s", "0.05", "-f", name + ".idx")
        want = b"a\nbb\nccc\n"
        for i in range(20):
            line = b"line %d " % i + b"." * (i * 300) + b"\n"
            self.append(line)
            self.assertEqual(read_exactly(data, len(want)), want)
            want = line
        self.assertEqual(read_exactly(data, len(want)), want)
        read_exactly(index, 23 * 24)
        # It ends; what comes goes to the next one.
        self.control("seal")
        self.append("behind\n")
        following = self.tool("tail", "-c", "+1", "-s", "0.05", "-f",
                              f"l/segments/{23:020}.log")
        self.assertEqual(read_exactly(following, 7), b"behind\n")
        self.assertEqual(select.select([data], [], [], 0.2)[0], [])

    def test_a_range_to_the_end_can_be_followed(self):
        out = self.tool("tail", "-c", "+1", "-s", "0.05", "-f", "l/ranges/1-")
        want = b"bb\nccc\n"
        for i in range(10):
            self.assertEqual(read_exactly(out, len(want)), want)
            want = b"%d\n" % i * 400
            self.append(want)

    def test_a_range_goes_on_when_what_it_has_not_shown_is_truncated(self):
        with open(self.at("l", "ranges", "1-"), "rb", buffering=0) as file:
            self.assertEqual(file.read(), b"bb\nccc\n")
            self.append("not shown\n")
            self.control("truncate 3")
            self.append("3\n")
            self.assertEqual(file.read(), b"3\n")
            self.control("truncate 4")
            self.append("4\n")
            self.assertEqual(file.read(), b"4\n")

    @mounted.only(mounted.PASSTHROUGH, "the kernel reads what it has cached")
    def test_a_range_of_which_something_is_truncated_says_so_at_its_end(self):
        with open(self.at("l", "ranges", "1-"), "rb", buffering=0) as file, \
                open(self.at("l", "ranges", "1-.idx"), "rb",
                     buffering=0) as index:
            self.assertEqual(file.read(), b"bb\nccc\n")
            self.assertEqual(len(index.read()), 48)
            self.control("truncate 2")
            self.append("other\nothers\n")
            self.fails(errno.ESTALE, file.read, 10)
            self.fails(errno.ESTALE, index.read, 10)
            # What it is, it stays; by its name it is something else.
            file.seek(0)
            self.assertEqual(file.read(7), b"bb\nccc\n")
        self.assertEqual(self.read("l", "ranges", "1-"),
                         b"bb\nother\nothers\n")

    def test_a_process_with_the_library_is_followed(self):
        self.stop()
        linked = Linked(self, os.path.join(self.store, "l"))
        linked.append(b"3\n")
        self.start()
        fd = self.follow("follow@2")
        self.assertEqual(os.read(fd, 100), b"ccc\n3\n")
        for i in range(4, 200):
            got = self.in_thread(os.read, fd, 100)
            linked.append(b"%d\n" % i)
            self.assertEqual(got(), b"%d\n" % i)
        linked.close()


class Crowd(FollowCase):
    """Many followers of many appends."""

    def read_all(self, want, pause):
        fd = os.open(self.at("l", "follow@3"), os.O_RDONLY)
        rng = random.Random(pause)
        at = 0
        while at < len(want):
            part = os.read(fd, rng.choice((10, 4096, 1 << 20)))
            if part != want[at:at + len(part)]:
                raise AssertionError(f"other bytes than appended at {at}")
            at += len(part)
            time.sleep(pause)

    def test_each_gets_all_and_a_slow_one_holds_up_nobody(self):
        want = b"".join(b"%d " % i + b"." * (i % 500) + b"\n"
                        for i in range(20000))
        slow = Child(self, self.read_all, want, 1)
        quick = [Child(self, self.read_all, want, 0) for _ in range(4)]
        self.append(want)
        for child in quick:
            child.done()
        slow.kill()


if __name__ == "__main__":
    mounted.main()
