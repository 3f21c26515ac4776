# SPDX-License-Identifier: MIT
"""Operation: how the daemon is started, told what to do, and ended."""

import errno
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

import mounted
from clients import LIBC, Child, Mapping, check

# What a person gets to see when an option is wrong: after -o, and why.
BAD_OPTIONS = {
    "nonsense": "unknown option: nonsense",
    "segment_size=1M": "unknown option: segment_size=1M",
    "max_read=4096": "unknown option: max_read=4096",
    "ro=perhaps": "bad value: ro=perhaps",
    "passthrough=2": "bad value: passthrough=2",
    "allow_other=5": "bad value: allow_other=5",
    "fsname=": "bad value: fsname=",
    "threads": "bad value: threads",
    "threads=x": "bad value: threads=x",
    "threads=0": "value out of range: threads=0",
    "threads=65": "value out of range: threads=65",
    "segment-size=x": "bad value: segment-size=x",
    "segment-size=1": "value out of range: segment-size=1",
    "sync=never": "bad value: sync=never",
    "noatime,,rw,sync=": "bad value: sync=",
}

# Likewise an INI file, and the line that is named.
BAD_FILES = {
    "[mount]\nthread = 3\n": (2, "unknown option: thread=3"),
    "[mount]\n\n# words\nro = 7\n": (4, "bad value: ro=7"),
    "[mount]\nallow_other = maybe\n": (2, "bad value: allow_other=maybe"),
    "[log]\nsegment-size = 1\n": (2, "value out of range: segment-size=1"),
    "[log]\nsync = always\nthreads = 1\n": (3, "unknown option: threads=1"),
    "[logs]\nsync = always\n": (2, "unknown section: logs"),
    "sync = always\n": (1, "key outside of any section: sync=always"),
    "[mount]\nro = no\nwords\n": (3, "neither [section] nor key = value"),
    "[log]\nsync = " + "x" * 500 + "\n": (2, "bad value: sync=" + "x" * 9),
}

HARMLESS = ("auto,nofail,_netdev,x-systemd.automount,defaults,rw,user,comment="
            "x,atime,relatime,noatime,nodiratime,sync,async,dirsync,nodev,"
            "nosuid,noexec,exec,suid,dev,subtype=x,fsname=a name,"
            "allow_other=no")


