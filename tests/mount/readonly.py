# SPDX-License-Identifier: MIT
"""What is read-only is so for everyone, root too, and harms no other client."""

import errno
import mmap
import os
import subprocess

import mounted
from clients import LIBC, PAGE, Child, Mapping, check

BASE, NEXT = f"{0:020}", f"{3000:020}"

FILES = [
    f"l/segments/{BASE}.log", f"l/segments/{BASE}.idx",
    f"l/segments/{NEXT}.log", f"l/segments/{NEXT}.idx",
    "l/entries/0", "l/entries/2999", "l/entries/3000", "l/ranges/0-",
    "l/ranges/5-3010", "l/ranges/-9", "l/ranges/0-.idx", "l/ranges/7-90.idx",
    "l/head", "l/status", "l/follow", "l/follow@0", ".maplog/status",
]

# What is made of other files is not the same twice, and cannot be mapped.
STEADY = [name for name in FILES
          if "status" not in name and "follow" not in name]

REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class ReadOnly(mounted.MountCase):
    """Every way to write into a file that is read-only."""

    def setUp(self):
        super().setUp()
        self.make()
        self.append("".join(f"the entry {i}\n" for i in range(3000)))
        self.control("seal")
        self.append("".join(f"the entry {i}\n" for i in range(3000, 3100)))
        self.before = {name: self.read(name) for name in STEADY}
        # What others have mapped must stay as it is, to the page.
        self.mapped = {name: Mapping(self.at(name), len(data))
                       for name, data in self.before.items()}
        for mapping in self.mapped.values():
            self.addCleanup(mapping.close)

    def tearDown(self):
        for name, data in self.before.items():
            with self.subTest(name=name):
                self.assertEqual(self.mapped[name].read(0, len(data)), data)
                self.assertEqual(self.read(name), data)
                self.assertEqual(os.stat(self.at(name)).st_size, len(data))
        self.assertEqual(self.control("verify"), "ok entries=3100")
        self.append("on it goes\n")
        self.assertEqual(self.entry(3100), b"on it goes\n")

    def each(self, names=None):
        return [self.at(name) for name in names or FILES]

    def test_none_can_be_opened_for_writing(self):
        for path in self.each():
            for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND,
                          os.O_RDWR | os.O_CREAT, os.O_RDWR | os.O_DIRECT,
                          os.O_ACCMODE, os.O_WRONLY | os.O_NONBLOCK):
                self.fails(errno.EROFS, os.open, path, flags)

    def test_none_can_be_truncated_by_opening_it(self):
        for path in self.each():
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                self.fails(errno.EROFS, os.open, path, flags | os.O_TRUNC)
                self.fails(errno.EROFS, os.open, path,
                           flags | os.O_TRUNC | os.O_CREAT)

    def test_none_can_be_truncated_by_name_or_descriptor(self):
        for path in self.each():
            fd = os.open(path, os.O_RDONLY)
            for size in (0, 5, 1 << 20):
                self.fails(errno.EROFS, os.truncate, path, size)
                self.fails((errno.EINVAL, *REFUSED), os.ftruncate, fd, size)
            os.close(fd)

    def test_none_can_be_written_or_allocated_through_a_descriptor(self):
        for path in self.each():
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.fails(errno.EBADF, os.write, fd, b"x")
            for mode in range(4):
                self.assertRaises(OSError, lambda m=mode, f=fd: check(
                    LIBC.fallocate(f, m, 0, PAGE)))
            other = os.open(self.at("l/entries/0"), os.O_RDONLY)
            self.fails(errno.EBADF, os.copy_file_range, other, fd, 5)
            os.close(other)
            os.close(fd)

    def test_a_descriptor_cannot_be_opened_again_for_writing(self):
        for path in self.each():
            fd = os.open(path, os.O_RDONLY)
            again = f"/proc/self/fd/{fd}"
            self.fails(errno.EROFS, os.open, again, os.O_RDWR)
            self.fails(errno.EROFS, os.open, again, os.O_RDONLY | os.O_TRUNC)
            os.close(fd)

    def test_none_can_be_mapped_for_writing(self):
        for path in self.each(STEADY):
            fd = os.open(path, os.O_RDONLY)
            self.fails(errno.EACCES, Mapping, fd, PAGE,
                       mmap.PROT_READ | mmap.PROT_WRITE)
            with Mapping(fd, PAGE) as mapping:
                self.fails(errno.EACCES, mapping.protect, mmap.PROT_WRITE)
                self.fails(errno.EACCES, mapping.protect,
                           mmap.PROT_READ | mmap.PROT_WRITE)
            os.close(fd)

    def test_a_private_mapping_can_be_written_for_oneself(self):
        for path in self.each(STEADY):
            name = os.path.relpath(path, self.mnt)
            with open(path, "rb") as file, mmap.mmap(
                    file.fileno(), len(self.before[name]),
                    flags=mmap.MAP_PRIVATE,
                    prot=mmap.PROT_READ | mmap.PROT_WRITE) as private:
                self.assertEqual(private[:], self.before[name])
                private[:] = b"!" * len(private)
                self.assertEqual(self.read(name), self.before[name])

    def test_none_can_be_removed_renamed_or_linked(self):
        for path in self.each():
            self.fails(REFUSED, os.unlink, path)
            self.fails(REFUSED, os.rename, path, path + "x")
            self.fails(REFUSED, os.rename, path, self.at("l", "append"))
            self.fails(REFUSED, os.link, path, self.at("l", "entries", "x"))
            self.fails(REFUSED, os.link, path, path + "x")

    def test_none_can_be_given_a_mode_owner_or_attribute(self):
        for path in self.each():
            self.fails(REFUSED, os.chmod, path, 0o666)
            self.fails(REFUSED, os.chown, path, 0, 0)
            self.fails(REFUSED, os.setxattr, path, "user.x", b"y")
            self.fails((errno.EOPNOTSUPP, *REFUSED), os.setxattr, path,
                       "trusted.x", b"y")

    def test_none_can_be_given_a_time(self):
        for path in self.each(STEADY):
            before = os.stat(path)
            self.fails(REFUSED, os.utime, path)
            self.fails(REFUSED, os.utime, path, (5, 5))
            after = os.stat(path)
            self.assertEqual(after.st_size, before.st_size)
            if "head" not in path:
                self.assertEqual(after.st_mtime_ns, before.st_mtime_ns)
        self.sh("touch l l/append l/batch l/control l/entries")

    def test_tools_are_told_that_it_is_read_only(self):
        for script in ("echo x >l/entries/0", "echo x >>l/head",
                       "cp l/status l/ranges/0-", ": >l/entries/0",
                       "truncate -s 0 l/head", "dd if=/dev/zero of=l/head "
                       "count=1 conv=notrunc", "sed -i s/x/y/ l/entries/1",
                       "rm -f l/entries/0", "rm -rf l", "mv l/head l/tail",
                       "touch l/entries/0", "tee l/status </dev/null",
                       "shred l/entries/0"):
            with self.subTest(script=script):
                done = subprocess.run(["bash", "-c", script], cwd=self.mnt,
                                      capture_output=True, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr.decode(),
                                 "Read-only file system|not permitted")

    def test_a_client_that_maps_while_others_try_sees_no_change(self):
        victim = Child(self, self.look_often)
        for _ in range(30):
            for name in STEADY:
                for flags in (os.O_RDWR, os.O_TRUNC, os.O_WRONLY):
                    self.fails(errno.EROFS, os.open, self.at(name), flags)
                self.fails(errno.EROFS, os.truncate, self.at(name), 0)
        victim.done()

    def look_often(self):
        for _ in range(300):
            for name, data in self.before.items():
                if self.mapped[name].load(0, len(data)) != data:
                    raise AssertionError(f"{name} has changed")
        if mounted.mode() == mounted.PASSTHROUGH:
            # The very page of the store.
            name = f"l/segments/{BASE}.log"
            store = Mapping(os.path.join(
                self.store, name.replace("/segments", "")), PAGE)
            assert store.load(0, PAGE) == self.mapped[name].load(0, PAGE)


