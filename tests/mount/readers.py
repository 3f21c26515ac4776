# SPDX-License-Identifier: MIT
"""Every way to read a file: what all of them must agree on.

Each function reads an open file from an offset to its end, and returns the
bytes. `EXACT` come to the end that the file has now. `LAZY` are not asked of
the daemon while a file grows: they come to the end that it had when somebody
opened it or looked at its size last, and must never show a wrong byte.
"""

import ctypes
import errno
import mmap
import os

from clients import LIBC, PAGE, Mapping, check

STEP = 1 << 18


def _until_empty(read, offset):
    parts = []
    while True:
        part = read(offset)
        if not part:
            return b"".join(parts)
        parts.append(part)
        offset += len(part)


def by_pread(fd, offset):
    return _until_empty(lambda at: os.pread(fd, STEP, at), offset)


def by_read(fd, offset):
    os.lseek(fd, offset, os.SEEK_SET)
    return _until_empty(lambda _: os.read(fd, 7777), offset)


def by_readv(fd, offset):
    def read(at):
        buffers = [bytearray(size) for size in (1, 100, PAGE, STEP)]
        size = os.preadv(fd, buffers, at)
        return b"".join(buffers)[:size]
    return _until_empty(read, offset)


def by_direct(fd, offset):
    """As programs do that have a cache of their own."""
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_DIRECT)
    start = offset - offset % PAGE
    with mmap.mmap(-1, STEP) as buffer:
        def read(at):
            return bytes(buffer[:os.preadv(again, [buffer], at)]) \
                if at % PAGE == 0 else b""
        data = _until_empty(read, start)
    os.close(again)
    return data[offset - start:]


def by_new_mapping(fd, offset):
    size = os.fstat(fd).st_size
    if offset >= size:
        return b""
    with Mapping(fd, size) as mapping:
        return mapping.read(offset, size - offset)


def by_end(fd, offset):
    """As tail does: to the end, and back."""
    size = os.lseek(fd, 0, os.SEEK_END)
    return by_pread(fd, offset)[:max(0, size - offset)]


def by_copy_file_range(fd, offset):
    copy = os.memfd_create("copy")
    at = offset
    try:
        while True:
            n = os.copy_file_range(fd, copy, STEP, offset_src=at)
            if not n:
                return os.pread(copy, at - offset, 0)
            at += n
    except OSError as error:
        # Tools then go on with read.
        if error.errno not in (errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL):
            raise
        return by_pread(fd, offset)
    finally:
        os.close(copy)


def by_sendfile(fd, offset):
    copy = os.memfd_create("copy")
    at = offset
    try:
        while True:
            n = os.sendfile(copy, fd, at, STEP)
            if not n:
                return os.pread(copy, at - offset, 0)
            at += n
    finally:
        os.close(copy)


def by_splice(fd, offset):
    reading, writing = os.pipe()
    at = ctypes.c_long(offset)
    parts = []
    try:
        while True:
            n = check(LIBC.splice(fd, ctypes.addressof(at), writing, None,
                                  16 * PAGE, 0))
            if not n:
                return b"".join(parts)
            while n:
                parts.append(os.read(reading, n))
                n -= len(parts[-1])
    finally:
        os.close(reading)
        os.close(writing)


EXACT = [by_pread, by_read, by_readv, by_direct, by_end, by_new_mapping,
         by_copy_file_range]
LAZY = [by_sendfile, by_splice]
