#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A log from Python through the mount: open, write, mmap, numpy.

mapped.py append LOG TEXT... | read LOG | follow LOG
"""

import glob
import mmap
import sys

import numpy

RECORD = [("end", "<u4"), ("crc", "<u4"), ("time", "<u8"), ("tag", "<u8")]


def append(log, texts):
    with open(f"{log}/append", "w", encoding="utf-8") as file:
        for text in texts:
            print(text, file=file, flush=True)


def read(log):
    for name in sorted(glob.glob(f"{log}/segments/*.idx")):
        base, start = int(name[-24:-4]), 0
        with open(name, "rb") as idx:
            records = numpy.frombuffer(idx.read(), RECORD)
        if not records.size:
            continue
        with open(name[:-3] + "log", "rb") as file:
            data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        for index, end in enumerate(map(int, records["end"]), base):
            assert start <= end <= len(data), f"entry {index} has no end"
            print(f"{index}: {data[start:end].decode()}", end="")
            start = end
        # The same with numpy: "r" is shared, "c" is copied where written to.
        kept = numpy.memmap(name[:-3] + "log", mode="r")
        copy = numpy.memmap(name[:-3] + "log", mode="c")
        copy[0] = ord("*")
        print(f"copy {copy[0]:c}, log {kept[0]:c}")


def follow(log):
    with open(f"{log}/follow", "rb") as file:
        for line in file:
            print(line.decode(), end="", flush=True)


command, where, *arguments = sys.argv[1:]
if command == "append":
    append(where, arguments)
else:
    {"read": read, "follow": follow}[command](where)