class ReadOnlyMount(mounted.MountCase):
    """A mount with -o ro."""

    def test_nothing_can_be_written_and_all_can_be_read(self):
        self.make()
        self.append("a\nb\n")
        self.restart("-o", "ro")
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.assertEqual(self.sh("cat l/segments/*.log"), b"a\nb\n")
        for name in ("append", "batch", "control"):
            self.fails(errno.EROFS, os.open, self.at("l", name), os.O_WRONLY)
        self.fails(errno.EROFS, os.mkdir, self.at("m"))
        self.fails(errno.EROFS, os.rmdir, self.at("l"))
        self.fails(errno.EROFS, os.rename, self.at("l"), self.at("m"))
        self.fails(errno.EROFS, os.chmod, self.at("l"), 0o700)
        self.assertEqual(self.status()["state"], "read-only")

    def test_the_store_stays_as_it_is(self):
        self.make()
        self.append("a\nb\n")
        self.daemon.kill()
        before = self.snapshot()
        self.start("-o", "ro")
        self.assertEqual(self.entries(), [b"a\n", b"b\n"])
        self.stop()
        self.assertEqual(self.snapshot(), before)

    def snapshot(self):
        found = {}
        for folder, _, names in os.walk(self.store):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[path] = file.read(), os.stat(path).st_mtime_ns
        return found


if __name__ == "__main__":
    mounted.main()
