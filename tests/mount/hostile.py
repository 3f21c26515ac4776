# SPDX-License-Identifier: MIT
"""Bad input: clear errors, no crash, and nothing has changed."""

import errno
import os
import random
import shutil
import socket
import stat

import mounted
from clients import frame

SEED = int(os.environ.get("MAPLOG_SEED", "17"))
WORDS = (b"append", b"append-at", b"overwrite", b"truncate", b"trim", b"sync",
         b"seal", b"set", b"verify", b"tag=", b"0", b"1", b"-1", b"007",
         b"18446744073709551615", b"18446744073709551616", b"9" * 40, b" ",
         b"\t", b"\0", b"\r", b"=", b"%s%n", b"../..", b"max-entry", b"sync",
         b"always", b"segment-size", b"4G", b"\xff\xfe", b"append 3")


class Writes(mounted.MountCase):
    """Random bytes to what can be written."""

    options = "sync=manual"

    def setUp(self):
        super().setUp()
        self.rng = random.Random(SEED)
        self.make()
        self.lines = [b"%d\n" % i for i in range(20)]
        self.append(b"".join(self.lines))
        self.options_before = self.settings()

    def settings(self):
        status = self.status()
        return {key: status[key] for key in
                ("segment-size", "max-entry", "sync", "first", "next",
                 "generation", "uuid", "state", "segments")}

    def unchanged(self):
        self.assertEqual(self.settings(), self.options_before)
        self.assertEqual(self.read("l", "ranges", "0-"), b"".join(self.lines))
        self.assertEqual(self.control("verify"), "ok entries=20")

    def test_random_bytes_to_control_are_no_command(self):
        for turn in range(1000):
            size = self.rng.choice((1, 7, 100, 5000))
            data = self.rng.randbytes(self.rng.randrange(1, size + 1)) + b"\n"
            self.try_command(data, turn)
        self.unchanged()

    def test_random_words_to_control_are_harmless(self):
        # Some of them are commands. They append, or do nothing.
        self.append(b"x\n")
        self.control("truncate 20")
        self.options_before = self.settings()
        for turn in range(1000):
            words = [self.rng.choice(WORDS)
                     for _ in range(self.rng.randrange(1, 6))]
            line = b" ".join(words)
            if any(line.lstrip().startswith(verb) for verb in
                   (b"append", b"overwrite", b"set", b"truncate", b"trim",
                    b"seal")):
                line = b"x" + line
            self.try_command(line + b"\n", turn)
        self.unchanged()

    def try_command(self, data, turn):
        fd = os.open(self.at("l", "control"), os.O_RDWR)
        try:
            os.write(fd, data)
            reply = os.read(fd, 65536)
            self.assertRegex(reply, rb"^(ok .*\n)*$", f"{turn}: {data}")
        except OSError as error:
            self.assertEqual(error.errno, errno.EINVAL, f"{turn}: {data}")
            self.assertRegex(os.read(fd, 65536), rb"error EINVAL [^\n]+\n$")
        finally:
            os.close(fd)

    def test_numbers_that_are_none_change_nothing(self):
        for verb in ("truncate", "trim", "append", "overwrite 1", "append-at"):
            for number in ("", "-1", "+1", "0x1", "1.0", "007", " ", "1e3",
                           "18446744073709551616", "9" * 300, "١"):
                self.refused(errno.EINVAL, f"{verb} {number} ".strip() + " x")
        for index in (21, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
            self.refused(errno.ENODATA, f"truncate {index}")
            self.refused(errno.ENODATA, f"trim {index}")
            self.refused(errno.ENODATA, b"overwrite %d 1\nx" % index)
            self.refused(errno.ESTALE, b"append-at %d 1\nx" % index)
        for length in ((16 << 20) + 1, 1 << 32, (1 << 64) - 1):
            self.refused(errno.EMSGSIZE, f"append {length}")
        self.unchanged()

    def test_random_bytes_to_batch_are_refused(self):
        fd = os.open(self.at("l", "batch"), os.O_WRONLY)
        for turn in range(1000):
            data = self.rng.randbytes(self.rng.choice((1, 15, 16, 17, 400)))
            if turn % 3 == 0:
                # A frame that is right, and then one that is not.
                data = frame(b"good") + data
            self.fails(errno.EINVAL, os.write, fd, data)
        os.close(fd)
        self.unchanged()

    def test_a_batch_with_one_changed_byte_of_a_length_is_refused(self):
        good = frame(b"first") + frame(b"second")
        for at in (0, 1, 2, 3, 4, 5, 6, 7, 21, 22, 23, 24, 25, 26, 27, 28):
            for bit in range(8):
                data = bytearray(good)
                data[at] ^= 1 << bit
                fd = os.open(self.at("l", "batch"), os.O_WRONLY)
                try:
                    os.write(fd, data)
                    self.fail(f"byte {at}, bit {bit} made it another batch")
                except OSError as error:
                    self.assertEqual(error.errno, errno.EINVAL)
                finally:
                    os.close(fd)
        self.unchanged()

    def test_random_bytes_to_append_are_lines(self):
        data = self.rng.randbytes(300000)
        fd = os.open(self.at("l", "append"), os.O_WRONLY)
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:at + self.rng.randrange(1, 9000)])
        os.close(fd)
        self.assertTrue(self.read("l", "ranges", "20-") == data)
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        self.assertEqual(self.counters()[1], 20 + lines)