class Starts(mounted.MountCase):
    """Without a daemon to begin with."""

    options = ""

    def start(self, *arguments):
        """Nothing, yet."""

    def really_start(self, *arguments):
        super().start(*arguments)

    def maplogfs(self, *arguments, status=0):
        """Runs it to its end, or into the background; what it says."""
        done = subprocess.run(
            [mounted.MAPLOGFS, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=mounted.PATIENCE,
            check=False, cwd=self.work)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def ini(self, text):
        path = os.path.join(self.work, "its.ini")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def pid(self):
        return int(self.status(".maplog", "status")["pid"])

    def end_background(self):
        """By a signal; then nothing is left of it."""
        pid = self.pid()
        os.kill(pid, signal.SIGTERM)
        # Here, orphans are children of the first process, which is this one.
        self.assertEqual(os.waitpid(pid, 0), (pid, 0))
        self.assertFalse(mounted.is_mounted(self.mnt))

    # ---- in the background ----

    def test_the_mount_says_where_the_store_is_from_everywhere(self):
        self.maplogfs("store", "mnt")
        with open("/proc/self/mounts", encoding="utf-8") as file:
            self.assertIn(f"{self.store} {self.mnt} fuse.maplogfs ",
                          file.read())
        self.end_background()

    def test_in_the_background_it_is_mounted_when_the_command_returns(self):
        self.assertEqual(self.maplogfs("store", "mnt"), "")
        self.addCleanup(subprocess.run, ["umount", "-l", self.mnt],
                        capture_output=True, check=False)
        self.make()
        self.append("x\n")
        pid = self.pid()
        self.assertEqual(os.getsid(pid), pid)
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        for fd in range(3):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"), "/dev/null")
        self.end_background()

    @unittest.skipIf(mounted.is_sanitized(), "LSan cannot work under strace")
    def test_it_mounts_before_it_leaves_its_process_group(self):
        """Else autofs would let it wait for itself; scripts/package tries it
        with systemd's."""
        if not shutil.which("strace"):
            self.skipTest("SKIP: operation.py: there is no strace")
        trace = os.path.join(self.work, "trace")
        subprocess.run(["strace", "-f", "-qq", "-o", trace,
                        "-e", "trace=mount,setsid", "-e", "signal=none", "-D",
                        mounted.MAPLOGFS, self.store, self.mnt], check=True,
                       stdin=subprocess.DEVNULL)
        with open(trace, encoding="utf-8") as file:
            calls = re.findall(r"(mount|setsid)\(", file.read())
        self.assertEqual(calls, ["mount", "setsid"])
        self.end_background()

    def test_what_is_wrong_in_the_background_is_said_and_is_the_status(self):
        for arguments, why in (
                (("nothing", "mnt"), "nothing: No such file or directory: "
                 "mkdir makes an empty store"),
                (("store", "nothing"), "nothing: No such file or directory"),
                (("said", "mnt"), "said: Not a directory"),
                (("store", "said"), "said: Not a directory"),
                (("store", "store"), f"{self.store}: the store and the mount "
                 "point must not be in each other"),
                ((".", "mnt"), f"{self.mnt}: the store and the mount point "
                 "must not be in each other")):
            for options in ((), ("-f",)):
                said = self.maplogfs(*arguments, *options, status=1)
                self.assertEqual(said, f"maplogfs: {why}\n")
            self.assertFalse(mounted.is_mounted(self.mnt))

    # ---- options ----

    def test_a_bad_option_is_one_clear_line(self):
        for option, why in BAD_OPTIONS.items():
            said = self.maplogfs("store", "mnt", "-o", option, status=2)
            self.assertEqual(said, f"maplogfs: {why} (see maplogfs.ini(5))\n")

    def test_a_bad_key_is_one_clear_line_with_file_and_number(self):
        for text, (line, why) in BAD_FILES.items():
            path = self.ini(text)
            said = self.maplogfs("store", "mnt", "-c", path, status=2)
            self.assertEqual(said.count("\n"), 1)
            self.assertTrue(said.startswith(f"maplogfs: {path}:{line}: {why}"),
                            said)

    def test_what_is_quoted_gives_no_commands_to_a_terminal(self):
        said = self.maplogfs("store", "mnt", "-c",
                             self.ini("\033[2Jkey\177 = \tx\b\n"), status=2)
        self.assertIn("?[2Jkey?=x?", said)
        self.assertTrue(said.rstrip("\n").isprintable(), ascii(said))

    def test_a_missing_ini_file_is_said(self):
        said = self.maplogfs("store", "mnt", "-c", "no.ini", status=2)
        self.assertEqual(said, "maplogfs: no.ini: No such file or directory\n")

    def test_a_directory_is_no_ini_file(self):
        said = self.maplogfs("store", "mnt", "-c", "store", status=2)
        self.assertEqual(said, "maplogfs: store: Is a directory\n")

    def test_wrong_usage_says_where_help_is(self):
        for arguments in ((), ("store",), ("a", "b", "c"), ("-x", "a", "b"),
                          ("a", "b", "--nonsense"), ("a", "b", "-o")):
            said = self.maplogfs(*arguments, status=2)
            self.assertEqual(said.count("\n"), 1, said)
            self.assertRegex(said, r"^maplogfs: .*\(see maplogfs --help\)$")
        for arguments, word in ((("a", "b", "c"), "too many: c"),
                                (("a", "b", "-fx"), "-x: no such"),
                                (("--no", "a", "b"), "--no: no such"),
                                (("a", "b", "-o"), "-o: its value"),
                                (("a", "b", "--config"), "-c: its value"),
                                (("a", "b", "--debug=1"), "-d: no such")):
            self.assertIn(word, self.maplogfs(*arguments, status=2))

    def test_help_and_version_need_no_store(self):
        for option in ("--help", "-h", "--version", "-V"):
            self.assertEqual(self.maplogfs(option), "")

    def test_what_fstab_and_the_kernel_know_is_no_mistake(self):
        self.really_start("-o", HARMLESS)
        self.assertTrue(mounted.works(self.mnt))

    def test_an_ini_file_is_obeyed_and_the_command_line_wins(self):
        path = self.ini("# words\n[mount]\npassthrough = no\nthreads = 3\n"
                        "allow_other = no\nfsname = a,b\\c\n[log]\n"
                        "segment-size = 2M\nmax-entry = 1K\nsync = manual\n")
        self.really_start("-c", path, "-o", "threads=5,max-entry=2K")
        self.make()
        said = self.status(".maplog", "status")
        self.assertEqual(said["threads"], "5")
        self.assertEqual(said["passthrough"], "no (switched off)")
        status = self.status()
        self.assertEqual([status[key] for key in
                          ("segment-size", "max-entry", "sync", "mode")],
                         ["2M", "2K", "manual", "cached"])
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertIn(r"fuse.maplogfs a,b\134c ", file.read())

    def test_the_shipped_ini_file_is_the_defaults(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                            "..", "etc", "maplogfs.ini")
        said = {}
        for arguments in ((), ("-c", root)):
            self.really_start(*arguments)
            if not said:
                self.make()
            self.make(f"l{len(said)}")
            status = self.status(f"l{len(said)}", "status")
            for key in ("uuid", "created", "writer"):
                del status[key]
            said[arguments] = status
            self.stop()
        first, second = said.values()
        self.assertEqual(first, second)

    # ---- mount(8) ----

    def mount(self, *arguments):
        # Where mount(8) looks for it; nobody else sees that.
        place = "/usr/local/sbin"
        subprocess.run(["mount", "--bind", os.path.dirname(mounted.MAPLOGFS),
                        place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        done = subprocess.run(["mount", *arguments], capture_output=True,
                              text=True, timeout=mounted.PATIENCE, check=False)
        self.addCleanup(subprocess.run, ["umount", "-l", self.mnt],
                        capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_mount_knows_its_type(self):
        self.mount("-t", "fuse.maplogfs", self.store, self.mnt, "-o",
                   "segment-size=4M,nodev")
        self.make()
        self.assertEqual(self.status()["segment-size"], "4M")
        self.end_background()

    def test_an_fstab_line_mounts_it(self):
        table = os.path.join(self.work, "fstab")
        with open(table, "w", encoding="utf-8") as file:
            file.write(f"{self.store} {self.mnt} fuse.maplogfs noauto,nofail,"
                       "_netdev,x-systemd.requires=x,sync=manual,noexec 0 0\n")
        self.mount("--fstab", table, self.mnt)
        self.make()
        self.assertEqual(self.status()["sync"], "manual")
        subprocess.run(["umount", self.mnt], check=True)
        self.assertFalse(mounted.is_mounted(self.mnt))


class Ends(mounted.MountCase):
    """However it ends, the logs are left in order."""

    options = "sync=manual"

    def setUp(self):
        super().setUp()
        self.make()
        self.append("a\nb\nc\nd\n")

    def is_in_order(self):
        said = self.sh('"$1" status "$2"', mounted.MAPLOG,
                       os.path.join(self.store, "l"))
        self.assertIn(b"state: closed", said)
        self.start()
        self.assertNotIn("recovered", self.status())

    def end(self, *command):
        if command:
            subprocess.run(command, check=True, cwd=self.work)
        self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)
        self.assertFalse(mounted.is_mounted(self.mnt))

    def test_every_signal_to_end_unmounts(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.daemon.process.send_signal(number)
            self.end()
            self.is_in_order()

    def test_both_ways_to_unmount_end_it(self):
        self.end("umount", "mnt")
        self.is_in_order()
        self.end("fusermount3", "-u", "mnt")
        self.is_in_order()

    def test_a_signal_ends_it_while_files_are_open_and_mapped(self):
        with Mapping(self.at("l", "entries", "0"), 2) as entry, \
                open(self.at("l", "follow"), "rb"), \
                open(self.at("l", "append"), "wb", buffering=0) as append:
            append.write(b"half a line")
            entry.load(0, 2)
            self.daemon.process.terminate()
            self.end()
            self.fails((errno.ENOTCONN, errno.ECONNABORTED), append.write,
                       b"more")
            self.assertEqual(entry.load(0, 2), b"a\n")
        self.is_in_order()
        # Its writer closed it, in a way.
        self.assertEqual(self.entry(4), b"half a line")

    def test_what_was_truncated_and_is_still_known_is_no_hindrance(self):
        fds = [os.open(self.at("l", name), os.O_RDONLY)
               for name in ("entries/3", "ranges/1-", "ranges/2-3",
                            f"segments/{0:020}.log")]
        self.control("truncate 1")
        self.append("x\n")
        self.daemon.process.terminate()
        self.end()
        for fd in fds:
            os.close(fd)
        self.is_in_order()
        self.assertEqual(self.entries(), [b"a\n", b"x\n"])

    def test_a_signal_ends_it_in_the_middle_of_appends(self):
        def append():
            try:
                # Slow ones come when it is gone already.
                fd = os.open(self.at("l", "append"), os.O_WRONLY)
                while True:
                    os.write(fd, b"more\n")
            except OSError as error:
                if error.errno not in (errno.ENOTCONN, errno.ECONNABORTED,
                                       errno.ENOENT):
                    raise
        writers = [Child(self, append) for _ in range(3)]
        mounted.until(lambda: self.counters()[1] > 100, "some appends")
        self.daemon.process.terminate()
        self.end()
        for writer in writers:
            writer.done()
        self.is_in_order()


class Succession(mounted.MountCase):
    """Unmounted, a daemon goes on for a moment: who comes next waits for it."""

    options = "sync=manual"

    def setUp(self):
        super().setUp()
        self.make()
        self.append("a\n")

    def unmount_slowly(self):
        """Its daemon closes the log when it is told to go on."""
        self.daemon.halt()
        self.addCleanup(self.daemon.process.send_signal, signal.SIGCONT)
        # umount(8) would ask the daemon about the mount.
        check(LIBC.umount2(self.mnt.encode(), 0))
        return self.daemon.process

    def maplog(self, *arguments, status=0):
        done = subprocess.run([mounted.MAPLOG, *arguments], input=b"x\n",
                              capture_output=True, check=False,
                              timeout=mounted.PATIENCE)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr.decode()

    def go_on_after(self, wait, daemon):
        def go_on():
            wait()
            daemon.send_signal(signal.SIGCONT)
        thread = threading.Thread(target=go_on)
        thread.start()
        self.addCleanup(thread.join)

    def test_the_command_waits_for_it(self):
        log = os.path.join(self.store, "l")
        for command in (("append", log), ("repair", log)):
            daemon = self.unmount_slowly()
            self.go_on_after(lambda: time.sleep(1), daemon)
            self.maplog(*command)
            self.assertEqual(daemon.wait(mounted.PATIENCE), 0)
            self.start()
        self.assertEqual(self.entries(), [b"a\n", b"x\n"])

    def test_a_new_daemon_waits_for_it(self):
        daemon = self.unmount_slowly()
        said = f"waiting for process {daemon.pid}"
        self.go_on_after(lambda: self.says(said), daemon)
        self.start()
        self.append("b\n")
        self.assertEqual(daemon.wait(mounted.PATIENCE), 0)
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.assertIn(said, self.said())

    def test_nobody_waits_for_one_that_serves(self):
        said = self.maplog("append", os.path.join(self.store, "l"), status=1)
        self.assertIn("write through its mount instead", said)
        other = os.path.join(self.work, "other")
        os.mkdir(other)
        with open(self.said_path, "ab") as said:
            second = mounted.Daemon(self.store, other, said=said)
        self.addCleanup(second.clear)
        self.assertNotIn("waiting", self.said())
        self.assertEqual(second.unmount(), 0)

    def test_again_and_again(self):
        for i in range(10):
            subprocess.run(["umount", self.mnt], check=True)
            self.maplog("append", os.path.join(self.store, "l"))
            self.start()
            self.append(f"{i}\n")
        self.assertEqual(self.counters(), (0, 21))


class Many(mounted.MountCase):
    """Logs of a store, which are opened at once when it is mounted."""

    options = "sync=manual"

    def test_each_of_many_logs_is_there_and_ours(self):
        names = [f"l{i}" for i in range(50)]
        for name in names:
            self.make(name)
            self.append(f"{name}\n", name)
        self.restart()
        for name in names:
            self.append("more\n", name)
            self.assertEqual(self.entries(name),
                             [f"{name}\n".encode(), b"more\n"])


class Stale(mounted.MountCase):
    """A daemon that was killed, and what it leaves."""

    def test_a_mount_without_a_daemon_is_detached(self):
        self.make()
        with open(self.at("l", "status"), "rb"):
            self.daemon.kill()
            self.fails(errno.ENOTCONN, os.statvfs, self.mnt)
            self.start()
            self.assertTrue(mounted.works(self.mnt))
        self.assertIn("detached a mount without a daemon", self.said())

    def test_several_on_top_of_each_other_are_detached(self):
        self.make()
        other = os.path.join(self.work, "other")
        os.mkdir(other)
        below = self.daemon
        with open(self.said_path, "ab") as said:
            above = mounted.Daemon(other, self.mnt, said=said)
        self.addCleanup(above.clear)
        below.kill()
        above.kill()
        self.start()
        self.stop()
        self.assertFalse(mounted.is_mounted(self.mnt))

    def test_a_store_is_not_mounted_twice_in_one_place(self):
        self.make()
        self.append("x\n")
        done = subprocess.run([mounted.MAPLOGFS, "store", "mnt"], text=True,
                              capture_output=True, check=False, cwd=self.work,
                              timeout=mounted.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (
            1, f"maplogfs: {self.mnt}: {self.store} is mounted there "
            "already\n"))
        self.append("y\n")
        self.assertEqual(self.entries(), [b"x\n", b"y\n"])
        self.stop()
        self.assertFalse(mounted.is_mounted(self.mnt))

    def test_a_second_daemon_on_a_store_can_only_read(self):
        self.make()
        self.append("x\n")
        place = os.path.join(self.work, "place")
        os.mkdir(place)
        with open(self.said_path, "ab") as said:
            second = mounted.Daemon(self.store, place, said=said)
        self.addCleanup(second.clear)
        with open(os.path.join(place, "l", "ranges", "0-"), "rb") as file:
            self.assertEqual(file.read(), b"x\n")
        self.fails(errno.EBUSY, os.open, os.path.join(place, "l", "append"),
                   os.O_WRONLY)
        self.stop()
        fd = os.open(os.path.join(place, "l", "append"), os.O_WRONLY)
        os.write(fd, b"y\n")
        os.close(fd)
        self.assertEqual(second.unmount(), 0)


if __name__ == "__main__":
    mounted.main()
