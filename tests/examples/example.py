# SPDX-License-Identifier: MIT
"""What the tests of the examples share: where things are, and what runs."""

import importlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "examples")
BUILT = os.environ.get("EXAMPLES", os.path.join(ROOT, "build", "examples"))
sys.path[:0] = [os.path.join(ROOT, "tests", "mount"), SOURCES]

# pylint: disable=wrong-import-position
import mounted  # noqa: E402


def source(*names):
    return os.path.join(SOURCES, *names)


def skip(why):
    """One line that scripts/test repeats at its end."""
    print(f"SKIP: {os.path.basename(sys.argv[0])}: {why}: "
          "run scripts/install-example-deps", flush=True)


def numpy():
    """numpy, or no test at all."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return mounted.skip_all("numpy is not installed: "
                                "run scripts/install-deps")


def works(*command):
    """Whether a program is there and ends well."""
    if not shutil.which(command[0]):
        return False
    return not subprocess.run(command, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL).returncode


def missing(*programs):
    """Those of the programs that are not installed."""
    return [program for program in programs if not shutil.which(program)]


def need(*programs):
    """Skips the whole program where one of these is missing."""
    lacks = missing(*programs)
    if lacks:
        mounted.skip_all(f"not installed: {', '.join(lacks)}: "
                         "run scripts/install-example-deps")


def has_node_module():
    """Whether Node has the module that maps files."""
    return works("node", "-e", "process.chdir(process.argv[1]); "
                 "require('module').createRequire(process.cwd() + '/')"
                 "('@riaskov/mmap-io')", source("languages"))


def has_perl_module():
    return works("perl", "-MFile::Map", "-e", "1")


def case_needs(case, *programs):
    """Skips one test where one of these is missing."""
    lacks = missing(*programs)
    if lacks:
        skip(f"not installed: {', '.join(lacks)}")
        case.skipTest(f"not installed: {', '.join(lacks)}")


def check_record(case, name, *arguments):
    """The command that measures puts what it says where the README of the
    example has room for it; returns that."""
    readme = os.path.join(case.work, "README.md")
    shutil.copy(source(name, "README.md"), readme)
    done = subprocess.run(
        [sys.executable, source(name, "measure.py"), "--rounds", "1",
         "--record", "--out", case.work, *map(str, arguments)],
        capture_output=True, text=True, check=False)
    case.assertEqual(done.returncode, 0, done.stderr)
    with open(readme, encoding="utf-8") as file:
        case.assertIn(f"<!-- measured -->\n\n{done.stdout}\n<!-- end -->",
                      file.read())
    return done.stdout
