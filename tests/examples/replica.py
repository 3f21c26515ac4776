# SPDX-License-Identifier: MIT
"""examples/http: a replica catches up with curl, and with rsync."""

import os
import random
import subprocess
import sys

import example
import mounted
from clients import boundaries, frame
from example import source

measuring = __import__("measuring")  # of examples/

WRITE = (1 << 20) - 4096  # what one write certainly takes


class Replica(mounted.MountCase):
    """Log l is the leader's, log r the replica's; nginx has the mount."""

    def setUp(self):
        super().setUp()
        self.make("l")
        self.make("r")
        self.rng = random.Random(3)
        server = measuring.nginx(self.work, *self.as_user())
        self.url = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    def as_user(self):
        """Without root there is nobody else that a worker could be."""
        if mounted.mode() == mounted.PASSTHROUGH:
            return []
        return ["-g", "master_process off;"]

    def entries_of_term(self, term, n):
        return [(term, self.rng.randbytes(self.rng.randrange(300)))
                for _ in range(n)]

    def put(self, log, entries):
        """Several batches."""
        for i in range(0, len(entries), 1000):
            self.write(b"".join(frame(data, term) for term, data
                                in entries[i:i + 1000]), log, "batch")

    def run_it(self, url):
        return subprocess.run(
            [sys.executable, source("http", "catch_up.py"), url,
             self.at("r")], capture_output=True, text=True, check=False,
            timeout=mounted.PATIENCE)

    def catch_up(self):
        done = self.run_it(f"{self.url}/l")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.sh("cmp l/ranges/0- r/ranges/0-")
        theirs, ours = ([(b.end, b.tag) for b in boundaries(
            self.read(log, "ranges", "0-.idx"))] for log in "lr")
        self.assertTrue(theirs == ours, "ends and tags are the same")
        status = self.status("r", "status")
        self.assertEqual(status["durable"], status["next"])
        return done.stdout

    def test_an_empty_replica_gets_all(self):
        self.put("l", self.entries_of_term(1, 20000))
        self.assertEqual(self.catch_up(),
                         "dropped 0, appended 20000 entries, 20000 now\n")

    def test_a_stale_replica_gets_what_it_lacks(self):
        entries = self.entries_of_term(1, 3000)
        self.put("l", entries)
        self.put("r", entries[:1234])
        self.assertEqual(self.catch_up(),
                         "dropped 0, appended 1766 entries, 3000 now\n")

    def test_a_conflicting_suffix_is_dropped_first(self):
        entries = self.entries_of_term(1, 2000)
        self.put("l", entries + self.entries_of_term(3, 2000))
        self.put("r", entries[:1500] + self.entries_of_term(2, 900))
        self.assertEqual(self.catch_up(),
                         "dropped 900, appended 2500 entries, 4000 now\n")

    def test_a_replica_that_is_ahead_goes_back(self):
        entries = self.entries_of_term(1, 500)
        self.put("l", entries[:200])
        self.put("r", entries)
        self.assertEqual(self.catch_up(),
                         "dropped 300, appended 0 entries, 200 now\n")

    def test_equal_replicas_stay_as_they_are(self):
        self.assertEqual(self.catch_up(),
                         "dropped 0, appended 0 entries, 0 now\n")
        entries = self.entries_of_term(1, 10)
        self.put("l", entries)
        self.put("r", entries)
        self.assertEqual(self.catch_up(),
                         "dropped 0, appended 0 entries, 10 now\n")

    def test_entries_of_all_sizes_come_over(self):
        for size in (0, 1, WRITE // 2, WRITE - 16, WRITE, WRITE + 1, 1 << 20,
                     3 << 20, 16 << 20):
            self.put("l", self.entries_of_term(4, 10))
            self.control(b"append %d tag=%d\n" % (size, size)
                         + self.rng.randbytes(size))
        self.assertEqual(self.catch_up(),
                         "dropped 0, appended 99 entries, 99 now\n")

    def test_logs_that_were_trimmed_meet_where_both_have_entries(self):
        entries = self.entries_of_term(1, 100)
        self.put("l", entries)
        self.put("r", entries[:60])
        self.control("trim 10", "l")
        self.control("trim 50", "r")
        self.assertEqual(self.run_it(f"{self.url}/l").stdout,
                         "dropped 0, appended 40 entries, 100 now\n")
        self.sh("cmp l/ranges/50- r/ranges/50-")

    def test_a_replica_that_lacks_what_was_trimmed_is_left_alone(self):
        self.put("l", self.entries_of_term(1, 100))
        self.put("r", self.entries_of_term(1, 10))
        self.control("trim 50", "l")
        done = self.run_it(f"{self.url}/l")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "the leader has entries 50 to 100, "
                         "the replica 0 to 10: they do not meet\n")
        self.assertEqual(self.counters("r"), (0, 10))

    def test_an_entry_that_comes_in_part_is_not_appended(self):
        self.put("l", [(1, b"one"), (1, b"two")])
        # A leader of plain files, the last of them cut short.
        self.sh("""mkdir -p ../plain/l/ranges && cd l && for name in \
            head ranges/0-1.idx; do cat $name > ../../plain/l/$name; done
            head -c 5 ranges/0-1 > ../../plain/l/ranges/0-1""")
        with measuring.nginx(self.work, *self.as_user(), root="plain") as url:
            done = self.run_it(f"{url}/l")
        self.assertEqual(done.stderr, "ranges/0-1 came in part only\n")
        self.assertEqual(self.counters("r"), (0, 0))

    def test_the_web_server_sends_the_whole_status(self):
        for number in range(1, 4):
            self.put("l", self.entries_of_term(1, 60))
            sent = self.sh('curl -sSf "$1"', f"{self.url}/l/status").decode()
            self.assertIn(f"\nnext: {60 * number}\n", sent)
            self.assertEqual(sent.splitlines()[-1][:9], "created: ")
            self.assertEqual(sent[-2:], "Z\n")

    def test_what_is_no_file_is_not_there_over_http(self):
        for name in ("append", "control", "batch", "follow", "follow@0"):
            done = subprocess.run(
                ["curl", "-sf", f"{self.url}/l/{name}"], check=False)
            self.assertEqual(done.returncode, 22, name)

    def test_rsync_copies_the_sealed_segments(self):
        copy = os.path.join(self.work, "copy")
        for number in range(3):
            self.put("l", self.entries_of_term(number, 100))
            self.control("seal")
        self.put("l", self.entries_of_term(9, 10))
        self.sh('"$1" l "$2"', source("http", "rsync_sealed"), copy)
        self.assertEqual(len(os.listdir(copy)), 6)
        self.sh('cat "$1"/*.log | cmp - l/ranges/0-299', copy)


class Measuring(mounted.MountCase):
    """The command that made the table."""

    @mounted.only(mounted.PASSTHROUGH, "it is run as root")
    def test_it_fills_in_the_table(self):
        example.check_record(self, "http", "--mib", 8)


if __name__ == "__main__":
    example.need("nginx", "curl", "rsync")
    mounted.main()
