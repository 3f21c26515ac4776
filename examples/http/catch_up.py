#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Brings a stale replica of a log up to date, over HTTP, by curl.

    catch_up.py http://leader:8080/LOG mnt/LOG

Two entries of one index are the same if their tags are, as with the terms of
Raft. What the replica has beyond that it drops, and appends what it lacks.
"""

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

    def open(self, name):
        """curl; its output is to be read, as it comes."""
        return subprocess.Popen(["curl", "-sSf", f"{self.url}/{name}"],
                                stdout=subprocess.PIPE, bufsize=WRITE)

    def read(self, name):
        with self.open(name) as curl:
            data = curl.stdout.read()
        if curl.returncode:
            sys.exit(f"curl failed at {name}")
        return data


class Replica:
    """A log of a mount here."""

    def __init__(self, path):
        self.path = path

    def read(self, name):
        with open(f"{self.path}/{name}", "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(f"{self.path}/{name}", "wb") as file:
            file.write(data)

    def truncate(self, index):
        self.write("control", b"truncate %d\n" % index)

    def sync(self):
        """All that is there survives a power cut, whatever its policy is."""
        self.write("control", b"sync\n")

    def append(self, entries):
        """Frames, in as few writes as they fit in; large ones alone."""
        frames = bytearray()
        for label, data in entries:
            frame = FRAME.pack(len(data), 0, label) + data
            if len(frames) + len(frame) > WRITE:
                self.write("batch", frames)
                frames.clear()
            if len(frame) <= WRITE:
                frames += frame
            else:
                self.write("control",
                           b"append %d tag=%d\n" % (len(data), label) + data)
        self.write("batch", frames)


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
    """(tag, bytes) of the entries from first to last.

    The tags come first. Should the leader replace entries meanwhile, then
    theirs are not those, and whoever catches up next drops what came here.
    """
    name, start = f"ranges/{first}-{last}", 0
    ends = BOUNDARY.iter_unpack(leader.read(name + ".idx"))
    with leader.open(name) as curl:
        for end, _, label in ends:
            data = curl.stdout.read(end - start)
            if len(data) < end - start:
                sys.exit(f"{name} came in part only")
            yield label, data
            start = end


def main():
    leader, replica = Leader(sys.argv[1]), Replica(sys.argv[2])
    (first, there), (ours, here) = bounds(leader), bounds(replica)
    low, high = max(first, ours), min(there, here)
    if low > high:
        sys.exit(f"the leader has entries {first} to {there}, "
                 f"the replica {ours} to {here}: they do not meet")
    same = first_difference(leader, replica, low, high)
    if same < here:
        replica.truncate(same)
    for page in range(same, there, PAGE):
        replica.append(fetch(leader, page, min(page + PAGE, there) - 1))
    replica.sync()
    print(f"dropped {here - same}, appended {there - same} entries, "
          f"{there} now")


main()
