# SPDX-License-Identifier: MIT
"""The file control: each command, its reply, and what others see of it."""

import errno
import os
import re
import struct

import mounted
from clients import Child, records


class Replies(mounted.MountCase):
    """What each command answers, word for word."""

    def setUp(self):
        super().setUp()
        self.make()

    def says(self, command, reply):
        self.assertEqual(self.control(command), reply)

    def bad(self, command, error, reply):
        """It is refused with a reply, and the log stays as it is."""
        before = self.entries(), self.status()["generation"]
        self.assertEqual(self.refused(error, command),
                         f"error {errno.errorcode[error]} {reply}")
        self.assertEqual((self.entries(), self.status()["generation"]),
                         before)

    def test_append(self):
        self.says(b"append 5\nhello", "ok first=0 next=1")
        self.says(b"append 0\n", "ok first=1 next=2")
        self.says(b"append 2 tag=18446744073709551615\n\n\n",
                  "ok first=2 next=3")
        self.assertEqual(self.entries(), [b"hello", b"", b"\n\n"])
        index = self.read("l", "segments", "0" * 20 + ".idx")
        self.assertEqual([r.tag for r in records(index)], [0, 0, 2**64 - 1])

    def test_append_of_bytes_that_look_like_a_command(self):
        self.says(b"append 11\ntruncate 0\n", "ok first=0 next=1")
        self.says(b"append 4\n\0\n\xff\0", "ok first=1 next=2")
        self.assertEqual(self.entries(), [b"truncate 0\n", b"\0\n\xff\0"])

    def test_append_at(self):
        self.says(b"append-at 0 3 tag=9\none", "ok first=0 next=1")
        self.bad(b"append-at 0 3\ntwo", errno.ESTALE, "next=1")
        self.bad(b"append-at 2 3\ntwo", errno.ESTALE, "next=1")
        self.says(b"append-at 1 3\ntwo", "ok first=1 next=2")
        self.assertEqual(self.entries(), [b"one", b"two"])

    def test_overwrite(self):
        self.append("a\nb\nc\nd\n")
        self.says(b"overwrite 2 3 tag=4\nnew", "ok first=2 next=3 generation=1")
        self.says(b"overwrite 3 1\n\n", "ok first=3 next=4 generation=1")
        self.bad(b"overwrite 9 1\nx", errno.ENODATA, "next=4")
        self.control("trim 2")
        self.bad(b"overwrite 1 1\nx", errno.ENOENT, "first=2")
        self.assertEqual(self.entries(), [b"new", b"\n"])

    def test_truncate(self):
        self.append("a\nb\nc\n")
        self.says("truncate 2", "ok next=2 generation=1")
        self.says("truncate 2", "ok next=2 generation=1")
        self.bad("truncate 3", errno.ENODATA, "next=2")
        self.control("trim 1")
        self.bad("truncate 0", errno.ENOENT, "first=1")
        self.says("truncate 1", "ok next=1 generation=2")
        self.assertEqual(self.entries(), [])

    def test_trim(self):
        self.append("a\nb\nc\n")
        self.says("trim 1", "ok first=1")
        self.says("trim 0", "ok first=1")
        self.bad("trim 4", errno.ENODATA, "next=3")
        self.assertEqual(self.entries(), [b"b\n", b"c\n"])
        self.says("trim 3", "ok first=3")
        self.assertEqual(self.entries(), [])

    def test_sync(self):
        self.says("sync", "ok durable=0")
        self.append("a\nb\n")
        self.assertEqual(self.status()["durable"], "0")
        self.says("sync", "ok durable=2")
        self.assertEqual(self.status()["durable"], "2")

    def test_seal(self):
        self.says("seal", "ok base=0")
        self.append("a\nb\n")
        self.says("seal", "ok base=2")
        self.says("seal", "ok base=2")
        self.assertEqual(sorted(os.listdir(self.at("l", "segments"))), [
            f"{base:020}.{kind}" for base in (0, 2) for kind in ("idx", "log")])

    def test_verify(self):
        self.says("verify", "ok entries=0")
        self.append("a\nb\n" * 5000)
        self.control("seal")
        self.append("c\n")
        self.says("verify", "ok entries=10001")
        self.control("trim 10")
        self.says("verify", "ok entries=9991")
        self.assertNotIn("verify", self.status())

    def test_set(self):
        for key, value, shown in (
                ("segment-size", "1M", "1M"), ("segment-size", "2G", "2G"),
                ("max-entry", "10K", "10K"), ("sync", "always", "always"),
                ("sync", "interval=50ms", "interval=50ms"),
                ("sync", "manual", "manual"), ("retain-bytes", "1T", "1T"),
                ("retain-age", "36h", "36h"), ("map-limit", "64M", "64M")):
            with self.subTest(key=key, value=value):
                self.says(f"set {key} {value}", "ok")
                self.assertEqual(self.status()[key], shown)
        self.restart()
        self.assertEqual(self.status()["map-limit"], "64M")
        self.assertEqual(self.status()["segment-size"], "2G")

    def test_set_of_bad_values(self):
        before = self.status()
        for error, key, value in (
                (errno.EINVAL, "segment-size", "big"),
                (errno.EINVAL, "segment-size", "1M1"),
                (errno.EINVAL, "segment-size", "-1"),
                (errno.ERANGE, "segment-size", "1K"),
                (errno.ERANGE, "segment-size", "4G"),
                (errno.ERANGE, "max-entry", "5G"),
                (errno.ERANGE, "max-entry", "99999999999999999999"),
                (errno.EINVAL, "sync", "sometimes"),
                (errno.EINVAL, "sync", "interval"),
                (errno.EINVAL, "sync", "interval=ten"),
                (errno.EINVAL, "retain-age", "5"),
                (errno.EINVAL, "retain-bytes", "5x"),
                (errno.ERANGE, "map-limit", "1K")):
            with self.subTest(key=key, value=value):
                self.assertEqual(
                    self.refused(error, f"set {key} {value}"),
                    f"error {errno.errorcode[error]} "
                    "bad value for this option; see maplogfs.ini(5)")
        self.assertEqual(self.refused(errno.EINVAL, "set colour red"),
                         "error EINVAL no such option; see maplogfs(8)")
        self.assertEqual(self.status(), before)

    def test_what_is_no_command(self):
        for line in ("hello", "SYNC", "a b c d e f g", "sync\fnow"):
            with self.subTest(line=line):
                self.bad(line, errno.EINVAL, "not a command; see maplogfs(8)")

    def test_a_command_with_wrong_words_is_told_what_it_takes(self):
        for usage, lines in (
                ("append LENGTH [tag=TAG]",
                 ("append", "append x", "append -1", "append 01",
                  "append 1 2", "append 1 tag=x", "append 1 tag=1 2")),
                ("append-at INDEX LENGTH [tag=TAG]",
                 ("append-at 1", "append-at 1 2 3")),
                ("overwrite INDEX LENGTH [tag=TAG]", ("overwrite 1",)),
                ("truncate INDEX", ("truncate", "truncate x", "truncate 1 2")),
                ("trim INDEX", ("trim", "trim 18446744073709551616")),
                ("sync", ("sync now", "sync a b c d e f")),
                ("seal", ("seal 1",)),
                ("retain", ("retain 1",)),
                ("set KEY VALUE", ("set", "set sync", "set sync manual now",
                                   "set sync=manual", "set a b c d e f")),
                ("verify", ("verify all",))):
            for line in lines:
                with self.subTest(line=line):
                    self.bad(line, errno.EINVAL, f"usage: {usage}")
        self.bad("sy\0nc", errno.EINVAL, "a zero byte is in the line")
        self.bad("sync now\nhello", errno.EINVAL, "usage: sync")
        self.bad("hello", errno.EINVAL, "not a command; see maplogfs(8)")

    def test_a_line_without_end_is_refused(self):
        self.bad("sync" + " " * 2000, errno.EINVAL, "line too long")

    def test_spaces_around_words_and_empty_lines_are_allowed(self):
        self.says("\n \n\tsync  \r", "ok durable=0")
        self.says("\n\r\n", "")

    def test_an_entry_over_max_entry_is_refused(self):
        self.control("set max-entry 10")
        self.bad(b"append 11\nhello world", errno.EMSGSIZE,
                 "larger than max-entry")
        self.bad(b"append 18446744073709551615\n", errno.EMSGSIZE,
                 "larger than max-entry")
        self.says(b"append 10\n0123456789", "ok first=0 next=1")


