# SPDX-License-Identifier: MIT
"""kill -9, at any time: nothing that was acknowledged is lost.

And nobody who reads meanwhile sees a gap, a wrong byte or SIGBUS.
scripts/kill-soak goes many more rounds.
"""

import mmap
import os
import random
import shutil
import signal
import subprocess
import time

import mounted
from churn import Follower, MappedReader, Model, Writer, is_gone, make
from clients import Child, Linked, frame

ROUNDS = int(os.environ.get("MAPLOG_ROUNDS", "12"))
SEED = int(os.environ.get("MAPLOG_SEED", "31"))
POLICIES = ("always", "manual", "interval=1ms")

# Within a segment, across several, and to where one begins or ends.
STEPS = ((b"append", 2), (b"append", 200), (b"append", 200), (b"sync", 0),
         (b"seal", 0), (b"append", 3), (b"overwrite", 404), (b"append", 2),
         (b"truncate", 405), (b"append", 200), (b"append", 200),
         (b"truncate", 300), (b"trim", 250), (b"append", 2),
         (b"truncate", 250), (b"overwrite", 250), (b"append", 1), (b"sync", 0))

# What the daemon does to its store.
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate",
         "renameat", "unlinkat", "openat", "mmap", "munmap", "close", "ioctl",
         "writev")


