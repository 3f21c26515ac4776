# SPDX-License-Identifier: MIT
"""The same program in every language, each against what the others wrote."""

import glob
import os
import subprocess
import tempfile

import example
import mounted
from example import source

PLACE = tempfile.TemporaryDirectory(prefix="maplog-")


def go():
    program = os.path.join(PLACE.name, "mapped-go")
    os.environ.setdefault("GOCACHE", os.path.join(PLACE.name, "go"))
    return example.works("go", "build", "-o", program,
                         source("languages", "mapped.go")) and [program]


def java():
    return example.works("javac", "-d", PLACE.name,
                         source("languages", "Mapped.java")) and \
        ["java", "-Xshare:auto", "-XX:-UsePerfData", "-cp", PLACE.name,
         "Mapped"]


def node():
    return example.has_node_module() and \
        ["node", source("languages", "mapped.js")]


def perl():
    return example.has_perl_module() and \
        ["perl", source("languages", "mapped.pl")]


def languages():
    """The commands by their languages, of those that are installed."""
    commands = {
        "c": [os.path.join(example.BUILT, "mapped")],
        "go": go(), "java": java(), "node": node(), "perl": perl(),
        "python": ["/usr/bin/python3", source("languages", "mapped.py")],
        "shell": ["sh", source("languages", "mapped.sh")],
        "library": [os.path.join(example.BUILT, "library")],
    }
    for name in [name for name in commands if not commands[name]]:
        example.skip(f"{name} or a module of it is not installed")
        del commands[name]
    return commands


class Languages(mounted.MountCase):
    """Every program does the same."""

    commands = {}

    @classmethod
    def setUpClass(cls):
        cls.commands = languages()

    def command(self, name, what, log="l"):
        """The library looks at the store itself, all others at the mount."""
        where = self.store if name == "library" else self.mnt
        return [*self.commands[name], what, os.path.join(where, log)]

    def output(self, name, what, log="l", texts=()):
        done = subprocess.run(
            [*self.command(name, what, log), *texts], check=False,
            capture_output=True, stdin=subprocess.DEVNULL,
            timeout=mounted.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, b""), name)
        return done.stdout.decode()

    def each_reads(self, log, texts):
        """Every program finds these entries; lines on copies do not count."""
        for name in self.commands:
            with self.subTest(name):
                lines = self.output(name, "read", log).splitlines()
                self.assertEqual(
                    [line for line in lines if not line.startswith("copy ")],
                    [f"{i}: {text}" for i, text in enumerate(texts)])

    def test_no_program_is_longer_than_a_page(self):
        for path in glob.glob(source("languages", "*.*")):
            with open(path, encoding="utf-8") as file:
                self.assertLess(len(file.readlines()), 60, path)

    def test_each_reads_what_each_has_appended(self):
        self.make()
        wanted = []
        for name in self.commands:
            if name == "library":
                continue
            texts = [f"from {name}", "", f"zwei aus {name}: größer"]
            self.output(name, "append", texts=texts)
            wanted += texts
        self.each_reads("l", wanted)

    def test_each_reads_what_the_library_appends_beside_the_mount(self):
        self.output("library", "append", "own", ["one", "two"])
        self.each_reads("own", ["one", "two"])

    def test_each_finds_the_entries_of_every_segment(self):
        self.make()
        self.append("one\ntwo\n")
        self.control("seal")
        self.append("three\n")
        self.control("truncate 2")
        self.append("drei\n")
        self.control("seal")
        self.each_reads("l", ["one", "two", "drei"])

    def test_what_is_written_to_a_private_copy_stays_there(self):
        self.make()
        self.append("one\ntwo\n")
        for name in set(self.commands) - {"shell", "library"}:
            with self.subTest(name):
                self.assertEqual(self.output(name, "read"),
                                 "0: one\n1: two\ncopy *, log o\n")
        self.assertEqual(self.entries(), [b"one\n", b"two\n"])

    def test_an_entry_without_end_is_not_printed(self):
        os.makedirs(os.path.join(self.work, "bad", "segments"))
        path = os.path.join(self.work, "bad", "segments", "0" * 20)
        with open(path + ".idx", "wb") as file:
            file.write((100).to_bytes(24, "little"))
        with open(path + ".log", "wb") as file:
            file.write(b"short\n")
        self.mnt = self.work
        for name in set(self.commands) - {"library"}:
            with self.subTest(name):
                done = subprocess.run(self.command(name, "read", "bad"),
                                      capture_output=True, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotIn(b"short", done.stdout)

    def test_an_append_that_is_refused_is_an_error(self):
        self.make()
        self.restart("-o", "ro")
        for name in set(self.commands) - {"library"}:
            with self.subTest(name):
                done = subprocess.run([*self.command(name, "append"), "text"],
                                      capture_output=True, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotEqual(done.stderr, b"")

    def follow(self, name):
        """Starts a program that follows; what it has said so far."""
        # pylint: disable=consider-using-with
        out = tempfile.TemporaryFile()
        follower = subprocess.Popen(self.command(name, "follow"), stdout=out,
                                    stdin=subprocess.DEVNULL)

        def end():
            follower.kill()
            follower.wait()
            out.close()

        self.addCleanup(end)
        return lambda: os.pread(out.fileno(), 1 << 20, 0).decode()

    def test_each_follows_live(self):
        self.make()
        said = {name: self.follow(name) for name in self.commands}

        def all_began():
            self.append("tick\n")
            return all(text() for text in said.values())

        mounted.until(all_began, "all follow")
        self.append("tock\n")
        for name, text in said.items():
            mounted.until(lambda text=text: "tock\n" in text(),
                          f"{name} follows")


if __name__ == "__main__":
    mounted.main()
