#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each check passes a tiny tree, and finds what is wrong once it is there."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CC = os.environ.get("CC", "cc").split()
LICENCE = "SPDX-License-Identifier: MIT"

C = f"/* {LICENCE} */\n/* A file of a test. */\n"
SHELL = f"#!/bin/sh\n# {LICENCE}\n#\n# A script of a test.\n"

TINY = {
    "liblog/log.h": C + "int maplog_open(int fd);\n",
    "liblog/format.h": C + "struct maplog_record;\n",
    "liblog/table.h": C + "int table_find(int at);\n",
    "liblog/open.c": C + """#include "log.h"

#include <assert.h>
#include <stdio.h>

#include "table.h"

int maplog_open(int fd)
{
	char text[8]; /* printf() in a comment is none */

	assert(fd >= 0);
	return snprintf(text, sizeof(text), "exit(%d)", fd) + table_find(0);
}
""",
    "fs/name.h": C + "int name_parse(void);\n",
    "fs/name.c": C + """#include "name.h"

#include <stdio.h>

#include "../liblog/format.h"
#include "log.h"

int name_parse(void)
{
	printf("the daemon may print\\n");
	return 0;
}
""",
    "scripts/hello": SHELL + "echo hello\n",
}


def function(lines, head="int f(void)"):
    body = "\tf();\n" * (lines - 3)
    return f"{C}{head}\n{{\n{body}}}\n"


class Check(unittest.TestCase):
    """A tree in a temporary directory, and a check to run on it."""

    check = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name)
        for name in (".clang-format",):
            self.write(name, (ROOT / name).read_text())
        for name, text in TINY.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, name, text):
        """Writes more at the end of a file, and tells the line it is on."""
        before = (self.tree / name).read_text()
        self.write(name, before + text)
        return before.count("\n") + 1

    def run_check(self, *args):
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / self.check),
             "--tree", str(self.tree), *args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        if "SKIP:" in done.stdout:
            self.skipTest(done.stdout)
        return done

    def passes(self, *args):
        done = self.run_check(*args)
        self.assertEqual(done.returncode, 0, done.stdout)

    def finds(self, *words, args=()):
        """It fails, and one of its lines has all these words."""
        done = self.run_check(*args)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertTrue(
            any(all(str(word) in line for word in words)
                for line in done.stdout.splitlines()),
            f"no line with {words} in:\n{done.stdout}")


class Layers(Check):
    check = "check-layers"

    def test_a_good_tree_passes(self):
        self.passes()

    def test_a_private_header_in_another_room(self):
        for room in ("fs", "cli", "raft", "bench", "examples/c"):
            for include in ('"table.h"', "<table.h>", '"liblog/table.h"',
                            "<maplog/table.h>"):
                with self.subTest(room=room, include=include):
                    name = f"{room}/odd.c"
                    self.write(name, f"{C}\n#include {include}\n")
                    self.finds(f"{name}:4:", "table.h")
                    (self.tree / name).unlink()

    def test_a_private_header_by_its_path(self):
        line = self.add("fs/name.c", '#  include "../liblog/table.h"\n')
        self.finds(f"fs/name.c:{line}:", "../liblog/table.h")

    def test_a_header_of_the_same_name_at_home_is_fine(self):
        self.write("fs/table.h", C)
        self.add("fs/name.c", '#include "table.h"\n')
        self.passes()

    def test_an_include_in_a_comment_is_none(self):
        self.add("fs/name.c", '/*\n#include "table.h"\n*/\n')
        self.passes()

    def test_the_library_includes_other_rooms(self):
        for header in ("<fuse_lowlevel.h>", "<fuse3/fuse.h>", "<ini.h>",
                       '"../fs/name.h"', '"fs/name.h"', "<syslog.h>"):
            with self.subTest(header=header):
                self.write("liblog/odd.c", f"{C}#include {header}\n")
                self.finds("liblog/odd.c:3:", header.strip('<>"'))

    def test_the_library_prints_or_ends_the_process(self):
        for call in ('printf("")', 'fprintf(f, "")', 'vdprintf(1, "", a)',
                     'puts("")', "putchar(1)", 'perror("")', "exit(1)",
                     'syslog(1, "")', "_exit(1)", "abort()", 'err(1, "")',
                     'errx(1, "")', 'warn("")', 'vwarnx("", a)', "f(stderr)",
                     'sprintf(s, "")', 'error(1, 2, "")'):
            with self.subTest(call=call):
                self.write("liblog/odd.c", f"{C}int f(void)\n{{\n\t{call};\n")
                self.finds("liblog/odd.c:5:", "neither prints nor")

    def test_words_that_look_like_it_do_not(self):
        self.write("liblog/odd.c", f"{C}int a = log->exit(log_error(log)) + "
                   "table_abort() + snprintf(0, 0) + io_err();\n")
        self.passes()

    def library(self, text):
        (self.tree / "build/liblog").mkdir(parents=True)
        self.write("build/x.c", text)
        subprocess.run([*CC, "-shared", "-fPIC", "-o",
                        self.tree / "build/liblog/libmaplog.so.1",
                        self.tree / "build/x.c"], check=True)

    def test_exports_with_the_prefix_pass(self):
        self.library("int maplog_f(void) { return 0; }\n")
        self.passes(str(self.tree / "build"))

    def test_an_export_without_the_prefix(self):
        self.library("int table_find(void) { return 0; }\n")
        self.finds("libmaplog.so.1", "exports table_find",
                   args=[str(self.tree / "build")])

    def test_no_library_to_look_at(self):
        self.finds("no libmaplog.so", args=[str(self.tree / "nowhere")])


