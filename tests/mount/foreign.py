# SPDX-License-Identifier: MIT
"""Other processes on the same store: they write, and the mount shows it.

And the other way round: the daemon writes, and the command looks on.
"""

import errno
import os
import resource
import shutil
import subprocess

import mounted
from clients import HEAD_NEXT, PAGE, Linked, Mapping

WRITERS = ("append", "batch", "control")


class ForeignCase(mounted.MountCase):
    """A log `f` that another process writes to."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.f = os.path.join(self.store, "f")
        self.maplog("create", "--option=segment-size=1M", self.f)
        self.linked = Linked(self, self.f)
        self.linked.append(b"0\n", b"1\n")

    def maplog(self, *arguments, status=0, take=""):
        done = subprocess.run([mounted.MAPLOG, *arguments], input=take,
                              capture_output=True, text=True, check=False,
                              timeout=mounted.PATIENCE)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr if status else done.stdout

    def cannot_be_written(self):
        for name in WRITERS:
            self.fails(errno.EBUSY, os.open, self.at("f", name), os.O_WRONLY)
        self.fails(errno.EBUSY, os.open, self.at("f", "control"), os.O_RDWR)
        self.fails(errno.EBUSY, os.rmdir, self.at("f"))

    def can_be_written(self):
        first, next_ = self.counters("f")
        self.append("ours\n", "f")
        self.assertEqual(self.control("sync", "f"), f"ok durable={next_ + 1}")
        self.assertEqual(self.entry(next_, "f"), b"ours\n")
        status = self.status("f", "status")
        self.assertEqual(status["state"], "writable")
        self.assertEqual(status["writer"],
                         self.status(".maplog", "status")["pid"])
        return first


class Shown(ForeignCase):
    """Live and read-only."""

    def test_it_is_shown_and_cannot_be_written(self):
        self.assertEqual(self.entries("f"), [b"0\n", b"1\n"])
        self.cannot_be_written()
        status = self.status("f", "status")
        self.assertEqual(status["state"], "read-only")
        self.assertEqual(status["reason"], "another process writes")
        self.assertEqual(status["writer"], str(self.linked.pid))

    def test_every_append_is_seen_at_once_in_every_file(self):
        want = b"0\n1\n"
        with open(self.at("f", "ranges", "0-"), "rb", buffering=0) as range_, \
                open(self.at("f", "segments", f"{0:020}.log"), "rb",
                     buffering=0) as data:
            for i in range(2, 300):
                line = b"%d" % i + b"." * (i * 7) + b"\n"
                self.linked.append(line)
                want += line
                for file in (range_, data):
                    self.assertEqual(os.fstat(file.fileno()).st_size,
                                     len(want))
                    self.assertEqual(os.pread(file.fileno(), 1 << 20, 0), want)
                self.assertEqual(self.entry(i, "f"), line)
                self.assertEqual(self.counters("f"), (0, i + 1))
                self.assertEqual(self.read("f", "ranges", "-1"), line)

    def test_rolls_are_seen(self):
        line = b"x" * 99999 + b"\n"
        self.linked.append(*[line] * 35)
        self.assertEqual(self.counters("f"), (0, 37))
        self.assertEqual(len(os.listdir(self.at("f", "segments"))), 8)
        self.assertEqual(self.sh("cat f/segments/*.log"),
                         b"0\n1\n" + line * 35)

    def test_the_mapped_head_is_live(self):
        with Mapping(self.at("f", "head"), PAGE) as head:
            for i in range(2, 50):
                self.linked.append(b"x\n")
                mounted.until(lambda: head.load64(HEAD_NEXT) == i + 1, "it")

    def test_truncations_and_trims_of_others_are_seen(self):
        self.assertEqual(self.counters("f"), (0, 2))
        self.linked.close()
        for command, index, want in (("truncate", "1", (0, 1)),
                                     ("truncate", "0", (0, 0))):
            self.read("f", "ranges", "0-")
            os.listdir(self.at("f", "entries"))
            # The daemon looks on: it has not been asked to write.
            self.maplog(command, self.f, index)
            self.assertEqual(self.counters("f"), want)
            self.assertEqual(self.read("f", "ranges", "0-"), b"0\n" * want[1])
            self.assertEqual(len(os.listdir(self.at("f", "entries"))), want[1])
        self.maplog("append", self.f, take="a\nb\n")
        self.assertEqual(self.entries("f"), [b"a\n", b"b\n"])

    def test_logs_that_come_and_go_in_the_store_do_so_in_the_mount(self):
        other = os.path.join(self.store, "other")
        for text in ("one\n", "two\n"):
            self.maplog("create", other)
            self.maplog("append", other, take=text)
            mounted.until(lambda: os.path.isdir(self.at("other")), "it comes")
            mounted.until(lambda: self.read("other", "entries", "0")
                          == text.encode(), "it is the new one")
            shutil.rmtree(other)
            mounted.until(lambda: not os.path.isdir(self.at("other")),
                          "it goes")

    def test_what_too_many_files_kept_shut_is_opened_when_there_are_fewer(self):
        other = os.path.join(self.store, "other")
        self.maplog("create", other)
        self.maplog("append", other, take="one\n")
        pid = self.daemon.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # Enough for its directory at most.
        some = len(os.listdir(f"/proc/{pid}/fd")) + 2
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (some, hard))
        self.fails((errno.EIO, errno.EMFILE), os.stat,
                   self.at("other", "head"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        mounted.until(lambda: os.path.exists(self.at("other", "head")),
                      "it is open")
        self.append("two\n", "other")
        self.assertEqual(self.entries("other"), [b"one\n", b"two\n"])

    def test_a_log_of_ours_is_renamed_in_the_store(self):
        self.make("ours")
        for i in range(3):
            old, new = ("ours", "yours") if i % 2 == 0 else ("yours", "ours")
            self.append(f"{i}\n", old)
            os.rename(os.path.join(self.store, old),
                      os.path.join(self.store, new))
            mounted.until(lambda: os.path.isdir(self.at(new)), "it comes")
            self.assertEqual(self.status(new, "status")["state"], "writable")
            mounted.until(lambda: not os.path.isdir(self.at(old)), "it goes")
        self.append("3\n", "yours")
        self.assertEqual(self.sh("cat yours/ranges/0-"), b"0\n1\n2\n3\n")

    def test_a_log_that_is_renamed_in_the_store_is_in_the_mount(self):
        os.rename(self.f, self.f + "2")
        mounted.until(lambda: not os.path.isdir(self.at("f")), "it goes")
        mounted.until(lambda: os.path.isdir(self.at("f2")), "it comes")
        self.assertEqual(self.entries("f2"), [b"0\n", b"1\n"])
        self.linked.append(b"2\n")
        self.assertEqual(self.entry(2, "f2"), b"2\n")


class Taken(ForeignCase):
    """When the other process has ended, the log is the daemon's."""

    def test_when_it_ends_the_log_can_be_written(self):
        self.cannot_be_written()
        self.linked.close()
        self.can_be_written()
        self.assertEqual(self.entries("f"), [b"0\n", b"1\n", b"ours\n"])
        self.says("f: its writer is gone, now it is ours")

    def test_when_it_is_killed_the_log_can_be_written(self):
        self.cannot_be_written()
        self.linked.append(b"2\n")
        self.linked.kill()
        self.can_be_written()
        self.assertEqual(self.entries("f"),
                         [b"0\n", b"1\n", b"2\n", b"ours\n"])

    def test_open_files_go_on(self):
        with open(self.at("f", "ranges", "0-"), "rb", buffering=0) as range_, \
                open(self.at("f", "follow@0"), "rb", buffering=0) as follow, \
                Mapping(self.at("f", "segments", f"{0:020}.log"), 4) as data:
            self.assertEqual(follow.read(100), b"0\n1\n")
            self.linked.kill()
            self.can_be_written()
            self.assertEqual(follow.read(100), b"ours\n")
            self.assertEqual(range_.read(), b"0\n1\nours\n")
            self.assertEqual(data.load(0, 4), b"0\n1\n")

    def test_the_library_is_refused_then(self):
        self.linked.close()
        self.can_be_written()
        said = self.maplog("append", self.f, status=1, take="x\n")
        self.assertIn(str(self.daemon.pid), said)
        self.assertEqual(self.counters("f"), (0, 3))

    def test_what_it_left_torn_is_cut_and_said(self):
        self.cannot_be_written()
        self.linked.kill()
        path = os.path.join(self.f, f"{0:020}.log")
        size = 1 << 20
        # A record behind the last one, as a torn write leaves it.
        with open(path, "r+b") as file:
            file.seek(size + 2 * 24)
            file.write(b"\x05\0\0\0" + b"\xab" * 20)
        # Nobody is to believe its counters.
        self.can_be_written()
        self.assertEqual(self.entries("f"), [b"0\n", b"1\n", b"ours\n"])
        self.says("f: cut a torn tail at entry 2")


