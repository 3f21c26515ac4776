#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual has a page for everything, and each page is well made."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MAPLOG_BUILD", ROOT / "build"))
# What is installed, log.h first.
HEADERS = sorted((ROOT / "liblog" / name for name in re.findall(
    r"^    '(\w+\.h)',$", (ROOT / "liblog/meson.build").read_text(), re.M)),
    key=lambda path: path.name != "log.h")
WRITTEN = sorted((ROOT / "man").glob("*.[1-8]"))
GENERATED = sorted((BUILD / "man").glob("*.3"))


def output(*command):
    return subprocess.run(command, check=True, text=True,
                          capture_output=True).stdout


def section(page, name):
    """What a page has below a heading."""
    found = re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", page.read_text(),
                      re.M | re.S)
    return found[1] if found else ""


class Manual(unittest.TestCase):

    def test_each_exported_function_has_a_page(self):
        listed = output("nm", "-D", "--defined-only",
                        str(BUILD / "liblog/libmaplog.so"))
        exported = set(re.findall(r"\bT (maplog_\w+)", listed))
        self.assertGreater(len(exported), 30)
        pages = {page.stem for page in GENERATED} - {"libmaplog"}
        inline = set()
        for header in HEADERS:
            inline |= set(re.findall(r"^static inline .*?\b(maplog_\w+)\(",
                                     header.read_text(), re.M))
        self.assertEqual(exported | inline, pages)

    def test_each_page_says_what_is_returned_and_what_can_go_wrong(self):
        for page in GENERATED:
            if page.stem != "libmaplog":
                with self.subTest(page.name):
                    self.assertTrue(section(page, "RETURN VALUES"))
                    self.assertTrue(section(page, "ERRORS"))

    def test_errors_of_a_function_that_another_one_returns_are_told(self):
        page = BUILD / "man/maplog_append_at.3"
        for name in ("ESTALE", "EMSGSIZE", "ENOSPC", "EROFS"):
            self.assertIn(name, section(page, "ERRORS"))

    def test_no_page_has_a_fault(self):
        self.assertGreater(len(WRITTEN), 3)
        done = subprocess.run(
            ["mandoc", "-Tlint", "-Wwarning", *WRITTEN, *GENERATED],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_pages_refer_to_is_there(self):
        ours = {page.name for page in WRITTEN + GENERATED}
        for page in WRITTEN + GENERATED:
            for name, number in re.findall(r"^\.Xr (\S+) (\d)",
                                           page.read_text(), re.M):
                if "maplog" in name:
                    self.assertIn(f"{name}.{number}", ours, page.name)

    def test_every_key_of_the_ini_file_is_in_its_page(self):
        page = (ROOT / "man/maplogfs.ini.5").read_text()
        keys = re.findall(r"^(?:# )?([\w-]+) = ",
                          (ROOT / "etc/maplogfs.ini").read_text(), re.M)
        self.assertGreater(len(keys), 8)
        for key in keys:
            self.assertRegex(page, rf"\.It Cm .*\b{key}\b")

    def test_every_option_of_the_daemon_is_in_its_page(self):
        page = (ROOT / "man/maplogfs.8").read_text()
        usage = output(str(BUILD / "fs/maplogfs"), "--help")
        for option in re.findall(r"--([a-z-]+)", usage):
            self.assertIn(f"Fl -{option}", page)
        for option in re.findall(r"^  ([a-z][\w-]+)[=,]?.*  ", usage, re.M):
            self.assertRegex(page, rf"Cm .*\b{option}\b")


class Header(unittest.TestCase):
    """A header whose comments are not understood ends the build."""

    def refuses(self, message, name, before, after):
        with tempfile.TemporaryDirectory() as place:
            headers = [shutil.copy(header, place) for header in HEADERS]
            changed = Path(place, name)
            text = changed.read_text()
            self.assertIn(before, text)
            changed.write_text(text.replace(before, after, 1))
            done = subprocess.run(
                [sys.executable, ROOT / "man/pages.py", *headers,
                 ROOT / "man/example.c", place],
                capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, rf"\A\S*log.h: .*{message}.*\n\Z")

    def test_a_function_without_a_comment(self):
        self.refuses("without a comment: maplog_odd", "log.h",
                     "/* ---- Reading", "int maplog_odd(int fd);\n/* ---- R")

    def test_a_comment_on_another_function(self):
        self.refuses("maplog_trim: .*another name", "log.h",
                     "maplog_trim() -", "maplog_trimm() -")

    def test_a_function_that_does_not_say_what_it_returns(self):
        self.refuses("maplog_head_open: says not", "status.h",
                     "Return: 0, or an -errno of open(2).", "")

    def test_an_argument_that_is_not_there(self):
        self.refuses("maplog_seal: has no argument bass", "log.h",
                     "@base: out: first", "@bass: out: first")

    def test_an_error_that_is_not_explained(self):
        self.refuses("maplog_seal: .*-ENOEXEC", "log.h",
                     "Return: 0; -ENOSPC; -EROFS; else",
                     "Return: 0; -ENOEXEC; -EROFS; else")

    def test_an_error_in_the_middle_of_a_sentence(self):
        self.refuses("maplog_wait: not understood", "log.h",
                     "-EINTR if a signal came in", "or maybe -EINTR")


if __name__ == "__main__":
    unittest.main()