class Budget(Check):
    check = "check-budget"

    def test_a_good_tree_passes(self):
        self.passes()

    def test_a_function_of_71_lines(self):
        self.write("fs/f.c", function(70))
        self.passes()
        self.write("fs/f.c", function(71))
        self.finds("fs/f.c:3:", "f() has 71 lines")

    def test_the_signature_counts(self):
        head = "__attribute__((format(printf, 1, 2)))\nstatic int\nlong_one(" \
            "const char *a,\n\t...)"
        self.write("fs/f.c", function(68, head))
        self.finds("fs/f.c:3:", "long_one() has 71 lines")

    def test_a_test_goes_by_its_own_name(self):
        self.write("tests/t.c", function(71, "START_TEST(it_works)"))
        self.finds("tests/t.c:3:", "it_works()")

    def test_a_file_of_501_lines(self):
        self.write("cli/f.c", C + "int f(void);\n" * 498)
        self.passes()
        self.write("cli/f.c", C + "int f(void);\n" * 499)
        self.finds("cli/f.c:501:", "500")

    def test_too_few_asserts_in_the_library(self):
        self.write("liblog/f.c", C + "int f(void);\n" * 50)
        self.finds("liblog:", "asserts in 1000")

    def test_too_many_gotos(self):
        self.write("cli/f.c", function(10) + "\tgoto out;\n")
        self.finds("gotos in 1000")

    def test_a_line_of_81_columns(self):
        self.add("fs/name.c", "\tint " + "a" * 67 + ";\n")
        self.passes()
        line = self.add("fs/name.c", "\tint " + "a" * 68 + ";\n")
        self.finds(f"fs/name.c:{line}:", "81 columns")

    def test_marks_of_unfinished_work(self):
        for mark in ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"):
            for name, text in (("fs/f.c", f"{C}/* {mark}: more */\n"),
                               ("scripts/f", f"{SHELL}# {mark}\n")):
                with self.subTest(mark=mark, name=name):
                    self.write(name, text)
                    self.finds(f"{name}:", mark)
                    (self.tree / name).unlink()

    def test_code_in_comments(self):
        for text in ("/* f(x); */", "/*\n * x = y + 1;\n */", "/* return 0; */",
                     "/*\n\tif (a) {\n\t\tb();\n\t}\n*/", "// f(x);",
                     "#if 0\nint x;\n#endif", "/* #include <stdio.h> */"):
            with self.subTest(text=text):
                self.write("fs/f.c", f"{C}{text}\n")
                self.finds("fs/f.c:")

    def test_prose_and_examples_in_comments(self):
        self.write("fs/f.c", C + textwrap.dedent('''\
            /*
             * Return: 0; -EMSGSIZE if it is over the limit;
             * else the -errno of pwritev(2). Call f() once, like this:
             *
             *     f(x);
             */
            /* What f(x) returns; see g(). */
            const char *url = "//host/return 0;";
            '''))
        self.passes()

    def test_a_file_without_a_licence(self):
        for name, text in (("fs/f.c", "/* A file. */\n"),
                           ("scripts/f", "#!/bin/bash\n# A script.\n"),
                           ("tests/f.py", '"""A module."""\n')):
            with self.subTest(name=name):
                self.write(name, text)
                self.finds(f"{name}:1:", "SPDX")
                (self.tree / name).unlink()

    def test_a_script_that_others_source(self):
        self.write("scripts/lib.sh", f"# shellcheck shell=sh\n# {LICENCE}\n"
                   "#\n# What tests share.\n")
        self.passes()

    def test_a_file_that_does_not_say_what_it_is_for(self):
        for name, text in (("fs/f.c", f"/* {LICENCE} */\nint f(void);\n"),
                           ("fs/g.c", f"/* {LICENCE} */\n/* f */\n"),
                           ("scripts/f", f"#!/bin/sh\n# {LICENCE}\necho\n"),
                           ("tests/f.py", f"# {LICENCE}\nimport os\n")):
            with self.subTest(name=name):
                self.write(name, text)
                self.finds(f"{name}:2:", "what it is for")
                (self.tree / name).unlink()


