#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Brings a stale replica of a log up to date, over HTTP, by curl.

    catch_up.py http://leader:8080/LOG mnt/LOG

Two entries of one index are the same if their tags are, as with the terms of
Raft. What the replica has beyond that it drops, and appends what it lacks.
"""

import os
import struct
import subprocess
import sys

BOUNDARY = struct.Struct("<QQQ")  # of ranges/A-B.idx: end, time, tag
FRAME = struct.Struct("<IIQ")     # of batch: length, zero, tag
PAGE = 16384                      # entries fetched at once
WRITE = (1 << 20) - 4096          # bytes that surely are one write


class Leader:
    """A log that a web server has."""

    def __init__(self, url):
        self.url = url

    def read(self, name):
        return subprocess.run(["curl", "-sSf", f"{self.url}/{name}"],
                              stdout=subprocess.PIPE, check=True).stdout


class Replica:
    """A log of a mount here."""

    def __init__(self, path):
        self.path = path

    def read(self, name):
        with open(f"{self.path}/{name}", "rb") as file:
            return file.read()

    def truncate(self, index):
        with open(f"{self.path}/control", "wb", 0) as file:
            file.write(b"truncate %d\n" % index)

    def append(self, entries):
        """Frames, in as few writes as they fit in."""
        with open(f"{self.path}/batch", "wb", 0) as file:
            frames = bytearray()
            for label, data in entries:
                if len(frames) + FRAME.size + len(data) > WRITE:
                    file.write(frames)
                    frames.clear()
                frames += FRAME.pack(len(data), 0, label)
                frames += data
            file.write(frames)


def bounds(log):
    """The first and the next index of a log, out of its page of counters."""
    return struct.unpack_from("<QQ", log.read("head"), 72)


def tag(log, index):
    return BOUNDARY.unpack(log.read(f"ranges/{index}-{index}.idx"))[2]


def first_difference(leader, replica, low, high):
    """Logs that have the same tag somewhere are the same up to there."""
    while low < high:
        middle = (low + high) // 2
        if tag(leader, middle) == tag(replica, middle):
            low = middle + 1
        else:
            high = middle
    return low


def fetch(leader, first, last):
    """(tag, bytes) of the entries from first to last."""
    name = f"ranges/{first}-{last}"
    data, start = memoryview(leader.read(name)), 0
    for end, _, label in BOUNDARY.iter_unpack(leader.read(name + ".idx")):
        yield label, data[start:end]
        start = end


def main():
    leader, replica = Leader(sys.argv[1]), Replica(sys.argv[2])
    (first, there), (_, here) = bounds(leader), bounds(replica)
    same = first_difference(leader, replica, first, min(there, here))
    if same < here:
        replica.truncate(same)
    for page in range(same, there, PAGE):
        last = min(page + PAGE, there) - 1
        replica.append(fetch(leader, page, last))
    print(f"dropped {here - same}, appended {there - same} entries, "
          f"{there} now")


main()
