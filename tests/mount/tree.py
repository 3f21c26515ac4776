# SPDX-License-Identifier: MIT
"""The tree: names, types, modes, sizes, times, and logs as directories."""

import errno
import os
import stat
import subprocess
import tempfile

import mounted
from clients import PAGE, Child, crc32c, records

FILES = {  # in every log: what of the log's mode they have
    "append": 0o222, "batch": 0o222, "control": 0o666, "follow": 0o444,
    "head": 0o444, "status": 0o444,
}
FOLDERS = ("entries", "ranges", "segments", "since")
BASE = "0" * 20

WRONG = [
    "x", "00", "01", "007", "+1", "-", "--1", " 1", "1 ", "1.0", "0x1", "1e3",
    "18446744073709551615", "18446744073709551616", "9" * 30, "\uff11",
    "\u0661", "...", ".1", "1.", "1\n", "\n", "a\tb", "1,2", "*", "\\", "$1",
    "1-0", "2-1", "0-99", "0-18446744073709551615", "1--2", "00-1", "0-01",
    "0-1.IDX", "0-1.idx.idx", ".idx", "-.idx", "0-1idx", "99-",
    BASE, BASE + ".LOG", BASE + ".log.new", BASE + ".torn", "0.log",
    "0" * 19 + "1.log", "0" * 21 + ".log", "9" * 20 + ".log", "+" + BASE[1:]
    + ".log", BASE + ".log\n", "follow@", "follow@-1", "follow@01",
    "follow@18446744073709551615", "follow@x", "Append", "append ", "append\n",
    "status.", "log.ini", ".torn", "é", "日本", "a" * 255,
    b"\xff\xfe", b"1\x80", b"\x7f",
]


class Names(mounted.MountCase):
    """What can be looked up, and what cannot."""

    def setUp(self):
        super().setUp()
        self.make()

    def test_a_new_log_has_its_files_and_folders(self):
        self.assertEqual(sorted(os.listdir(self.at("l"))),
                         sorted([*FILES, *FOLDERS]))
        for name in FILES:
            self.assertTrue(stat.S_ISREG(os.lstat(self.at("l", name)).st_mode))
        for name in FOLDERS:
            self.assertTrue(stat.S_ISDIR(os.lstat(self.at("l", name)).st_mode))
        self.assertEqual(os.listdir(self.at("l", "entries")), [])
        self.assertEqual(os.listdir(self.at("l", "ranges")), [])
        self.assertEqual(sorted(os.listdir(self.at("l", "segments"))),
                         [BASE + ".idx", BASE + ".log"])
        self.assertEqual(self.sh("cat l/segments/*"), b"")

    def test_the_mount_says_of_itself_what_it_is(self):
        self.assertEqual(os.listdir(self.at(".maplog")),
                         ["status", "metrics"])
        status = self.status(".maplog", "status")
        self.assertEqual(status["store"], self.store)
        self.assertEqual(status["logs"], "1")
        self.assertEqual(status["passthrough"] == "yes",
                         mounted.mode() == mounted.PASSTHROUGH)
        if mounted.mode() == mounted.UNPRIVILEGED:
            self.assertEqual(status["passthrough"],
                             "no (needs the initial user namespace)")

    def test_wrong_names_are_not_there(self):
        self.append("a\nb\n")
        for folder in ("", ".maplog", "l", "l/entries", "l/ranges",
                       "l/segments"):
            for name in WRONG:
                with self.subTest(folder=folder, name=name):
                    path = os.path.join(os.fsencode(self.at(folder)),
                                        os.fsencode(name))
                    self.fails(errno.ENOENT, os.lstat, path)
                    self.fails(errno.ENOENT, os.open, path, os.O_RDONLY)

    def test_a_name_of_more_than_255_bytes_is_too_long(self):
        for folder in ("", ".maplog", "l", "l/entries", "l/ranges",
                       "l/segments"):
            for size in (256, 1000, 1024, 4000):
                self.fails(errno.ENAMETOOLONG, os.lstat,
                           self.at(folder, "1" * size))

    def test_a_name_that_was_not_there_is_when_it_is_made(self):
        new = ["l/entries/0", "l/ranges/0-0", "l/ranges/0-0.idx",
               f"l/segments/{1:020}.log", f"l/segments/{1:020}.idx"]
        for name in new:
            self.fails(errno.ENOENT, os.stat, self.at(name))
        self.append("x\n")
        self.control("seal")
        for name in new:
            os.stat(self.at(name))
        self.fails(errno.ENOENT, os.stat, self.at("m"))
        os.mkdir(self.at("m"))
        os.stat(self.at("m", "append"))
        self.fails(errno.ENOENT, os.stat, self.at("n"))
        subprocess.run([mounted.MAPLOG, "create",
                        os.path.join(self.store, "n")], check=True)
        os.stat(self.at("n", "append"))

    def test_nothing_can_be_made_in_a_log(self):
        self.make("other")
        for folder in (".maplog", "l", "l/entries", "l/ranges", "l/segments"):
            new = self.at(folder, "new")
            self.fails(errno.EPERM, os.mkdir, new)
            self.fails(errno.EPERM, os.mkfifo, new)
            self.fails(errno.EPERM, os.symlink, "x", new)
            self.fails(errno.EPERM, os.link, self.at("l", "append"), new)
            self.fails(errno.EPERM, os.open, new, os.O_CREAT | os.O_WRONLY)
            self.fails(errno.EPERM, os.rename, self.at("other"), new)
        self.fails(errno.EPERM, os.open, self.at("new"), os.O_CREAT)
        self.fails(errno.EPERM, os.rmdir, self.at("l", "entries"))
        self.fails(errno.EPERM, os.rmdir, self.at(".maplog"))
        self.fails(errno.EPERM, os.rename, self.at("l", "append"),
                   self.at("l", "batch"))

    def test_tools_walk_all_of_it(self):
        self.append("a\n" * 300)
        self.control("seal")
        self.append("b\n")
        found = self.sh("find . -type f -readable | sort; ls -lAR > /dev/null;"
                        "find . -type d | wc -l; du -s . > /dev/null")
        self.assertEqual(len(found.splitlines()), 301 + 4 + 6 + 1 + 2)
        self.assertEqual(found.splitlines()[-1], b"7")

    def test_listed_numbers_are_those_of_the_files(self):
        self.append("a\nb\n")
        for folder in (".", "l", "l/entries", "l/segments", ".maplog"):
            with os.scandir(self.at(folder)) as found:
                for entry in found:
                    with self.subTest(name=entry.path):
                        self.assertEqual(entry.inode(),
                                         os.stat(entry.path).st_ino)