class Format(Check):
    check = "check-format"

    def test_a_good_tree_passes(self):
        self.passes()

    def test_other_layout(self):
        line = self.add("fs/name.c", "int  x;\n")
        self.finds(f"fs/name.c:{line}:", "layout")

    def test_fix_lays_it_out(self):
        self.add("fs/name.c", "int  x;\n")
        self.run_check("--fix")
        self.passes()

    def test_a_shell_script_with_a_fault(self):
        line = self.add("scripts/hello", "rm $1\n")
        self.finds(f"scripts/hello line {line}:")

    def test_white_space_at_the_end_of_a_line(self):
        self.write("notes.md", "one\ntwo \n")
        self.finds("notes.md:2:", "white space")

    def test_no_newline_at_the_end(self):
        self.write("notes.md", "one")
        self.finds("notes.md:1:", "no newline")

    def test_an_empty_line_at_the_end(self):
        self.write("notes.md", "one\n\n")
        self.finds("notes.md:", "empty line")

    def test_a_manual_page_with_a_fault(self):
        self.write("man/maplog.1", ".Dd November 21, 2026\n.Dt MAPLOG 1\n.Os\n"
                   ".Sh NAME\n.Nm maplog\n.Nd logs\n.Sh DESCRIPTION\n.Xyz\n")
        self.finds("maplog.1:8:", "macro")


class Errnos(Check):
    check = "check-errnos"

    def setUp(self):
        super().setUp()
        self.write("liblog/log.h", C + "/**\n * maplog_open() - open\n *\n"
                   " * Return: 0; -ENOENT if not.\n */\n"
                   "int maplog_open(int fd);\n")

    def test_an_errno_that_a_test_names(self):
        self.write("tests/unit/open.c", C + "START_TEST(none_is_not_opened)\n"
                   "{\n\tck_assert_int_eq(maplog_open(7), -ENOENT);\n}\n")
        self.passes()

    def test_an_errno_in_what_a_test_calls(self):
        self.write("tests/unit/fixture.c", C + "int try_open(void)\n{\n"
                   "\treturn maplog_open(7);\n}\n")
        self.write("tests/unit/open.c", C + "START_TEST(none_is_not_opened)\n"
                   "{\n\tck_assert_int_eq(try_open(), -ENOENT);\n}\n")
        self.passes()

    def test_an_errno_of_another_test(self):
        self.write("tests/unit/open.c", C + "START_TEST(one)\n{\n"
                   "\tmaplog_open(7);\n}\n\nSTART_TEST(another)\n{\n"
                   "\tck_assert_int_eq(f(), -ENOENT);\n}\n")
        self.finds("liblog/log.h:", "maplog_open", "-ENOENT")


del Check  # itself no test

if __name__ == "__main__":
    unittest.main()