class Names(mounted.MountCase):
    """Names that nobody has."""

    options = "sync=manual"

    def random_name(self, rng):
        parts = ["0", "1", "9", "-", ".idx", ".log", "follow@", "entries", " ",
                 "00000000000000000000", "18446744073709551615",
                 "18446744073709551616", "%s", "\n", "é", "a", "\x7f", "@",
                 ".maplog", "append", "head"]
        if rng.random() < 0.5:
            return "".join(rng.choice(parts)
                           for _ in range(rng.randrange(1, 8)))[:255]
        return os.fsdecode(bytes(rng.choice(range(1, 256))
                                 for _ in range(rng.randrange(1, 250)))
                           .replace(b"/", b"_"))

    def test_random_names_are_looked_up_in_every_directory(self):
        rng = random.Random(SEED)
        self.make()
        self.append("a\nb\nc\n")
        directories = ["", ".maplog", "l", "l/segments", "l/entries",
                       "l/ranges"]
        found = 0
        for _ in range(1000):
            name = self.random_name(rng)
            for directory in directories:
                path = self.at(directory, name)
                try:
                    found += stat.S_ISREG(os.stat(path).st_mode)
                except OSError as error:
                    self.assertIn(error.errno, (errno.ENOENT,), path)
        # Some were names after all: "1", "0-", "append" and the like.
        self.assertGreater(found, 0)
        self.assertEqual(self.entries(), [b"a\n", b"b\n", b"c\n"])

    def test_what_cannot_be_done_is_refused_in_every_directory(self):
        self.make()
        self.append("a\n")
        for directory in ("l", "l/segments", "l/entries", "l/ranges",
                          ".maplog"):
            path = self.at(directory, "new")
            for function in (os.mkdir, os.mkfifo):
                self.fails((errno.EPERM, errno.EACCES, errno.EROFS), function,
                           path)
            self.fails((errno.EPERM, errno.EACCES, errno.EROFS), os.symlink,
                       "x", path)
            self.fails((errno.EPERM, errno.EACCES, errno.EROFS), os.open,
                       path, os.O_CREAT | os.O_WRONLY)
            self.fails((errno.EPERM, errno.EACCES, errno.EROFS,
                        errno.EINVAL, errno.EBUSY),
                       os.rename, self.at(directory), self.at("l/x"))