class Logs(mounted.MountCase):
    """Logs as directories: mkdir, rmdir, mv."""

    def test_mkdir_makes_a_log_with_the_mode_asked_for(self):
        self.sh("mkdir -m 750 a; umask 077; mkdir b")
        self.assertEqual(os.stat(self.at("a")).st_mode & 0o7777, 0o750)
        self.assertEqual(os.stat(self.at("b")).st_mode & 0o7777, 0o700)
        self.fails(errno.EEXIST, os.mkdir, self.at("a"))
        self.assertEqual(sorted(os.listdir(self.mnt)), [".maplog", "a", "b"])

    def test_mkdir_refuses_names_that_would_be_trouble(self):
        for name in (".hidden", "a\nb", "\x01", "del\x7f"):
            self.fails(errno.EINVAL, os.mkdir, self.at(name))
        self.fails(errno.ENAMETOOLONG, os.mkdir, self.at("n" * 256))
        self.fails(errno.EEXIST, os.mkdir, self.at(".maplog"))
        for name in ("n" * 255, "with space", "-n", "ünïcode", "a:b,c=d"):
            os.mkdir(self.at(name))
            self.append("x\n", name)
            self.assertEqual(self.entry(0, name), b"x\n")

    def test_rmdir_removes_only_what_is_empty(self):
        self.make()
        self.append("a\nb\n")
        self.fails(errno.ENOTEMPTY, os.rmdir, self.at("l"))
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.control("trim 2")
        os.rmdir(self.at("l"))
        self.fails(errno.ENOENT, os.stat, self.at("l"))
        self.assertEqual(os.listdir(self.store), [])
        self.make()
        self.assertEqual(self.counters(), (0, 0))
        self.append("new\n")
        self.control("truncate 0")
        os.rmdir(self.at("l"))
        self.fails(errno.ENOENT, os.rmdir, self.at("l"))

    def test_a_log_that_is_made_again_is_a_new_one(self):
        for turn in range(20):
            self.make()
            self.append(f"turn {turn}\n")
            self.assertEqual(self.entry(0), b"turn %d\n" % turn)
            self.assertEqual(self.read("l", "segments", BASE + ".log"),
                             b"turn %d\n" % turn)
            self.control("truncate 0")
            os.rmdir(self.at("l"))

    def test_files_of_a_log_that_was_removed_say_so(self):
        self.make()
        with open(self.at("l", "append"), "wb", buffering=0) as file, \
                open(self.at("l", "segments", BASE + ".log"), "rb",
                     buffering=0) as data:
            os.rmdir(self.at("l"))
            with self.assertRaises(OSError):
                file.write(b"late\n")
            self.assertEqual(data.read(), b"")

    def test_mv_gives_a_log_another_name(self):
        self.make("old")
        self.append("a\n", "old")
        with open(self.at("old", "append"), "wb", buffering=0) as file, \
                open(self.at("old", "segments", BASE + ".log"), "rb",
                     buffering=0) as data:
            self.sh("mv old new")
            self.fails(errno.ENOENT, os.stat, self.at("old"))
            file.write(b"b\n")
            self.assertEqual(data.read(), b"a\nb\n")
        self.assertEqual(self.entries("new"), [b"a\n", b"b\n"])
        self.assertEqual(os.listdir(self.store), ["new"])
        self.make("old")
        self.assertEqual(self.counters("old"), (0, 0))
        self.restart()
        self.assertEqual(self.entries("new"), [b"a\n", b"b\n"])

    def test_mv_replaces_nothing(self):
        self.make("a")
        self.make("b")
        self.fails(errno.EEXIST, os.rename, self.at("a"), self.at("b"))
        self.fails(errno.EPERM, os.rename, self.at("a"), self.at(".hidden"))
        self.fails((errno.EPERM, errno.EEXIST), os.rename, self.at("a"),
                   self.at(".maplog"))
        self.fails(errno.ENOENT, os.rename, self.at("c"), self.at("d"))
        self.assertEqual(sorted(os.listdir(self.store)), ["a", "b"])

    def test_many_logs_are_listed_each_once_while_they_are_removed(self):
        names = {f"log-{i:03}-{'x' * 200}" for i in range(400)}
        for name in names:
            os.mkdir(self.at(name))
        self.assertEqual(set(os.listdir(self.mnt)) - {".maplog"}, names)
        with os.scandir(self.mnt) as listed:
            for entry in listed:
                if entry.name in names:
                    os.rmdir(entry.path)
        self.assertEqual(os.listdir(self.mnt), [".maplog"])