class Command(mounted.MountCase):
    """The command beside a daemon that writes."""

    options = "sync=manual"

    def setUp(self):
        super().setUp()
        self.make()
        self.append("a\nb\nc\n")
        self.l = os.path.join(self.store, "l")

    def run_it(self, *arguments, status=0):
        done = subprocess.run([mounted.MAPLOG, *arguments], input=b"x\n",
                              capture_output=True, check=False,
                              timeout=mounted.PATIENCE)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr.decode() if status else done.stdout

    def test_reading_works(self):
        self.assertEqual(self.run_it("read", self.l, "1"), b"b\n")
        self.assertEqual(self.run_it("read", self.l, "0-"), b"a\nb\nc\n")
        self.assertIn(b"l", self.run_it("ls", self.store))
        self.run_it("verify", self.l)
        status = self.run_it("status", self.l).decode()
        self.assertIn(f"writer: {self.daemon.pid}", status)
        self.assertIn("state: live", status)

    def test_writing_says_who_holds_it(self):
        for command in (("append", self.l), ("truncate", self.l, "0"),
                        ("trim", self.l, "1"), ("sync", self.l),
                        ("seal", self.l), ("set", self.l, "sync", "always")):
            said = self.run_it(*command, status=1)
            self.assertIn(f"process {self.daemon.pid} (maplogfs)", said)
            self.assertEqual(said.count("\n"), 1)
        self.assertEqual(self.entries(), [b"a\n", b"b\n", b"c\n"])

    def test_follow_follows_the_daemon(self):
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen(
            [mounted.MAPLOG, "follow", "--from=1", self.l],
            stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        got = b""
        want = b"b\nc\n"
        for i in range(100):
            self.append(f"{i}\n")
            want += b"%d\n" % i
            while len(got) < len(want):
                got += process.stdout.read(len(want) - len(got))
            self.assertEqual(got, want)


if __name__ == "__main__":
    mounted.main()
