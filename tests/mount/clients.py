# SPDX-License-Identifier: MIT
"""Clients of a mount: other processes, mappings, and what is in an .idx."""

import ctypes
import mmap
import os
import signal
import struct
import subprocess
import sys
import traceback
from collections import namedtuple

import mounted

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                      ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.pwrite.restype = ctypes.c_ssize_t
LIBC.pwrite.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t,
                        ctypes.c_long]
LIBC.splice.restype = ctypes.c_ssize_t
LIBC.splice.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int,
                        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
LIBC.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long,
                           ctypes.c_long]

PAGE = mmap.PAGESIZE

Record = namedtuple("Record", "end crc time tag")
RECORD = struct.Struct("<IIQQ")
MORE = 1 << 63

Boundary = namedtuple("Boundary", "end time tag")
BOUNDARY = struct.Struct("<QQQ")


def records(data):
    """What an .idx file holds."""
    return [Record(*fields) for fields in RECORD.iter_unpack(data)]


def boundaries(data):
    """What ranges/A-B.idx holds."""
    return [Boundary(*fields) for fields in BOUNDARY.iter_unpack(data)]


def check(result):
    """A result of libc: raises what errno says."""
    if result in (-1, ctypes.c_void_p(-1).value):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def frame(data, tag=0, zero=0):
    """An entry as the file batch takes it."""
    return struct.pack("<IIQ", len(data), zero, tag) + data


_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82f63b78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32c(data, crc=0):
    """CRC-32C, bit by bit from its definition."""
    crc ^= 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


class Mapping:
    """A mapping of a file, which may be longer than the file."""

    def __init__(self, file, size, prot=mmap.PROT_READ,
                 flags=mmap.MAP_SHARED):
        fd = file if isinstance(file, int) else os.open(file, os.O_RDONLY)
        try:
            self.size = size
            self.address = check(LIBC.mmap(None, size, prot, flags, fd, 0))
        finally:
            if fd is not file:
                os.close(fd)
        self._copy = os.memfd_create("copy")

    def read(self, offset, size):
        """Bytes of it. OSError, not SIGBUS, if they cannot be read."""
        done = 0
        while done < size:
            done += check(LIBC.pwrite(self._copy, self.address + offset + done,
                                      size - done, done))
        return os.pread(self._copy, size, 0)

    def load(self, offset, size):
        """Bytes of it, without any system call."""
        return ctypes.string_at(self.address + offset, size)

    def load64(self, offset):
        return ctypes.c_uint64.from_address(self.address + offset).value

    def protect(self, prot):
        check(LIBC.mprotect(self.address, self.size, prot))

    def close(self):
        LIBC.munmap(self.address, self.size)
        os.close(self._copy)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Where the counters are in a mapped head: see liblog/format.h.
HEAD_GENERATION, HEAD_FIRST, HEAD_NEXT, HEAD_DURABLE = 64, 72, 80, 88
HEAD_ACTIVE_BASE, HEAD_ACTIVE_BYTES = 96, 104


class Child:
    """A function in a process of its own. It is killed with the test."""

    def __init__(self, case, function, *arguments):
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _run_and_exit(function, arguments)
        self.status = None
        case.addCleanup(self.kill)

    def poll(self):
        """Its status if it has ended, else None."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self):
        """Its exit status, negative if a signal ended it."""
        mounted.until(lambda: self.poll() is not None, "a client ends")
        return self.status

    def done(self):
        """It must have done all it was to do."""
        status = self.wait()
        if status:
            raise AssertionError(f"a client ended with status {status}")

    def kill(self, with_signal=signal.SIGKILL):
        if self.poll() is None:
            os.kill(self.pid, with_signal)
            if with_signal == signal.SIGKILL:
                self.wait()


class Linked:
    """A process that writes to a log with the library, without the mount."""

    def __init__(self, case, path):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [mounted.MAPLOG, "append", "--verbose", "--batch=1", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        case.addCleanup(self.kill)

    @property
    def pid(self):
        return self.process.pid

    def append(self, *lines):
        """Appends lines; each is acknowledged when this returns."""
        for line in lines:
            self.process.stdin.write(line)
            self.process.stdin.flush()
            if not self.process.stdout.readline().startswith(b"first="):
                raise AssertionError("a line was not acknowledged")

    def close(self):
        """Ends in order."""
        self.process.stdin.close()
        if self.process.wait():
            raise AssertionError("a writer with the library failed")
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def _run_and_exit(function, arguments):
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        function(*arguments)
        status = 0
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