class Listing(mounted.MountCase):
    """Listing what changes meanwhile."""

    options = "sync=manual,segment-size=1M"

    def append_forever(self, line):
        fd = os.open(self.at("l", "append"), os.O_WRONLY)
        while True:
            os.write(fd, line * 10)

    def test_entries_are_listed_once_while_more_come(self):
        self.make()
        self.append(b"%d\n" % 0 * 100000)
        writer = Child(self, self.append_forever, b"another\n")
        for _ in range(3):
            listed = self.sh("ls -U l/entries").split()
            self.assertEqual(len(set(listed)), len(listed))
            self.assertEqual(sorted(map(int, listed)),
                             list(range(len(listed))))
            self.assertGreaterEqual(len(listed), 100000)
        writer.kill()

    def test_segments_are_listed_once_while_they_roll(self):
        self.make()
        writer = Child(self, self.append_forever, b"x" * 20000 + b"\n")
        count = 0
        while count < 100:
            listed = os.listdir(self.at("l", "segments"))
            self.assertEqual(len(set(listed)), len(listed))
            self.assertEqual(len({name[:20] for name in listed}) * 2,
                             len(listed))
            self.assertGreaterEqual(len(listed), count)
            count = len(listed)
        writer.kill()
        data = self.sh("cat l/segments/*.log | wc -c")
        self.assertEqual(int(data), int(self.status()["bytes"]))


