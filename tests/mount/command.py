# SPDX-License-Identifier: MIT
"""The command maplog, given paths in a mount."""

import json
import os
import subprocess

import mounted

LONG = b"x" * 300000 + b"\n"


class Command(mounted.MountCase):
    """What works on a store works through a mount."""

    options = "sync=manual,segment-size=1M"

    def maplog(self, *arguments, stdin=b"", status=0):
        done = subprocess.run([mounted.MAPLOG, *arguments], cwd=self.mnt,
                              input=stdin, capture_output=True, check=False,
                              timeout=mounted.PATIENCE)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        if status:
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
            return done.stderr.decode()
        self.assertEqual(done.stderr, b"")
        return done.stdout

    def test_create_append_and_read(self):
        self.maplog("create", "l", "-o", "max-entry=1M")
        self.assertEqual(self.status()["max-entry"], "1M")
        lines = b"".join(b"line %d\n" % i for i in range(100000))
        self.assertEqual(self.maplog("append", "l", stdin=lines),
                         b"first=0 next=100000\n")
        self.assertEqual(self.maplog("read", "l", "0-"), lines)
        self.assertEqual(self.status()["durable"], "100000")
        self.assertEqual(self.maplog("append", "-t", "7", self.at("l"),
                                     stdin=b"a\n" + LONG + b"b\n"),
                         b"first=100000 next=100003\n")
        self.assertEqual(self.maplog("read", "-F", "%g %l\n", "l", "-3"),
                         b"7 2\n7 300001\n7 2\n")
        self.assertEqual(self.maplog("read", "--since", "1h", "l"),
                         lines + b"a\n" + LONG + b"b\n")

    def test_create_takes_a_log_that_is_there_only_as_it_is(self):
        self.maplog("create", "l", "-o", "max-entry=9K")
        self.assertIn("is there already", self.maplog("create", "l", status=1))
        self.maplog("create", "-p", "l")
        self.maplog("create", "-p", "l", "-o", "max-entry=9K")
        self.assertIn("another max-entry", self.maplog(
            "create", "-p", "l", "-o", "max-entry=8K", status=1))
        self.assertEqual(self.status()["max-entry"], "9K")

    def test_changes(self):
        self.make()
        self.append("a\nb\nc\nd\n")
        for command, reply in (
                (("truncate", "l", "3"), b"ok next=3 generation=1\n"),
                (("seal", "l"), b"ok base=3\n"),
                (("trim", "l", "1"), b"ok first=1\n"),
                (("sync", "l"), b"ok durable=3\n"),
                (("set", "l", "retain-age", "1ns"), b"ok\n"),
                (("retain", "l"), b"ok first=3\n")):
            self.assertEqual(self.maplog(*command), reply)
        self.assertIn("past the end", self.maplog("truncate", "l", "9",
                                                  status=1))
        self.assertIn("no such log", self.maplog("sync", "m", status=1))
        self.assertIn("no such log", self.maplog("append", "m", status=1))
        self.assertIn("no such log", self.maplog("read", "m", "0", status=1))
        self.assertIn("no such log", self.maplog("ls", "m", status=1))
        self.maplog("set", "l", "retain-bytes", "many", status=2)

    def test_looking(self):
        self.make()
        self.append("a\nb\n")
        self.assertIn(b"next: 2\n", self.maplog("status", "l"))
        self.assertRegex(self.maplog("ls", "."), rb"(?m)^l +0 +2 ")
        self.assertIn(b"it is active", self.maplog("ls", "l"))
        self.assertIn(b"ok entries=2", self.maplog("verify", "l"))
        self.assertIn(b"ok entries=2", self.maplog("verify", self.mnt))
        self.assertIn(b'"a\\n"', self.maplog("dump", "l"))

    def test_stat_tells_rates_and_what_a_sync_takes(self):
        self.make()
        with subprocess.Popen(
                [mounted.MAPLOG, "stat", "--watch=0.1", "--json", self.mnt],
                stdout=subprocess.PIPE) as watcher:
            for line in watcher.stdout:
                self.append("a\n")
                self.control("sync")
                found = json.loads(line)
                if found.get("sync_seconds", 0) > 0 and \
                        found["entries_per_second"] > 0:
                    break
            else:
                self.fail("it ended")
            self.assertEqual(found["log"], "l")
            watcher.terminate()

    def test_config(self):
        self.make()
        self.maplog("config", "l", "sync=always", "max-entry=9K")
        self.assertEqual(self.status()["max-entry"], "9K")
        self.assertEqual(self.maplog("config", "l", "max-entry", "sync"),
                         b"9K\nalways\n")

    def test_export_and_import(self):
        self.make()
        self.append("a\nb\n")
        self.control(b"append 3 tag=9\n\xff\x00\n")
        exported = self.maplog("export", "--as=json", "l")
        self.assertEqual([json.loads(line)["tag"]
                          for line in exported.splitlines()], [0, 0, 9])
        self.make("m")
        self.assertEqual(
            self.maplog("import", "--as=json", "m",
                        stdin=exported.splitlines(True)[0]),
            b"first=0 next=1\n")
        self.assertEqual(
            self.maplog("import", "--as=json", "--resume", "m",
                        stdin=exported), b"first=1 next=3\n")
        self.assertEqual(self.entries("m"), self.entries("l"))
        self.assertEqual(self.maplog("export", "--as=frames", "m"),
                         self.maplog("export", "--as=frames", "l"))

    def test_a_batch_that_would_be_cut_is_refused(self):
        self.make()
        done = subprocess.run([mounted.MAPLOG, "append", "-b", "2",
                               self.at("l")], input=LONG * 2,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"a write to a mount", done.stderr)
        self.assertEqual(self.counters(), (0, 0))

    def test_follow_goes_on_when_the_daemon_is_another_one(self):
        self.make()
        wanted = b""
        with open(os.path.join(self.work, "followed"), "wb") as out, \
                subprocess.Popen([mounted.MAPLOG, "follow", "--from", "0",
                                  self.at("l")], stdout=out) as follower:
            for turn in range(4):
                lines = b"".join(b"%d %d\n" % (turn, i) for i in range(50))
                wanted += lines
                self.append(lines)
                mounted.until(lambda n=len(wanted):
                              os.path.getsize(out.name) >= n, "it follows")
                if turn % 2:
                    self.restart()
                else:
                    self.daemon.kill()
                    subprocess.run(["umount", "-l", self.mnt], check=True)
                    self.start()
            self.assertIsNone(follower.poll())
            follower.terminate()
        with open(out.name, "rb") as file:
            self.assertEqual(file.read(), wanted)

    def test_a_store_that_is_not_to_be_found_is_told(self):
        self.make()
        os.rename(self.store, self.store + ".away")
        self.append("a\n")
        self.assertEqual(self.maplog("read", "l", "0-"), b"a\n")
        os.mkdir(self.store)
        os.rename(os.path.join(self.store + ".away", "l"),
                  os.path.join(self.store, "m"))
        self.assertIn("path of the store",
                      self.maplog("read", "l", "0-", status=1))


if __name__ == "__main__":
    mounted.main()