class KillCase(mounted.MountCase):
    """A daemon that is killed, and one that comes after it."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.rng = random.Random(SEED)
        self.make()
        self.model = Model()

    def kill_and_mount(self):
        self.daemon.kill()
        self.daemon.clear()
        self.start()

    def holds_one_of(self, before, after, what):
        """The log is as it was acknowledged, or has what was under way."""
        for model in (after, before):
            if model.is_in(self):
                self.model = model
                self.assertEqual(self.control("verify"),
                                 f"ok entries={len(model.entries)}")
                return
        self.fail(f"{what}: {self.counters()}, neither "
                  f"{before.first}..{before.next} nor "
                  f"{after.first}..{after.next}")

    def mapped_reader(self):
        """In passthrough mode, a reader that outlives daemons."""
        stop = mmap.mmap(-1, 1)
        if mounted.mode() == mounted.PASSTHROUGH:
            child = MappedReader(self, stop)
        else:
            child = None

        def end():
            stop[0] = 1
            if child:
                child.done()
            stop.close()
        return end


class Daemons(KillCase):
    """The daemon is killed."""

    def test_at_any_time_while_everything_is_changed_and_read(self):
        end = self.mapped_reader()
        for turn in range(ROUNDS):
            self.control(f"set sync {POLICIES[turn % 3]}")
            writer = Writer(self, self.model, SEED + turn + 1)
            follower = Follower(self)
            time.sleep(self.rng.random() * 0.05)
            self.kill_and_mount()
            self.holds_one_of(*writer.result(), f"turn {turn}")
            follower.done()
            if turn % 10 == 9:
                end()
                end = self.mapped_reader()
        end()

    def test_while_lines_stream_in_none_that_was_taken_is_lost(self):
        taken = 0
        for turn in range(max(2, ROUNDS // 3)):
            self.control(f"set sync {POLICIES[turn % 3]}")
            told, tell = os.pipe()
            fd = os.open(self.at("l", "append"), os.O_WRONLY)
            child = Child(self, self.stream, fd, tell, taken)
            os.close(tell)
            os.close(fd)
            time.sleep(self.rng.random() * 0.05)
            self.kill_and_mount()
            with os.fdopen(told, "rb") as file:
                last = int(file.read() or taken)
            child.done()
            lines = self.read("l", "ranges", "0-").splitlines(keepends=True)
            self.assertIn(len(lines), (last, last + 1))
            self.assertEqual(lines[:last], [b"%d of a stream\n" % i
                                            for i in range(last)])
            taken = len(lines)

    def stream(self, fd, tell, taken):
        try:
            while True:
                os.write(fd, b"%d of a stream\n" % taken)
                taken += 1
        except OSError as error:
            if not is_gone(error, fd):
                raise
        os.write(tell, b"%d" % taken)


class Writers(KillCase):
    """A process with the library is killed, beside a daemon that reads."""

    def test_at_any_time_while_it_is_read_through_the_mount(self):
        path = os.path.join(self.store, "l")
        end = self.mapped_reader()
        version = 0
        for turn in range(ROUNDS):
            self.stop_softly()
            linked = Linked(self, path)
            first = self.model.next
            entries = []
            entries.append(self.line(first, version))
            linked.append(entries[0])
            self.start()
            follower = Follower(self)
            deadline = time.monotonic() + self.rng.random() * 0.05
            while time.monotonic() < deadline:
                version += 1
                entries.append(self.line(first + len(entries), version))
                linked.append(entries[-1])
            version += 1
            # One that nobody waits for.
            entries.append(self.line(first + len(entries), version))
            linked.process.stdin.write(entries[-1])
            linked.process.stdin.flush()
            linked.kill()
            version += 1
            acknowledged = self.model.plus(entries[:-1])
            self.holds_one_of(acknowledged, self.model.plus(entries),
                              f"turn {turn}")
            # Now it is the daemon's.
            entry = make(self.model.next, version, 3)
            self.control(b"append %d\n" % len(entry) + entry)
            self.model = self.model.plus([entry])
            version += 1
            self.daemon.kill()
            follower.done()
        end()
        self.daemon.clear()
        self.start()
        self.assertTrue(self.model.is_in(self))

    def stop_softly(self):
        if self.daemon.process.poll() is None:
            self.daemon.kill()
        self.daemon.clear()

    def line(self, index, version):
        return make(index, version, self.rng.randrange(60))


class Calls(KillCase):
    """The daemon dies on its way into each of its system calls."""

    # With one thread for requests the n-th call is always the same one.
    options = KillCase.options + ",threads=1"

    def setUp(self):
        super().setUp()
        self.stop()
        if subprocess.run(["strace", "-f", "true"], capture_output=True,
                          check=False).returncode:
            print("SKIP: strace is not permitted", flush=True)
            self.skipTest("no strace")

    def steps(self):
        """(file, what to write to it, the model with that), one by one"""
        model, version = Model(), 0
        for kind, number in STEPS:
            data = b"%s %d\n" % (kind, number)
            if kind == b"append":
                entries = [make(model.next + i, version + i, 3000)
                           for i in range(number)]
                model = model.plus(entries)
                yield "batch", b"".join(map(frame, entries)), model
            elif kind == b"overwrite":
                entry = make(number, version, 10)
                model = model.cut(number).plus([entry])
                yield ("control", b"overwrite %d %d\n" % (number, len(entry))
                       + entry, model)
            elif kind == b"truncate":
                model = model.cut(number)
                yield "control", data, model
            elif kind == b"trim":
                model = model.trimmed(number)
                yield "control", data, model
            else:
                yield "control", kind + b"\n", model
            version += number

    def go(self):
        """Goes on until the daemon is gone: (whether it is, the log before
        the last step, and after it)."""
        before = after = Model()
        fds = {}
        try:
            for name in ("control", "batch"):
                fds[name] = os.open(self.at("l", name), os.O_RDWR)
            for name, data, after in self.steps():
                os.write(fds[name], data)
                before = after
        except OSError as error:
            self.assertTrue(is_gone(error, next(iter(fds.values()), -1)))
            return True, before, after
        finally:
            for fd in fds.values():
                os.close(fd)
        return False, after, after

    def trace(self, call, number):
        """Has strace kill the daemon when a thread of it calls that."""
        # pylint: disable-next=consider-using-with
        strace = subprocess.Popen(
            ["strace", "-f", "-p", str(self.daemon.pid), "-o", "/dev/null",
             "-e", f"trace={call}",
             "-e", f"inject={call}:signal=KILL:when={number}"],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        # One line when it holds all threads.
        self.assertIn(b"attached", strace.stderr.readline())
        return strace

    def dies_at(self, call, number):
        """False if there are not so many calls."""
        shutil.rmtree(os.path.join(self.store, "l"))
        self.start()
        self.make()
        strace = self.trace(call, number)
        died, before, after = self.go()
        if not died:
            strace.terminate()
        strace.communicate()
        # It may also have been called after the last step.
        if not died and self.daemon.unmount() == 0:
            return False
        self.assertEqual(self.daemon.process.wait(), -signal.SIGKILL)
        self.kill_and_mount()
        self.holds_one_of(before, after, f"{call} {number}")
        self.stop()
        return True

    def test_in_any_system_call(self):
        # Each of them once; what differs in other runs is not in the store.
        each = mounted.mode() == mounted.PASSTHROUGH and \
            not mounted.is_sanitized()
        for call in CALLS:
            number = 1
            while self.dies_at(call, number):
                number += 1 if each else 6
            self.assertGreater(number, 1, f"there is no {call}")


if __name__ == "__main__":
    mounted.main()
