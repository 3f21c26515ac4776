# SPDX-License-Identifier: MIT
"""What the checks share: the files of a tree, and C without its comments."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

C_SUFFIXES = (".c", ".h")

# A comment, a string or a character of C, whichever begins first.
TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)


class File:
    """A text file of the tree, read once."""

    def __init__(self, root, name):
        self.name = name
        self.text = (root / name).read_bytes().decode(errors="replace")
        self.lines = self.text.split("\n")

    @property
    def room(self):
        """The top folder: liblog, fs, cli, ..."""
        return self.name.split("/")[0] if "/" in self.name else ""

    @property
    def is_c(self):
        return self.name.endswith(C_SUFFIXES)

    @property
    def interpreter(self):
        """What its first line names: bash, sh, python3, or nothing."""
        first = self.lines[0]
        return re.split(r"[/ ]", first)[-1] if first.startswith("#!") else ""

    @property
    def is_shell(self):
        return self.interpreter in ("sh", "bash") or self.name.endswith(".sh")

    @property
    def is_python(self):
        return self.interpreter == "python3" or self.name.endswith(".py")

    def line_of(self, position):
        return self.text.count("\n", 0, position) + 1


def names(root):
    """What git tracks or would track; without git, all that is there."""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            # Root may check what belongs to somebody else.
            ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files",
             "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True,
        ).stdout.split("\0")
        return sorted({name for name in listed if (root / name).is_file()})
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name[0] != "."
                      and not name.startswith(("build", "__pycache__"))
                      and name != "subprojects"]
        found += [os.path.relpath(os.path.join(folder, name), root)
                  for name in files]
    return sorted(found)


# Inputs of tests: what they hold is nobody's text.
INPUTS = ("tests/fuzz/corpus/", "tests/freeze/stores/")


def files(root):
    """All text files of the tree."""
    for name in names(root):
        path = root / name
        if path.is_symlink() or name.startswith(INPUTS):
            continue
        with path.open("rb") as head:
            if b"\0" in head.read(8192):
                continue
        yield File(root, name)


def _spaces(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    """C with blanks for comments; every line stays where it is."""
    return TOKEN.sub(
        lambda m: _spaces(m) if m.group().startswith("/") else m.group(), text)


def bare(text):
    """C with blanks for comments and strings."""
    return TOKEN.sub(_spaces, text)


def comments(file):
    """(position, text) of every comment of a C file."""
    for match in TOKEN.finditer(file.text):
        if match.group().startswith("/"):
            yield match.start(), match.group()


class Report:
    """Findings, printed as they come; the last line says how it went."""

    def __init__(self):
        self.name = Path(sys.argv[0]).name
        self.found = 0

    def add(self, file, line, message):
        name = file if isinstance(file, str) else file.name
        print(f"{name}:{line}: {message}" if line else f"{name}: {message}")
        self.found += 1

    def close(self, about):
        """Ends the program."""
        sys.stdout.flush()
        if self.found:
            print(f"{self.name}: FAILED: {self.found} findings in {about}")
        else:
            print(f"{self.name}: ok: {about}")
        sys.exit(1 if self.found else 0)


def arguments(description):
    """A parser with the option that all checks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tree", type=Path, metavar="DIR",
                        default=Path(__file__).resolve().parent.parent,
                        help="the tree to check (default: this one)")
    return parser
