#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`meson install` puts everything where people and programs look for it."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MAPLOG_BUILD", ROOT / "build"))
CC = os.environ.get("CC", "cc").split()

SYMBOLS = (ROOT / "debian/libmaplog1.symbols").read_text()

# Below the prefix, * for the directory of libraries.
EXPECTED = """
    bin/maplog
    bin/maplogfs
    etc/maplogfs.ini
    lib/systemd/system/maplogfs@.service
    share/doc/maplogfs/examples/mnt-logs.mount
    include/maplog/format.h
    include/maplog/log.h
    include/maplog/metrics.h
    include/maplog/status.h
    lib/*/libmaplog.a
    lib/*/libmaplog.so
    lib/*/libmaplog.so.1
    lib/*/pkgconfig/libmaplog.pc
    share/bash-completion/completions/maplog
    share/fish/vendor_completions.d/maplog.fish
    share/zsh/site-functions/_maplog
    share/man/man1/maplog.1
    share/man/man3/libmaplog.3
    share/man/man3/maplog_open.3
    share/man/man5/maplog-format.5
    share/man/man5/maplogfs.ini.5
    share/man/man8/maplogfs.8
""".split()


def run(*command, **options):
    return subprocess.run(command, check=True, text=True,
                          capture_output=True, **options).stdout


class Installed(unittest.TestCase):
    """What is installed, in a directory of its own."""

    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.work)
        dest = cls.work / "dest"
        run("meson", "install", "-C", BUILD, "--no-rebuild",
            "--skip-subprojects", "--destdir", dest)
        cls.prefix = next(dest.rglob("bin")).parent
        cls.dest = dest

    def one(self, name):
        found = list(self.prefix.glob(name))
        self.assertEqual(len(found), 1, name)
        return found[0]

    def package(self, *what):
        """What pkg-config says, as if this were the prefix."""
        folder = self.one("lib/*/pkgconfig")
        return run("pkg-config", f"--define-variable=prefix={self.prefix}",
                   *what, "libmaplog",
                   env={**os.environ, "PKG_CONFIG_PATH": folder}).split()

    def program(self, *link):
        """The example of the manual, built as a stranger does it."""
        program = self.work / "example"
        run(*CC, "-Wall", "-Wextra", "-Werror", "-o", program,
            ROOT / "man/example.c", *self.package("--cflags"), *link)
        return program

    def says(self, program, **environment):
        shutil.rmtree(self.work / "log", ignore_errors=True)
        return run(program, "log", cwd=self.work,
                   env={**os.environ, **environment})

    def test_everything_is_in_its_place(self):
        for name in EXPECTED:
            self.one(name)

    def test_the_service_reads_the_ini_file_that_is_installed(self):
        unit = self.one("lib/systemd/system/maplogfs@.service").read_text()
        named = re.search(r"(?m)^ExecStart=.* -c (\S+)", unit)[1]
        self.assertTrue((self.dest / named.lstrip("/")).is_file(), named)

    def test_nothing_else_comes_with_it(self):
        folders = {str(path.relative_to(self.prefix).parent).split("/")[0]
                   for path in self.prefix.rglob("*") if path.is_file()}
        self.assertLessEqual(folders, {"bin", "include", "lib", "share", "etc"})
        self.assertEqual(len(list(self.prefix.glob("bin/*"))), 2)
        self.assertEqual(len(list(self.prefix.glob("include/*"))), 1)

    def test_the_package_knows_what_the_library_exports(self):
        library = self.one("lib/*/libmaplog.so.1")
        listed = run("nm", "-D", "--defined-only", library)
        exported = re.findall(r"\w+ \w (maplog_\w+)@@LIBMAPLOG_1", listed)
        known = re.findall(r"^ (maplog_\w+)@LIBMAPLOG_1 ", SYMBOLS, re.M)
        self.assertEqual(sorted(exported), sorted(known),
                         "debian/libmaplog1.symbols has other names")

    def test_a_program_links_the_shared_library(self):
        program = self.program(*self.package("--libs"))
        libraries = self.one("lib/*/libmaplog.so.1").parent
        said = self.says(program, LD_LIBRARY_PATH=str(libraries))
        self.assertEqual(said, "0: hello\n1: world\n")
        self.assertIn("libmaplog.so.1", run("objdump", "-p", program))

    def test_a_program_links_the_static_library(self):
        libraries = self.package("--static", "--libs")
        libraries[libraries.index("-lmaplog")] = "-l:libmaplog.a"
        program = self.program(*libraries)
        self.assertEqual(self.says(program), "0: hello\n1: world\n")
        self.assertNotIn("libmaplog.so", run("objdump", "-p", program))

    def test_the_commands_run_from_there(self):
        version = self.package("--modversion")[0]
        for name in ("maplog", "maplogfs"):
            self.assertIn(version, run(self.prefix / "bin" / name,
                                       "--version"))


if __name__ == "__main__":
    unittest.main()