class Rubbish(mounted.MountCase):
    """Stores that hold what no store holds."""

    options = "sync=manual,segment-size=1M"

    def fill(self, rng, directory, depth=2):
        """A directory of random files, and directories of such."""
        names = ["head", "log.ini", "lock", f"{0:020}.log", f"{0:020}.idx",
                 f"{7:020}.log", f"{7:020}.idx", f"{3:020}.torn", "words",
                 f"{9:020}.log.new", ".hidden", "a b", "%s%n"]
        for name in rng.sample(names, rng.randrange(1, len(names))):
            path = os.path.join(directory, name)
            kind = rng.random()
            if kind < 0.7:
                with open(path, "wb") as file:
                    file.write(rng.randbytes(rng.choice((0, 1, 4096, 9999))))
            elif kind < 0.76:
                os.mkfifo(path)
            elif kind < 0.82:
                os.symlink(rng.choice(("/etc/passwd", "head", ".", "nothing",
                                       path)), path)
            elif kind < 0.86:
                with socket.socket(socket.AF_UNIX) as server:
                    server.bind(os.path.relpath(path))
            elif depth:
                os.mkdir(path)
                self.fill(rng, path, depth - 1)

    def look_at_everything(self):
        for folder, directories, files in os.walk(self.mnt):
            for name in directories + files:
                if name == "follow":
                    continue
                path = os.path.join(folder, name)
                try:
                    os.stat(path)
                    with open(path, "rb") as file:
                        file.read()
                except OSError as error:
                    self.assertIn(error.errno, (errno.EIO, errno.ENOENT,
                                                errno.EISDIR, errno.EACCES),
                                  path)

    def contents(self):
        """Everything in the store but what is good, as bytes and kinds."""
        seen = {}
        for folder, directories, files in os.walk(self.store):
            for name in directories + files:
                if folder.endswith("/good"):
                    continue
                path = os.path.join(folder, name)
                mode = os.lstat(path).st_mode
                seen[path] = stat.S_IFMT(mode)
                if stat.S_ISREG(mode):
                    with open(path, "rb") as file:
                        seen[path] = file.read()
        return seen

    def test_a_store_of_random_files_can_be_mounted(self):
        rng = random.Random(SEED)
        self.make("good")
        self.append("kept\n", "good")
        os.chdir(self.store)
        for _ in range(12):
            self.stop()
            for i in range(30):
                path = os.path.join(self.store, f"log{i}")
                shutil.rmtree(path, ignore_errors=True)
                os.mkdir(path)
                self.fill(rng, path)
            before = self.contents()
            self.start()
            self.look_at_everything()
            self.assertEqual(self.entries("good"), [b"kept\n"])
            after = self.contents()
            changed = [path for path, what in before.items()
                       if after.get(path) != what]
            self.assertEqual(changed, [])
        os.chdir("/")

    def test_other_kinds_of_files_in_the_place_of_a_logs_are_refused(self):
        self.make("good")
        self.append("kept\n", "good")
        self.make()
        self.append("a\nb\n")
        self.control("seal")
        self.append("c\n")
        self.stop()
        pristine = os.path.join(self.work, "pristine")
        shutil.copytree(self.store, pristine)
        outside = os.path.join(self.work, "outside")
        with open(outside, "wb") as file:
            file.write(b"nobody's business\n" * 1000)
        for name in sorted(os.listdir(os.path.join(pristine, "l"))):
            for put in (os.mkfifo, os.mkdir,
                        lambda path: os.symlink(outside, path),
                        lambda path: os.symlink("/dev/zero", path)):
                shutil.rmtree(self.store)
                shutil.copytree(pristine, self.store)
                path = os.path.join(self.store, "l", name)
                os.unlink(path)
                put(path)
                self.start()
                self.look_at_everything()
                self.assertEqual(self.entries("good"), [b"kept\n"])
                for folder, _, files in os.walk(self.at("l")):
                    for file in set(files) - {"follow"}:
                        self.shows_nothing_of_it(os.path.join(folder, file))
                self.stop()
        with open(outside, "rb") as file:
            self.assertEqual(file.read(), b"nobody's business\n" * 1000)

    def shows_nothing_of_it(self, path):
        try:
            with open(path, "rb") as file:
                self.assertNotIn(b"business", file.read(), path)
        except OSError:
            pass


if __name__ == "__main__":
    mounted.main()
