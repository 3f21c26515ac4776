#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As a service: systemd's units, fstab, and what a supervisor is told."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

import mounted

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SERVICE = os.path.join(mounted.BUILD, "etc", "maplogfs@.service")
MOUNT = os.path.join(ROOT, "etc", "systemd", "mnt-logs.mount")


class Service(mounted.MountCase):
    """A test that starts its daemons itself."""

    options = ""

    def start(self, *arguments, **environment):
        if not environment:
            return  # the one of setUp()
        with open(self.said_path, "ab") as said:
            self.daemon = mounted.Daemon(
                self.store, self.mnt, *arguments, said=said,
                env={**os.environ, **environment})
        self.addCleanup(self._end, self.daemon)


class Supervised(Service):
    """The datagrams of sd_notify(3)."""

    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.settimeout(mounted.PATIENCE)

    def listen(self, name):
        self.socket.bind(name)
        return name.replace("\0", "@")

    def heard(self):
        return self.socket.recv(4096).decode()

    def pings_in(self, seconds):
        end = time.monotonic() + seconds
        count = 0
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                count += self.heard() == "WATCHDOG=1"
            except TimeoutError:
                break
        self.socket.settimeout(mounted.PATIENCE)
        return count

    def test_it_is_ready_when_the_mount_works(self):
        path = self.listen(os.path.join(self.work, "notify"))
        self.start(NOTIFY_SOCKET=path)
        self.assertEqual(self.heard(), "READY=1")
        self.assertTrue(mounted.works(self.mnt))

    def test_a_socket_without_a_file(self):
        self.start(NOTIFY_SOCKET=self.listen(f"\0maplog-{self.work}"))
        self.assertEqual(self.heard(), "READY=1")

    def test_it_says_that_it_stops(self):
        path = self.listen(os.path.join(self.work, "notify"))
        self.start(NOTIFY_SOCKET=path)
        self.heard()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.heard(), "STOPPING=1")
        self.assertEqual(self.daemon.process.wait(mounted.PATIENCE), 0)

    def test_nobody_listens(self):
        for path in (os.path.join(self.work, "nothing"), "relative", "",
                     "/" + "x" * 200):
            self.start(NOTIFY_SOCKET=path)
            self.stop()

    def test_a_watchdog_is_fed(self):
        path = self.listen(os.path.join(self.work, "notify"))
        self.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        self.assertEqual(self.heard(), "READY=1")
        for _ in range(5):
            self.assertEqual(self.heard(), "WATCHDOG=1")

    def test_a_watchdog_of_another_process_is_not(self):
        path = self.listen(os.path.join(self.work, "notify"))
        self.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="20000",
                   WATCHDOG_PID="1")
        self.assertEqual(self.heard(), "READY=1")
        self.assertEqual(self.pings_in(0.5), 0)

    def test_a_daemon_that_is_stuck_does_not_feed_it(self):
        path = self.listen(os.path.join(self.work, "notify"))
        self.start("-o", "threads=1,sync=always", NOTIFY_SOCKET=path,
                   WATCHDOG_USEC="100000")
        self.make()
        trace = self.delay("fdatasync", 100000000)
        writer = self.beside("sh", "-c", "echo x > l/append")
        # Before the writer, which waits for the daemon.
        self.addCleanup(trace.kill)
        mounted.until(lambda: not self.pings_in(0.5),
                      "it is stuck, and says so by saying nothing")
        self.assertIsNone(writer.poll(), "it was not stuck")
        trace.terminate()
        trace.wait(mounted.PATIENCE)
        writer.wait(mounted.PATIENCE)
        mounted.until(lambda: self.pings_in(0.5), "it is well again")


class Journal(Service):
    """Priorities, for a journal that reads standard error."""

    def stream(self):
        found = os.stat(self.said_path)
        return f"{found.st_dev}:{found.st_ino}"

    def leave_a_stale_mount(self):
        self.start(LC_ALL="C")
        self.daemon.kill()

    def test_each_line_has_its_priority(self):
        self.leave_a_stale_mount()
        self.start(JOURNAL_STREAM=self.stream())
        self.assertRegex(self.said(), r"(?m)^<5>.*: detached a mount without")

    def test_elsewhere_it_has_its_name(self):
        self.leave_a_stale_mount()
        self.start(JOURNAL_STREAM="1:2")
        self.assertRegex(self.said(), r"(?m)^maplogfs: .*: detached a mount")

    def test_a_wrong_option_is_an_error(self):
        with open(self.said_path, "ab") as said:
            done = subprocess.run(
                [mounted.MAPLOGFS, "-o", "nonsense", self.store, self.mnt],
                stderr=said, check=False,
                env={**os.environ, "JOURNAL_STREAM": self.stream()})
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.said(), "<3>unknown option: nonsense "
                         "(see maplogfs.ini(5))\n")

    def test_what_libfuse_says_is_an_error_too(self):
        with open(self.said_path, "ab") as said:
            done = subprocess.run(
                [mounted.MAPLOGFS, "-f", "-o", "context=x", self.store,
                 self.mnt], stderr=said, check=False,
                env={**os.environ, "JOURNAL_STREAM": self.stream()})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(self.said(), r"\A<3>fuse: mount failed: ")
        with open(self.said_path, "wb"):
            pass


