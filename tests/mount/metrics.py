#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
""".maplog/metrics: what it counts, and that Prometheus understands it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

import mounted

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
UNPACKED = os.path.join(ROOT, "subprojects", "packagecache", "prometheus",
                        "usr", "bin")
OPERATIONS = os.path.join(ROOT, "docs", "operations.md")


def program(name):
    """A program of Debian's prometheus, installed or only unpacked."""
    found = shutil.which(name, path=os.environ["PATH"] + ":" + UNPACKED)
    if not found:
        raise unittest.SkipTest(f"SKIP: metrics.py: there is no {name}")
    return found


def get(url):
    with urllib.request.urlopen(url, timeout=mounted.PATIENCE) as answer:
        return answer.read()


class Metrics(mounted.MountCase):
    options = "sync=always"

    def text(self):
        return self.read(".maplog", "metrics").decode()

    def value(self, name, log="l", **labels):
        """The number behind a name and its labels."""
        labels = "".join(f',{key}="{re.escape(text)}"'
                         for key, text in labels.items())
        found = re.search(rf'^{name}{{log="{re.escape(log)}"{labels}}} (\S+)$',
                          self.text(), re.M)
        self.assertTrue(found, f"no {name} of {log} in:\n{self.text()}")
        return float(found[1])

    def test_appends_are_counted(self):
        self.make()
        self.append("one\ntwo\n")
        self.append("three\n")
        self.assertEqual(self.value("maplog_appends_total"), 2)
        self.assertEqual(self.value("maplog_entries_total"), 3)
        self.assertEqual(self.value("maplog_appended_bytes_total"), 14)
        self.assertEqual(self.value("maplog_next_index"), 3)
        self.assertEqual(self.value("maplog_durable_index"), 3)
        self.assertEqual(self.value("maplog_stored_bytes"), 14)
        self.assertGreater(self.value("maplog_disk_bytes"), 14)

    def test_batches_are_in_buckets_that_add_up(self):
        self.make()
        self.append("1\n")
        self.append("1\n2\n3\n")
        name = "maplog_batch_entries"
        self.assertEqual(self.value(name + "_bucket", le="1"), 1)
        self.assertEqual(self.value(name + "_bucket", le="2"), 1)
        self.assertEqual(self.value(name + "_bucket", le="4"), 2)
        self.assertEqual(self.value(name + "_bucket", le="+Inf"), 2)
        self.assertEqual(self.value(name + "_count"), 2)
        self.assertEqual(self.value(name + "_sum"), 4)

    def test_syncs_are_timed(self):
        self.make()
        self.append("1\n")
        self.append("2\n")
        self.assertGreaterEqual(self.value("maplog_sync_seconds_count"), 2)
        self.assertGreater(self.value("maplog_sync_seconds_sum"), 0)

    def test_truncations_segments_and_the_first_entry(self):
        self.make()
        self.append("1\n2\n3\n4\n")
        self.control("seal")
        self.control("truncate 3")
        self.control("trim 1")
        self.assertEqual(self.value("maplog_generation"), 1)
        self.assertEqual(self.value("maplog_first_index"), 1)
        self.assertEqual(self.value("maplog_segments"),
                         float(self.status()["segments"]))

    def test_open_files_and_followers(self):
        self.make()
        with open(self.at("l", "follow"), "rb"), \
                open(self.at("l", "status"), "rb"):
            self.assertEqual(self.value("maplog_followers"), 1)
            self.assertEqual(self.value("maplog_open_files"), 2)
        mounted.until(lambda: self.value("maplog_open_files") == 0,
                      "files are closed")

    def test_a_named_reader_and_its_lag(self):
        self.make()
        self.append("1\n2\n3\n")
        with subprocess.Popen(
                [mounted.MAPLOG, "follow", "--name", "worker1",
                 os.path.join(self.store, "l")],
                stdout=subprocess.PIPE) as reader:
            mounted.until(lambda: "reader=" in self.text(), "it is there")
            self.append("4\n")
            self.assertEqual(reader.stdout.readline()[-2:], b"4\n")
            reader.terminate()
        mounted.until(lambda: self.value("maplog_reader_lag_entries",
                                         reader="worker1") == 0, "it has read")
        self.append("5\n6\n")
        self.assertEqual(self.value("maplog_reader_lag_entries",
                                    reader="worker1"), 2)

    def test_what_a_recovery_found(self):
        self.make(sync="manual")
        self.append("1\n2\n3\n")
        self.daemon.kill()
        self.start()
        self.assertEqual(self.value("maplog_recovered_entries"), 3)
        self.assertEqual(self.value("maplog_damaged_entries"), 0)

    def test_a_log_that_cannot_be_opened(self):
        self.make()
        self.stop()
        with open(os.path.join(self.store, "l", "head"), "r+b") as file:
            file.write(b"x" * 4096)
        for name in os.listdir(os.path.join(self.store, "l")):
            if name.endswith((".log", ".idx")):
                os.unlink(os.path.join(self.store, "l", name))
        self.start()
        self.assertEqual(self.status()["state"], "unusable")
        self.assertEqual(self.status()["error"], "its files are damaged: "
                         "'maplog verify' says more")
        self.assertEqual(self.value("maplog_failed"), 1)
        self.assertEqual(self.value("maplog_writable"), 0)

    def test_names_are_escaped(self):
        for name, label in ((b'a"b', r'a\"b'), (b"a\\b", r"a\\b"),
                            ("ü".encode(), "ü"), (b"a\xffb", "a?ffb"),
                            (b"\xed\xa0\x80", "?ed?a0?80"),
                            (b"\xc3", "?c3")):
            os.mkdir(os.path.join(self.mnt.encode(), name))
            self.assertEqual(self.value("maplog_next_index", label), 0)

    def test_it_ends_as_openmetrics_does(self):
        self.assertTrue(self.text().endswith("\n# EOF\n"))

    def test_promtool_finds_no_fault(self):
        self.make()
        self.append("1\n")
        # It checks the older format, where the name of a counter's family
        # ends in _total, too: the one difference there is.
        text = re.sub(r"^# HELP (\w+) (.*)\n# TYPE \1 counter$",
                      r"# HELP \1_total \2\n# TYPE \1_total counter",
                      self.text(), flags=re.M)
        done = subprocess.run([program("promtool"), "check", "metrics"],
                              input=text, capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


@mounted.only(mounted.PASSTHROUGH, "once is enough")
class Scraped(mounted.MountCase):
    """By a real Prometheus on loopback, through the server of the manual."""

    def run_beside(self, *command):
        with open(os.path.join(self.work, "beside"), "ab") as said:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=said, stderr=said)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def serve(self):
        """What docs/operations.md says that serves the file."""
        with open(OPERATIONS, encoding="utf-8") as file:
            script = re.search(r"```python\n(.*?)```", file.read(), re.S)[1]
        path = os.path.join(self.work, "metrics.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        port = self.free_port()
        self.run_beside(sys.executable, path, self.at(".maplog", "metrics"),
                        str(port))
        return port

    def prometheus(self, target):
        config = os.path.join(self.work, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "300ms",
                                  "scrape_timeout": "300ms"},
                       "scrape_configs": [{
                           "job_name": "maplog", "static_configs": [
                               {"targets": [f"127.0.0.1:{target}"]}]}]}, file)
        port = self.free_port()
        self.run_beside(
            program("prometheus"), f"--config.file={config}",
            f"--storage.tsdb.path={self.work}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}")
        return f"http://127.0.0.1:{port}/api/v1"

    def ask(self, api, query):
        """The value that a query has now, or None."""
        try:
            answer = json.loads(get(
                f"{api}/query?" + urllib.parse.urlencode({"query": query})))
        except (urllib.error.URLError, OSError, ValueError):
            return None
        found = answer["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    @staticmethod
    def errors(api):
        """Of the last look at each target."""
        targets = json.loads(get(f"{api}/targets"))["data"]["activeTargets"]
        return [target["lastError"] for target in targets]

    def test_prometheus_sees_what_is_appended(self):
        self.make()
        self.append("1\n2\n3\n")
        api = self.prometheus(self.serve())
        for query, wanted in (
                ('up', 1),
                ('maplog_next_index{log="l"}', 3),
                ('maplog_entries_total', 3),
                ('maplog_batch_entries_count', 1)):
            mounted.until(lambda q=query, w=wanted: self.ask(api, q) == w,
                          f"{query} is {wanted}")
        self.append("4\n")
        mounted.until(lambda: self.ask(api, "maplog_entries_total") == 4,
                      "the fourth entry is seen")
        mounted.until(lambda: self.errors(api) == [""],
                      "no look at it fails, unless it is too slow once")
        kinds = json.loads(get(f"{api}/metadata"))["data"]
        self.assertEqual(kinds["maplog_entries"][0]["type"], "counter")
        self.assertEqual(kinds["maplog_sync_seconds"][0]["unit"], "seconds")


if __name__ == "__main__":
    mounted.main()
