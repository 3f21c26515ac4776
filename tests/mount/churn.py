# SPDX-License-Identifier: MIT
"""A log that is changed at random, beside a model of what it must hold.

Every entry says which one it is, so that whoever reads it can tell.
"""

import errno
import os
import pickle
import random

from clients import (HEAD_ACTIVE_BASE, HEAD_ACTIVE_BYTES, HEAD_GENERATION,
                     Child, Mapping, frame)

HEADER = len("%012d %016d %06d " % (0, 0, 0))

# What a client of a daemon that was killed is told.
GONE = (errno.ENOTCONN, errno.ECONNABORTED)


def is_gone(error, fd):
    """Whether a call failed because the daemon is gone.

    EIO is what the kernel says when it died while it took the request from
    there, or gave the answer: then the next call fails as all do from then on.
    """
    if error.errno == errno.EIO:
        try:
            os.fstatvfs(fd)
        except OSError as next_error:
            return next_error.errno in GONE
    return error.errno in GONE


def make(index, version, size):
    """An entry that says what it is. It is a line, too."""
    return b"%012d %016d %06d " % (index, version, size) + \
        bytes([33 + version % 90]) * size + b"\n"


def end_of(data, at):
    """Where the entry at an offset ends; None if it is not all there."""
    if len(data) - at < HEADER:
        return None
    end = at + HEADER + int(data[at + HEADER - 7:at + HEADER - 1]) + 1
    return end if end <= len(data) else None


def take(data, at, index, what):
    """The version of the entry at an offset, and where it ends."""
    end = end_of(data, at)
    if end is None:
        raise AssertionError(f"{what}: cut at {at} of {len(data)}")
    found, version = map(int, data[at:at + HEADER].split()[:2])
    if data[at:end] != make(index, version, end - at - HEADER - 1):
        raise AssertionError(f"{what}: at {at} of {len(data)}: entry {found}, "
                             f"not {index}, version {version}")
    return version, end


def parse(data, first, what):
    """Versions of whole entries from @first on; they can only go up."""
    at, index, versions = 0, first, []
    while at < len(data):
        version, at = take(data, at, index, what)
        if versions and version <= versions[-1]:
            raise AssertionError(f"{what}: {version} after {versions[-1]}")
        versions.append(version)
        index += 1
    return versions


class Model:
    """What a log holds: entries from the first one on."""

    def __init__(self, first=0, entries=()):
        self.first = first
        self.entries = list(entries)

    @property
    def next(self):
        return self.first + len(self.entries)

    def cut(self, index):
        return Model(self.first, self.entries[:index - self.first])

    def plus(self, entries):
        return Model(self.first, [*self.entries, *entries])

    def trimmed(self, index):
        return Model(max(self.first, index),
                     self.entries[max(0, index - self.first):])

    def is_in(self, case, log="l"):
        """Whether a log in the mount is this, to the byte."""
        return case.counters(log) == (self.first, self.next) and \
            case.read(log, "ranges", f"{self.first}-") == \
            b"".join(self.entries)


class Writer:
    """A process that changes a log until the daemon is gone.

    Then it tells what the log held, and what it would with the change that was
    under way: `before` and `after`.
    """

    SIZES = (0, 3, 100, 4076, 20000)

    def __init__(self, case, model, seed, log="l"):
        self.case, self.log = case, log
        self.model, self.rng = model, random.Random(seed)
        self.version = seed << 24
        # Before anybody kills the daemon.
        self.fds = {name: os.open(case.at(log, name), flags)
                    for name, flags in (("control", os.O_RDWR),
                                        ("batch", os.O_WRONLY))}
        self.told, self.tell = os.pipe()
        self.child = Child(case, self._run)
        for fd in (self.tell, *self.fds.values()):
            os.close(fd)

    def result(self):
        """(before, after)"""
        with os.fdopen(self.told, "rb") as file:
            result = pickle.load(file)
        self.child.done()
        return result

    def _run(self):
        after = self.model
        try:
            while True:
                name, data, after = self.step()
                os.write(self.fds[name], data)
                self.model = after
        except OSError as error:
            if not is_gone(error, self.fds[name]):
                raise
        with os.fdopen(self.tell, "wb") as file:
            pickle.dump((self.model, after), file)

    def new(self, index):
        self.version += 1
        return make(index, self.version, self.rng.choice(self.SIZES))

    def step(self):
        """A change at random: (file, what to write, the model with it)"""
        model, kind = self.model, self.rng.random()
        index = self.rng.randrange(max(model.first, model.next - 20),
                                   model.next + 1)
        if kind < 0.4:
            entry = self.new(model.next)
            return ("control", b"append %d\n" % len(entry) + entry,
                    model.plus([entry]))
        if kind < 0.6:
            batch = [self.new(model.next + i)
                     for i in range(self.rng.randrange(1, 9))]
            return "batch", b"".join(map(frame, batch)), model.plus(batch)
        if kind < 0.75:
            entry = self.new(index)
            return ("control", b"overwrite %d %d\n" % (index, len(entry))
                    + entry, model.cut(index).plus([entry]))
        if kind < 0.85:
            return "control", b"truncate %d\n" % index, model.cut(index)
        if kind < 0.9 and len(model.entries) > 40:
            index = model.next - 30
            return "control", b"trim %d\n" % index, model.trimmed(index)
        return "control", self.rng.choice((b"seal\n", b"sync\n")), model


class Follower:
    """A process that reads what comes: whole entries, in a row."""

    def __init__(self, case, log="l"):
        fd = os.open(case.at(log, "follow"), os.O_RDONLY)
        self.child = Child(case, self._run, fd)
        os.close(fd)

    def done(self):
        """The daemon is gone."""
        self.child.done()

    def _run(self, fd):
        data, index = b"", None
        while True:
            try:
                data += os.read(fd, 1 << 16)
            except OSError as error:
                if is_gone(error, fd):
                    return
                if error.errno != errno.ESTALE:
                    raise
                # What was read is gone: it goes on with what is new.
                data, index = b"", None
            at = 0
            while end_of(data, at):
                if index is None:
                    index = int(data[at:at + 12])
                _, at = take(data, at, index, "follow")
                index += 1
            data = data[at:]


class MappedReader:
    """A process that reads mapped files, with a daemon or without."""

    def __init__(self, case, stop, log="l"):
        self.case, self.stop, self.log = case, stop, log
        self.known = None
        self.data = None
        self.head = Mapping(case.at(log, "head"), 4096)
        self.child = Child(case, self._run)
        self.head.close()

    def done(self):
        self.child.done()

    def _run(self):
        while not self.stop[0]:
            self.look(self.head)

    def look(self, head):
        generation = head.load64(HEAD_GENERATION)
        base = head.load64(HEAD_ACTIVE_BASE)
        size = head.load64(HEAD_ACTIVE_BYTES)
        if head.load64(HEAD_ACTIVE_BASE) != base:
            return
        if (generation, base) != self.known and not self.remap(base):
            return
        if self.data.size < size:
            raise AssertionError(f"{size} bytes, of {self.data.size}")
        data = self.data.load(0, size)
        if head.load64(HEAD_GENERATION) != generation:
            # What was read may be of the past: the names are looked up anew.
            self.known = None
            return
        self.known = (generation, base)
        parse(data, base, "mapped")

    def remap(self, base):
        self.known = None
        try:
            mapping = Mapping(self.case.at(self.log, "segments",
                                           f"{base:020}.log"), 1 << 20)
        except OSError as error:
            if error.errno not in (*GONE, errno.ENOENT, errno.ESTALE):
                raise
            return False
        if self.data:
            self.data.close()
        self.data = mapping
        return True