class Units(Service):

    def unit(self):
        """The service, with what it starts in its place."""
        with open(SERVICE, encoding="utf-8") as file:
            text = file.read()
        path = os.path.join(self.work, "maplogfs@.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"(?m)^ExecStart=\S+",
                              f"ExecStart={mounted.MAPLOGFS}", text))
        return path, text

    def test_systemd_finds_no_fault(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("SKIP: service.py: there is no systemd-analyze")
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no",
             self.unit()[0].replace("@", "@orders"), MOUNT],
            capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @mounted.only(mounted.PASSTHROUGH, "the service is root's")
    def test_the_service_works_with_the_rights_that_it_has(self):
        text = self.unit()[1]
        command = re.search(r"(?m)^ExecStart=\S+ (.*)$", text)[1]
        command = command.replace("/var/lib/maplog/%I", self.store).replace(
            "/run/maplogfs/%I", self.mnt)
        command = re.sub(r"-c \S+", "-c " + os.path.join(
            ROOT, "etc/maplogfs.ini"), command)
        rights = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", text)[1]
        rights = ",".join("+" + right.removeprefix("CAP_").lower()
                          for right in rights.split())
        with open(self.said_path, "ab") as said:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                ["setpriv", "--no-new-privs", f"--bounding-set=-all,{rights}",
                 mounted.MAPLOGFS, *shlex.split(command)], stderr=said)
        try:
            mounted.until(lambda: mounted.works(self.mnt), "it mounts")
            self.assertEqual(self.status(".maplog", "status")["passthrough"],
                             "yes")
            self.make()
            os.chown(self.at("l"), 1000, 1000)
            self.append("x\n")
            self.assertEqual(self.entry(0), b"x\n")
            process.terminate()
            self.assertEqual(process.wait(mounted.PATIENCE), 0)
        finally:
            subprocess.run(["umount", "-q", "-l", self.mnt], check=False)
            process.kill()
            process.wait()


@mounted.only(mounted.PASSTHROUGH, "mount(8) is root's")
class Fstab(Service):

    def setUp(self):
        """mount(8) finds helpers where they are installed, for us alone."""
        super().setUp()
        subprocess.run(["mount", "-t", "tmpfs", "none", "/usr/local/sbin"],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "/usr/local/sbin"],
                        check=True)
        os.symlink(mounted.MAPLOGFS, "/usr/local/sbin/maplogfs")

    def mount(self, options):
        fstab = os.path.join(self.work, "fstab")
        with open(fstab, "w", encoding="utf-8") as file:
            file.write(f"{self.store} {self.mnt} fuse.maplogfs {options} 0 0\n")
        self.addCleanup(subprocess.run, ["umount", "-q", "-l", self.mnt],
                        check=False)
        return subprocess.run(["mount", "-T", fstab, self.mnt], text=True,
                              capture_output=True, check=False)

    def test_a_line_mounts(self):
        done = self.mount("defaults,noauto,nofail,allow_other,"
                          "x-systemd.automount,segment-size=64M")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.make()
        self.append("x\n")
        self.assertEqual(self.entry(0), b"x\n")
        self.assertEqual(self.status()["segment-size"], "64M")
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertRegex(file.read(), f"{self.mnt} .* fuse.maplogfs "
                             f"{self.store} ")
        subprocess.run(["umount", self.mnt], check=True)

    def test_a_line_that_is_only_to_be_read(self):
        self.assertEqual(self.mount("ro").returncode, 0)
        self.fails(30, os.mkdir, self.at("l"))  # EROFS
        subprocess.run(["umount", self.mnt], check=True)

    def test_a_wrong_option_is_refused(self):
        done = self.mount("nonsense=1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("unknown option: nonsense=1", done.stderr)


if __name__ == "__main__":
    mounted.main()