class Attributes(mounted.MountCase):
    """Sizes, times, extended attributes, numbers."""

    def setUp(self):
        super().setUp()
        self.make()
        self.control("append 3 tag=5\nabc".encode())
        self.append("d\n\n")
        self.control("seal")
        self.append("f\ngh\n")

    def size(self, name):
        return os.stat(self.at("l", name)).st_size

    def index(self):
        return records(self.sh("cat l/segments/*.idx"))

    def xattr(self, name, key):
        return os.getxattr(self.at("l", name), "user.maplog." + key).decode()

    def test_sizes_are_exact(self):
        sizes = {"head": PAGE, "entries/0": 3, "entries/2": 1, "ranges/0-": 11,
                 "ranges/1-2": 3, "ranges/-2": 5, "ranges/-99": 11,
                 "ranges/5-": 0, "ranges/-0": 0, "ranges/0-.idx": 120,
                 "ranges/-2.idx": 48, f"segments/{BASE}.log": 6,
                 f"segments/{BASE}.idx": 72, f"segments/{3:020}.log": 5,
                 f"segments/{3:020}.idx": 48}
        for name, size in sizes.items():
            with self.subTest(name=name):
                self.assertEqual(self.size(name), size)
                self.assertEqual(len(self.read("l", name)), size)
                self.assertEqual(int(self.sh(f"wc -c < l/{name}")), size)
        self.append("more\n")
        self.assertEqual(self.size("ranges/0-"), 16)
        self.assertEqual(self.size("ranges/0-4"), 11)
        self.assertEqual(self.size(f"segments/{3:020}.log"), 10)
        self.assertEqual(self.size(f"segments/{3:020}.idx"), 72)

    def test_a_text_has_the_size_of_what_whoever_opened_it_reads(self):
        """Programs that send a file go by it."""
        for name in ("l/status", ".maplog/status", ".maplog/metrics"):
            for _ in range(2):
                with self.subTest(name=name), \
                        open(self.at(name), "rb", 0) as text, \
                        tempfile.TemporaryFile() as sent:
                    size = os.fstat(text.fileno()).st_size
                    os.sendfile(sent.fileno(), text.fileno(), 0, size)
                    data = text.read()
                    self.assertEqual(size, len(data))
                    self.assertEqual(os.pread(sent.fileno(), size, 0), data)
                self.append("x" * 1000 + "\n")

    def test_the_time_of_an_entry_is_that_in_the_index(self):
        for i, record in enumerate(self.index()):
            time = record.time & ~(1 << 63)
            place = os.stat(self.at("l", "entries", str(i)))
            self.assertEqual(place.st_mtime_ns, time)
            self.assertEqual(self.xattr(f"entries/{i}", "time"), str(time))
        last = self.index()[-1].time
        for name in (f"segments/{3:020}.log", "ranges/0-", "ranges/2-4.idx"):
            self.assertEqual(os.stat(self.at("l", name)).st_mtime_ns, last)

    def test_extended_attributes_locate_the_bytes(self):
        first, last = self.xattr("ranges/3-4", "first"), \
            self.xattr("ranges/3-4", "last")
        self.assertEqual((first, last), ("3", "4"))
        for name in ("entries/0", "entries/1", "entries/2", "entries/4",
                     "ranges/0-2", "ranges/1-2", "ranges/3-", "ranges/-2"):
            with self.subTest(name=name):
                segment, offset, length = (
                    self.xattr(name, key)
                    for key in ("segment", "offset", "length"))
                data = self.read("l", "segments", segment)
                data = data[int(offset):int(offset) + int(length)]
                self.assertEqual(data, self.read("l", name))
                self.assertEqual(self.xattr(name, "crc32c"),
                                 f"{crc32c(data):08x}")

    def test_a_range_of_two_segments_has_no_place_but_a_checksum(self):
        path = self.at("l", "ranges", "0-")
        self.assertEqual(
            sorted(os.listxattr(path)),
            ["user.maplog." + key
             for key in ("crc32c", "first", "last", "tag", "time")])
        self.fails(errno.ENODATA, os.getxattr, path, "user.maplog.offset")
        self.assertEqual(self.xattr("ranges/0-", "crc32c"),
                         f"{crc32c(self.read('l', 'ranges', '0-')):08x}")

    def test_getfattr_prints_all_of_them(self):
        said = self.sh("getfattr -d -m user.maplog l/entries/0").decode()
        for line in ('first="0"', 'last="0"', 'tag="5"', 'offset="0"',
                     'length="3"', f'segment="{BASE}.log"',
                     f'crc32c="{crc32c(b"abc"):08x}"'):
            self.assertIn("user.maplog." + line + "\n", said)

    def test_what_has_no_attributes_says_so(self):
        for name in ("", "head", "append", "entries", "status"):
            path = self.at("l", name)
            self.assertEqual(os.listxattr(path), [])
            self.fails(errno.ENODATA, os.getxattr, path, "user.maplog.first")
        path = self.at("l", "entries", "0")
        self.fails(errno.ENODATA, os.getxattr, path, "user.other")
        self.fails(errno.EPERM, os.setxattr, path, "user.maplog.tag", b"1")
        self.fails(errno.EPERM, os.removexattr, path, "user.maplog.tag")
        empty = self.at("l", "ranges", "5-")
        self.assertEqual(sorted(os.listxattr(empty)),
                         ["user.maplog.crc32c", "user.maplog.first"])

    def test_statfs_is_that_of_the_store(self):
        ours, store = os.statvfs(self.mnt), os.statvfs(self.store)
        for field in ("f_bsize", "f_frsize", "f_blocks", "f_files"):
            self.assertEqual(getattr(ours, field), getattr(store, field))
        self.sh("df l/append")

    def numbers(self):
        found = self.sh("stat -c '%i %n' . l l/* l/*/* .maplog/status "
                        "l/ranges/0-2 l/ranges/0-2.idx l/ranges/1-")
        return found.decode().splitlines()

    def test_numbers_of_files_are_different_and_stay(self):
        before = self.numbers()
        self.assertEqual(len({line.split()[0] for line in before}),
                         len(before))
        self.restart()
        self.assertEqual(self.numbers(), before)


