# SPDX-License-Identifier: MIT
"""What the mount tests share: a store, a daemon that mounts it, and checks.

Every test has a directory, a store and a daemon of its own. A test file runs
in one of two modes, which its first argument names:

    passthrough   as root: the kernel reads the store's files itself
    unprivileged  as root of a user namespace: the kernel refuses that

Either way it runs in mount and pid namespaces of its own, so that neither a
mount nor a process outlives it, whatever happens.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.environ.get("MAPLOG_BUILD", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "build"))
MAPLOGFS = os.environ.get("MAPLOGFS", os.path.join(BUILD, "fs", "maplogfs"))
MAPLOG = os.environ.get("MAPLOG", os.path.join(BUILD, "cli", "maplog"))

PASSTHROUGH, UNPRIVILEGED = MODES = ("passthrough", "unprivileged")

# Machines can be slow and busy: only what hangs is to run into this.
PATIENCE = float(os.environ.get("MAPLOG_PATIENCE", "300"))

# What a daemon must never say.
ALARMS = ("Assertion", "Sanitizer", "runtime error", "fuse: ", "double free",
          "corrupted", "no memory", "reading requests")

_INSIDE = "MAPLOG_TEST_MODE"


def mode():
    """The mode that this process runs in."""
    return os.environ[_INSIDE]


def only(wanted, why):
    """Skips a test, or a class of them, in the other mode."""
    return unittest.skipIf(os.environ.get(_INSIDE, wanted) != wanted, why)


def is_sanitized():
    """Whether the daemon keeps what it has freed, to see who uses it."""
    with open(MAPLOGFS, "rb") as file:
        return b"__asan_init" in file.read()


def skip_all(why):
    print(f"SKIP: {os.path.basename(sys.argv[0])}: {why}", flush=True)
    sys.exit(77)


def _enter(wanted):
    """Runs this program again, in namespaces of its own."""
    if not os.path.exists("/dev/fuse"):
        skip_all("there is no /dev/fuse")
    if wanted == PASSTHROUGH and os.geteuid():
        skip_all("needs root")
    flags = ["-m", "-p", "--fork", "--kill-child", "--mount-proc"]
    if wanted == UNPRIVILEGED:
        flags[:0] = ["-U", "-r"]
    tried = subprocess.run(["unshare", *flags, "true"], capture_output=True,
                           text=True, check=False)
    if tried.returncode:
        skip_all(f"no namespaces: {tried.stderr.strip()}")
    os.environ[_INSIDE] = wanted
    sys.stdout.flush()
    os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])


def _can_mount():
    """Whether the kernel lets anybody mount here."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            ["mount", "-i", "-t", "fuse", "none", place, "-o",
             f"fd={fd},rootmode=40000,user_id=0,group_id=0"],
            pass_fds=[fd], capture_output=True, text=True, check=False)
        if not done.returncode:
            subprocess.run(["umount", "-l", place], check=True)
    os.close(fd)
    return done.returncode == 0, done.stderr.strip()


def main():
    """Runs the tests of the program, in the mode that it was told."""
    wanted = PASSTHROUGH
    if len(sys.argv) > 1 and sys.argv[1] in MODES:
        wanted = sys.argv[1]
    if _INSIDE not in os.environ:
        _enter(wanted)
    if sys.argv[1:2] == [wanted]:
        del sys.argv[1]
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    possible, why = _can_mount()
    if not possible:
        skip_all(f"mounting is impossible: {why}")
    unittest.main(verbosity=2)


def until(condition, what):
    """Waits until a condition holds; returns what it returned."""
    end = time.monotonic() + PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"not in {PATIENCE} s: {what}")
        time.sleep(0.005)


def is_mounted(place):
    """Whether something is mounted there; it may be without a daemon."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split()[4] == place for line in file)


def is_traced(pid):
    """Whether a debugger has all threads of a process."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as file:
            if "TracerPid:\t0\n" in file.read():
                return False
    return True


def works(place):
    """Whether a maplogfs answers there."""
    try:
        with open(os.path.join(place, ".maplog", "status"), "rb") as file:
            return file.read()
    except OSError:
        return b""


