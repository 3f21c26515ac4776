# SPDX-License-Identifier: MIT
"""Runs what the documents say, and compares it with what they say it says.

In a block ```console every line that begins with `$ ` is a command, and what
follows is its output. Digits are not compared. To write the output that the
commands have now into the documents:

    /usr/bin/python3 tests/examples/documents.py --write
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import example
import mounted

DOCUMENTS = {"docs/examples.md": "", "README.md": "## Examples"}
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
WRITE = "--write"


def read(name):
    with open(os.path.join(example.ROOT, name), encoding="utf-8") as file:
        return file.read()


def section(text, heading):
    """Where a section of a document is: all of it, or one with a heading."""
    begin = text.index(heading)
    end = text.find("\n## ", begin + 1) if heading else -1
    return begin, end if end >= 0 else len(text)


def commands(text):
    return [match[1] for block in BLOCK.finditer(text)
            for match in COMMAND.finditer(block[1])]


def without_numbers(text):
    return re.sub(r"\d+", "N", text)


class Session:
    """A directory as the top of the tree is, and one shell for all."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="maplog-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        shutil.copytree(example.SOURCES, self.at("examples"), symlinks=True,
                        ignore=shutil.ignore_patterns("node_modules"))
        self.link("languages", "node_modules")
        self.use_port("examples/http/nginx.conf")
        os.symlink(os.path.dirname(os.path.abspath(example.BUILT)),
                   self.at("build"))

    def at(self, *names):
        return os.path.join(self.work, *names)

    def link(self, *names):
        if os.path.exists(example.source(*names)):
            os.symlink(example.source(*names), self.at("examples", *names))

    def use_port(self, name):
        with open(self.at(name), "r+", encoding="ascii") as file:
            text = file.read().replace("8080", self.port)
            file.seek(0)
            file.truncate()
            file.write(text)

    def run(self, lines):
        """What each of these commands says."""
        script = "".join(f"printf '\\1'\n{line}\n" for line in lines)
        done = subprocess.run(
            ["bash", "-c", script.replace("8080", self.port)], cwd=self.work,
            env={**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
            timeout=2 * mounted.PATIENCE)
        said = done.stdout.replace(self.port, "8080").split("\1")
        return [text.expandtabs() for text in said[1:]]

    def close(self):
        for name in ("mnt", "look"):
            if mounted.is_mounted(self.at(name)):
                subprocess.run(["umount", "-l", self.at(name)], check=False)
        shutil.rmtree(self.work)


def rewritten(text):
    """A text with what its commands say now."""
    session = Session()
    try:
        outputs = iter(session.run(commands(text)))
    finally:
        session.close()

    def block(match):
        return "".join(["```console\n", *(
            f"$ {line}\n{next(outputs, '(nothing: the shell had ended)')}"
            for line in COMMAND.findall(match[1])), "```"])

    return BLOCK.sub(block, text)


def write():
    for name, heading in DOCUMENTS.items():
        text = read(name)
        begin, end = section(text, heading)
        with open(os.path.join(example.ROOT, name), "w",
                  encoding="utf-8") as file:
            file.write(text[:begin] + rewritten(text[begin:end]) + text[end:])


class Documents(unittest.TestCase):
    """What is pasted from a document does what stands there."""

    maxDiff = None

    def setUp(self):
        if os.environ.get(WRITE):
            write()

    def check(self, name):
        text = read(name)
        begin, end = section(text, DOCUMENTS[name])
        self.assertEqual(without_numbers(rewritten(text[begin:end])),
                         without_numbers(text[begin:end]))

    def test_the_examples_say_what_their_document_says(self):
        self.check("docs/examples.md")

    def test_the_examples_in_the_readme_say_what_it_says(self):
        self.check("README.md")


if __name__ == "__main__":
    if WRITE in sys.argv:
        sys.argv.remove(WRITE)
        os.environ[WRITE] = "yes"
    example.numpy()
    example.need("curl", "gnuplot", "go", "java", "nginx", "node", "perl",
                 "rsync")
    if not (example.has_node_module() and example.has_perl_module()):
        mounted.skip_all("a module of Node or Perl is not installed: "
                         "run scripts/install-example-deps")
    mounted.main()