class Owners(mounted.MountCase):
    """Owner, group and mode of a log are those of all of it."""

    options = "sync=manual,allow_other"

    def setUp(self):
        super().setUp()
        os.chmod(self.work, 0o755)
        self.make()
        self.append("a\n")
        self.control("seal")
        self.append("b\n")
        self.all = self.sh("find l l/ranges/0- l/ranges/1-1").decode().split()

    def modes(self, mode):
        for name in self.all:
            with self.subTest(name=name, mode=oct(mode)):
                part = os.path.basename(name)
                shown = stat.S_IMODE(os.stat(self.at(name)).st_mode)
                bits = FILES.get(part, 0o555 if part in FOLDERS else 0o444)
                self.assertEqual(shown, mode & (0o777 if name == "l" else
                                                bits))

    def test_chmod_of_a_log_changes_all_of_its_files(self):
        for mode in (0o755, 0o700, 0o777, 0o750, 0o500, 0o755):
            os.chmod(self.at("l"), mode)
            self.modes(mode)
        self.assertEqual(
            stat.S_IMODE(os.stat(os.path.join(self.store, "l")).st_mode),
            0o755)

    def test_a_changed_mode_is_seen_at_once(self):
        for turn in range(100):
            mode = 0o700 if turn % 2 else 0o755
            os.chmod(self.at("l"), mode)
            for name in ("append", "entries/0", f"segments/{BASE}.log"):
                self.assertEqual(os.stat(self.at("l", name)).st_mode & 0o77,
                                 mode & FILES.get(name, 0o444) & 0o77)

    def test_only_a_log_has_a_mode_of_its_own(self):
        for name in ("l/append", "l/entries", "l/entries/0", "l/head",
                     ".maplog", ".maplog/status", "."):
            self.fails(errno.EPERM, os.chmod, self.at(name), 0o777)
            self.fails(errno.EPERM, os.chown, self.at(name), 0, 0)

    @mounted.only(mounted.PASSTHROUGH, "there is only one user here")
    def test_chown_of_a_log_changes_all_of_its_files(self):
        os.chown(self.at("l"), 65534, 65533)
        for name in self.all:
            info = os.stat(self.at(name))
            self.assertEqual((info.st_uid, info.st_gid), (65534, 65533))
        info = os.stat(os.path.join(self.store, "l"))
        self.assertEqual((info.st_uid, info.st_gid), (65534, 65533))

    def other(self, script):
        """The exit status of what another user does."""
        return subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups", "bash", "-euc", script], cwd=self.mnt,
            capture_output=True, check=False).returncode

    @mounted.only(mounted.PASSTHROUGH, "there is only one user here")
    def test_other_users_can_do_what_the_mode_says(self):
        os.chmod(self.at("l"), 0o755)
        self.assertEqual(self.other("cat l/entries/0 l/segments/*.log"), 0)
        self.assertNotEqual(self.other("echo x > l/append"), 0)
        self.assertNotEqual(self.other("echo sync > l/control"), 0)
        os.chmod(self.at("l"), 0o750)
        self.assertNotEqual(self.other("cat l/entries/0"), 0)
        self.assertNotEqual(self.other("ls l"), 0)
        os.chmod(self.at("l"), 0o777)
        self.assertEqual(self.other("echo x > l/append"), 0)
        self.assertEqual(self.other("echo sync > l/control"), 0)
        self.assertNotEqual(self.other("chmod 700 l"), 0)
        self.assertEqual(self.entries(), [b"a\n", b"b\n", b"x\n"])

    @mounted.only(mounted.PASSTHROUGH, "there is only one user here")
    def test_a_log_belongs_to_who_made_it(self):
        self.assertNotEqual(self.other("mkdir m"), 0)
        os.chmod(self.store, 0o777)
        self.assertEqual(self.other("mkdir m; echo x > m/append; chmod 700 m"),
                         0)
        info = os.stat(self.at("m"))
        self.assertEqual((info.st_uid, info.st_gid, info.st_mode & 0o777),
                         (65534, 65534, 0o700))


if __name__ == "__main__":
    mounted.main()