class Daemon:
    """A maplogfs in the foreground; what it says goes to a file."""

    def __init__(self, store, place, *arguments, said, **popen):
        self.place = place
        self.said = said
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [MAPLOGFS, store, place, "-f", *arguments],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, **popen)
        until(self.is_up, "the daemon mounts")

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(
                f"maplogfs ended with {self.process.returncode}")
        return is_mounted(self.place) and works(self.place)

    @property
    def pid(self):
        return self.process.pid

    def unmount(self):
        """Unmounts as a person does; returns the daemon's exit status."""
        done = subprocess.run(["umount", self.place], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            # Busy: somebody has something open, so it ends by itself only
            # when it is told to.
            subprocess.run(["umount", "-l", self.place], check=False)
            self.process.terminate()
        return self.process.wait(PATIENCE)

    def halt(self):
        """Stops it until it gets SIGCONT. As long as the thread that is to
        take the signal does not run, the others go on; its parent is told
        when none does."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def clear(self):
        """Leaves nothing behind, whatever state it is in."""
        if self.process.poll() is None:
            # -f ends all requests: whoever waits for one goes on.
            subprocess.run(["umount", "-f", self.place], check=False,
                           capture_output=True)
            self.process.kill()
        while is_mounted(self.place):
            subprocess.run(["umount", "-l", self.place], check=False)
        self.process.wait()


class MountCase(unittest.TestCase):
    """A test on a mount. `options` are the daemon's, as after -o."""

    options = "sync=manual"
    last_words = ""

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="maplog-")
        self.addCleanup(shutil.rmtree, self.work)
        self.store = os.path.join(self.work, "store")
        self.mnt = os.path.join(self.work, "mnt")
        os.mkdir(self.store)
        os.mkdir(self.mnt)
        self.said_path = os.path.join(self.work, "said")
        with open(self.said_path, "wb"):
            pass
        self.addCleanup(self._check_said)
        self.daemon = None
        self.start()

    # ---- the daemon ----

    def start(self, *arguments):
        """Starts a daemon on the store; its end is checked by a cleanup."""
        if self.options:
            arguments = ("-o", self.options, *arguments)
        with open(self.said_path, "ab") as said:
            self.daemon = Daemon(self.store, self.mnt, *arguments, said=said)
        self.addCleanup(self._end, self.daemon)

    def _end(self, daemon):
        """A daemon that still runs must end well when it is unmounted."""
        try:
            if daemon.process.poll() is None:
                self.assertEqual(daemon.unmount(), 0, "the daemon's status")
            else:
                self.assertIn(daemon.process.returncode, (0, -9),
                              "the daemon had ended")
        finally:
            daemon.clear()

    def stop(self):
        self.assertEqual(self.daemon.unmount(), 0, "the daemon's status")

    def restart(self, *arguments):
        self.stop()
        self.start(*arguments)

    def said(self):
        with open(self.said_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def says(self, what):
        """The daemon may have done something a moment before it says so."""
        until(lambda: what in self.said(), f"the daemon says: {what}")

    def _check_said(self):
        self.last_words = self.said()
        for alarm in ALARMS:
            self.assertNotIn(alarm, self.last_words)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"---- the daemon of {self.id()} said:\n"
                  f"{self.last_words}----", file=sys.stderr, flush=True)
        return result

    def beside(self, *command):
        """Runs it, and sees to its end before that of the mount."""
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen(command, cwd=self.mnt)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def delay(self, call, microseconds):
        """Makes a system call of the daemon slow; returns who does it."""
        return self.inject(call, f"delay_enter={microseconds}")

    def inject(self, call, what, *arguments):
        """Lets strace change a system call of the daemon; returns it."""
        if not shutil.which("strace"):
            self.skipTest(f"SKIP: {os.path.basename(sys.argv[0])}: there is "
                          "no strace")
        trace = self.beside(
            "strace", "-f", "-qq", "-o", os.path.join(self.work, "trace"),
            "-e", f"inject={call}:{what}", *arguments,
            "-p", str(self.daemon.pid))
        until(lambda: is_traced(self.daemon.pid), "strace has it")
        return trace

    # ---- files ----

    def at(self, *names):
        return os.path.join(self.mnt, *names)

    def make(self, log="l", **options):
        """A new log; an option like segment_size="1M" is set for it."""
        os.mkdir(self.at(log))
        for key, value in options.items():
            self.control(f"set {key.replace('_', '-')} {value}", log)

    def read(self, *names):
        with open(self.at(*names), "rb", buffering=0) as file:
            return b"".join(iter(lambda: file.read(1 << 20), b""))

    def write(self, data, *names):
        """One write(2) at least, as `cat` does it."""
        data = data.encode() if isinstance(data, str) else data
        fd = os.open(self.at(*names), os.O_WRONLY)
        try:
            while data:
                data = data[os.write(fd, data):]
        finally:
            os.close(fd)

    def append(self, data, log="l"):
        self.write(data, log, "append")

    def control(self, command, log="l"):
        """One command; returns its reply without the newline."""
        if isinstance(command, str):
            command = command.encode() + b"\n"
        fd = os.open(self.at(log, "control"), os.O_RDWR)
        try:
            self.assertEqual(os.write(fd, command), len(command))
            return os.read(fd, 65536).decode().removesuffix("\n")
        finally:
            os.close(fd)

    def refused(self, error, command, log="l"):
        """A command that fails, as its write and its reply say."""
        if isinstance(command, str):
            command = command.encode() + b"\n"
        fd = os.open(self.at(log, "control"), os.O_RDWR)
        try:
            self.fails(error, os.write, fd, command)
            reply = os.read(fd, 65536).decode()
        finally:
            os.close(fd)
        name = errno.errorcode[error]
        self.assertRegex(reply.splitlines()[-1], f"^error {name} .")
        return reply.removesuffix("\n")

    def status(self, *names):
        """The lines of a status file by their keys; of log l by default."""
        names = names or ("l", "status")
        return dict(line.split(": ", 1) for line in
                    self.read(*names).decode().splitlines())

    def counters(self, log="l"):
        """(first, next) of a log"""
        status = self.status(log, "status")
        return int(status["first"]), int(status["next"])

    def entry(self, index, log="l"):
        return self.read(log, "entries", str(index))

    def entries(self, log="l"):
        """All entries, each read from its file."""
        return [self.entry(i, log) for i in range(*self.counters(log))]

    def sh(self, script, *arguments, **options):
        """What a person types, in the mount; returns its output."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script, "bash", *arguments],
            cwd=self.mnt, stdin=subprocess.DEVNULL, timeout=PATIENCE,
            capture_output=True, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    # ---- checks ----

    def fails(self, error, function, *arguments, **named):
        """A call fails with an errno, or one of several."""
        wanted = error if isinstance(error, tuple) else (error,)
        with self.assertRaises(OSError) as caught:
            function(*arguments, **named)
        self.assertIn(caught.exception.errno, wanted, str(caught.exception))