class Writes(mounted.MountCase):
    """Commands in pieces, several at once, and from several clients."""

    def setUp(self):
        super().setUp()
        self.make()
        self.fd = self.open()

    def open(self):
        fd = os.open(self.at("l", "control"), os.O_RDWR)
        self.addCleanup(lambda: fd in self.opened and os.close(fd))
        self.opened = getattr(self, "opened", set()) | {fd}
        return fd

    def close(self, fd):
        os.close(fd)
        self.opened.discard(fd)

    def test_bytes_may_come_in_later_writes(self):
        for piece in (b"app", b"end 12", b"\nab", b"", b"cd\n", b"efg", b"hi"):
            os.write(self.fd, piece)
            self.assertEqual(self.counters(), (0, 0))
        os.write(self.fd, b"jk\n")
        self.assertEqual(self.entries(), [b"abcd\nefghijk"])
        self.assertEqual(os.read(self.fd, 100), b"ok first=0 next=1\n")

    def test_a_large_entry_comes_in_many_requests(self):
        data = os.urandom(5 << 20)
        os.write(self.fd, b"append %d tag=3\n" % len(data))
        self.write_all(data)
        self.assertEqual(os.read(self.fd, 100), b"ok first=0 next=1\n")
        self.assertEqual(self.entries(), [data])

    def write_all(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def test_several_commands_in_one_write(self):
        os.write(self.fd, b"append 1\naappend 2\nb\n\nsync\nseal\n"
                          b"append-at 2 3\nccctruncate 1\n")
        self.assertEqual(os.read(self.fd, 1000).decode().splitlines(), [
            "ok first=0 next=1", "ok first=1 next=2", "ok durable=2",
            "ok base=2", "ok first=2 next=3", "ok next=1 generation=1"])
        self.assertEqual(self.entries(), [b"a"])

    def test_a_command_that_fails_stops_those_behind_it(self):
        self.fails(errno.ENODATA, os.write, self.fd,
                   b"append 1\na" b"truncate 7\n" b"append 1\nb")
        self.assertEqual(os.read(self.fd, 1000).decode().splitlines(),
                         ["ok first=0 next=1", "error ENODATA next=1"])
        self.assertEqual(self.entries(), [b"a"])
        os.write(self.fd, b"append 1\nc")
        self.assertEqual(self.entries(), [b"a", b"c"])

    def test_replies_can_be_read_in_pieces_and_once(self):
        os.write(self.fd, b"sync\nsync\n")
        self.assertEqual(os.read(self.fd, 4), b"ok d")
        self.assertEqual(os.read(self.fd, 100), b"urable=0\nok durable=0\n")
        self.assertEqual(os.read(self.fd, 100), b"")

    def test_every_open_file_has_its_own_replies(self):
        other = self.open()
        os.write(self.fd, b"append 1\na")
        os.write(other, b"append 1\nb")
        self.assertEqual(os.read(other, 100), b"ok first=1 next=2\n")
        self.assertEqual(os.read(self.fd, 100), b"ok first=0 next=1\n")
        self.assertEqual(self.read("l", "control"), b"")

    def test_the_beginnings_of_two_clients_do_not_mix(self):
        other = self.open()
        os.write(self.fd, b"append 4\nab")
        os.write(other, b"append 4\ncd")
        os.write(self.fd, b"AB")
        os.write(other, b"CD")
        self.assertEqual(self.entries(), [b"abAB", b"cdCD"])

    def test_a_close_inside_of_a_command_does_nothing(self):
        self.append("kept\n")
        for begun in (b"truncate 0", b"append 5\nhell", b"append 5", b"tri",
                      b"overwrite 0 3\nno"):
            fd = self.open()
            os.write(fd, begun)
            self.close(fd)
        self.assertEqual(self.entries(), [b"kept\n"])
        mounted.until(lambda: self.said().count("incomplete command") == 5,
                      "the daemon says so each time")

    def test_the_shell_can_use_it(self):
        said = self.sh(r"""
            printf 'append 3\nabc' > l/control
            echo 'set max-entry 1M' > l/control
            exec 3<>l/control
            echo sync >&3; read -r reply <&3; echo "$reply"
            echo truncate 0 >&3; head -n 1 <&3
            ! echo nonsense > l/control 2>/dev/null""")
        self.assertEqual(said, b"ok durable=1\nok next=0 generation=1\n")


class Damage(mounted.MountCase):
    """A byte of the store was changed while nobody looked."""

    options = "sync=manual,segment-size=1M"

    def flip(self, base, offset, suffix="log"):
        path = os.path.join(self.store, "l", f"{base:020}.{suffix}")
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))

    def setUp(self):
        super().setUp()
        self.make()
        self.append("".join(f"entry {i:04}\n" for i in range(2000)))
        self.control("seal")
        self.append("".join(f"entry {i:04}\n" for i in range(2000, 4000)))
        self.control("seal")
        self.append("last\n")
        self.stop()

    def check(self, index):
        self.start()
        self.assertEqual(self.refused(errno.EBADMSG, "verify"),
                         f"error EBADMSG index={index}")
        self.fails(errno.EIO, self.entry, index)
        for good in (index - 1, index + 1):
            self.assertEqual(self.entry(good), b"entry %04d\n" % good)
        self.fails(errno.EIO, self.read, "l", "ranges", "1000-")
        self.append("more\n")
        self.assertEqual(self.entry(4001), b"more\n")

    def test_verify_finds_a_byte_of_a_sealed_segment(self):
        self.flip(0, 11 * 1234 + 5)
        self.check(1234)

    def test_verify_finds_a_byte_of_a_later_segment(self):
        self.flip(2000, 11 * 1766)
        self.check(3766)

    def test_verify_finds_a_time_that_was_changed(self):
        self.flip(2000, 24 * 500 + 9, "idx")
        self.check(2500)

    def test_a_truncation_before_the_damage_gets_rid_of_it(self):
        self.flip(0, 11 * 1234)
        self.start()
        self.control("truncate 1234")
        self.assertEqual(self.control("verify"), "ok entries=1234")
        self.append("new\n")
        self.assertEqual(self.entry(1234), b"new\n")


class Sight(mounted.MountCase):
    """Once a command is answered, everybody sees what it did."""

    options = "sync=manual,segment-size=1M"

    def setUp(self):
        super().setUp()
        self.make()
        # Another process, which looks when it is told to.
        self.ask, told = os.pipe()
        tell, self.told = os.pipe()
        Child(self, self.look_on_demand, tell, told)
        os.close(tell)
        os.close(told)

    def look_on_demand(self, tell, told):
        while os.read(tell, 1):
            seen = repr(self.look()).encode()
            os.write(told, struct.pack("<I", len(seen)) + seen)

    def look(self):
        """The log as names, sizes and bytes have it."""
        entries = sorted(map(int, os.listdir(self.at("l", "entries"))))
        seen = []
        for i in range(14):
            try:
                size = os.stat(self.at("l", "entries", str(i))).st_size
                seen.append((i, size, self.entry(i)))
            except FileNotFoundError:
                pass
        names = os.listdir(self.at("l", "segments"))
        data = b"".join(self.read("l", "segments", name)
                        for name in sorted(names) if name.endswith(".log"))
        sizes = sum(os.stat(self.at("l", "segments", name)).st_size
                    for name in names if name.endswith(".log"))
        first = min(entries, default=0)
        ranges = self.read("l", "ranges", f"{first}-") if entries else b""
        return entries, seen, data, sizes, ranges

    def other_sees(self):
        """What the other process sees now."""
        os.write(self.told, b"?")
        size = struct.unpack("<I", os.read(self.ask, 4))[0]
        data = b""
        while len(data) < size:
            data += os.read(self.ask, size - len(data))
        return eval(data, {})  # pylint: disable=eval-used

    def check(self, model, trimmed=0):
        """@model: the entries by their index"""
        entries, seen, data, sizes, ranges = self.other_sees()
        self.assertEqual(entries, sorted(model))
        self.assertEqual(seen, [(i, len(model[i]), model[i])
                                for i in sorted(model) if i < 14])
        whole = b"".join(model[i] for i in sorted(model))
        self.assertEqual(ranges, whole)
        self.assertEqual(sizes, len(data))
        self.assertTrue(data.endswith(whole))
        if not trimmed:
            self.assertEqual(data, whole)

    def test_truncations_are_seen_at_once(self):
        model = {}
        for turn in range(100):
            for _ in range(3):
                model[len(model)] = b"turn %d" % turn + b"." * (turn % 7) + \
                    b"\n"
            self.append(b"".join(model[i] for i in range(len(model) - 3,
                                                         len(model))))
            self.check(model)
            if turn % 3 == 0:
                self.control("seal")
            keep = len(model) * (turn * 7 % 10) // 10
            self.control(f"truncate {keep}")
            model = {i: model[i] for i in range(keep)}
            self.check(model)

    def test_overwrites_are_seen_at_once(self):
        self.append("x\n" * 10)
        model = {i: b"x\n" for i in range(10)}
        for turn in range(100):
            at = turn * 7 % 10
            data = b"turn %d" % turn + b"y" * (turn % 5)
            self.control(b"overwrite %d %d\n%s" % (at, len(data), data))
            model = {i: model[i] for i in range(at)}
            model[at] = data
            for i in range(at + 1, 10):
                model[i] = b"z%d" % i * (turn % 3) + b"\n"
            self.append(b"".join(model[i] for i in range(at + 1, 10)))
            self.check(model)

    def test_trims_are_seen_at_once(self):
        model = {i: b"entry %d\n" % i for i in range(14)}
        self.append(b"".join(model.values()))
        for turn in range(100):
            if turn % 5 == 0:
                self.control("seal")
            index = max(model) + 1
            model[index] = b"entry %d\n" % index
            self.append(model[index])
            self.assertEqual(self.control(f"trim {turn}"), f"ok first={turn}")
            model.pop(turn - 1, None)
            self.check(model, trimmed=turn)
            self.assertEqual(re.findall(r"\d+", self.status()["first"]),
                             [str(turn)])

    def test_a_truncation_across_segments_removes_their_files(self):
        for i in range(10):
            self.append(f"in segment {i}\n")
            self.control("seal")
        self.check({i: b"in segment %d\n" % i for i in range(10)})
        self.control("truncate 3")
        self.check({i: b"in segment %d\n" % i for i in range(3)})
        self.assertLessEqual(len(os.listdir(self.at("l", "segments"))), 8)
        self.control("truncate 0")
        self.check({})


if __name__ == "__main__":
    mounted.main()
