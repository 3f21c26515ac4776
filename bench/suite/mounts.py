# SPDX-License-Identifier: MIT
"""Mounts: maplogfs, the empty one, and the peers, over the same files.

The whole bench runs in mount and pid namespaces of its own, so that no mount
and no daemon outlives it.
"""

import os
import shutil
import subprocess
import time

from figures import Failure

PATIENCE = 60


def is_mounted(place):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split()[4] == str(place) for line in file)


class Mount:
    """A daemon in the foreground, and its mount; unmounted at the end of a
    `with`."""

    def __init__(self, command, place):
        self.command = [str(part) for part in command]
        self.place = place
        self.process = None

    def __enter__(self):
        self.place.mkdir(exist_ok=True)
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not is_mounted(self.place):
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise Failure(f"{self.command[0]} does not mount")
            time.sleep(0.001)
        self._await_answer()
        return self

    def _await_answer(self):
        """A mount is there before its daemon has opened what it serves."""
        try:
            os.stat(self.place)
        except OSError as error:
            self.__exit__()
            raise Failure(f"{self.command[0]} does not serve") from error

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.place)], check=False,
                       stderr=subprocess.DEVNULL)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.place.rmdir()

    def memory(self):
        """Anonymous memory of the daemon, in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            kib = next(line for line in f if line.startswith("RssAnon:"))
        return int(kib.split()[1]) / 1024


def maplogfs(bench, store, place):
    return Mount([bench.build / "fs" / "maplogfs", store, place, "-f"], place)


def emptyfs(bench, place):
    return Mount([bench.program("emptyfs"), place], place)


def _image(files):
    """A squashfs image of a directory, uncompressed."""
    image = files.parent / (files.name + ".squashfs")
    if not image.exists():
        subprocess.run(
            ["mksquashfs", files, image, "-noI", "-noD", "-noF", "-noX",
             "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    return image


def _overlay(files, place):
    """fuse-overlayfs wants two directories for what is written."""
    upper, work = (place.parent / f"{place.name}.{kind}"
                   for kind in ("upper", "work"))
    for path in (upper, work):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    return ["fuse-overlayfs", "-f", "-o",
            f"lowerdir={files},upperdir={upper},workdir={work}", place]


# Whether the peer can write, and how it is called.
PEERS = {
    "bindfs": (True, lambda files, place: ["bindfs", "-f", files, place]),
    "bindfs, cached": (True, lambda files, place: [
        "bindfs", "-f", "-o",
        "kernel_cache,entry_timeout=60,attr_timeout=60", files, place]),
    "mergerfs": (True, lambda files, place: [
        "mergerfs", "-f", "-o", "defaults,func.getattr=ff", files, place]),
    "mergerfs, cached": (True, lambda files, place: [
        "mergerfs", "-f", "-o",
        "cache.files=full,cache.attr=60,cache.entry=60", files, place]),
    "fuse-overlayfs": (True, _overlay),
    "squashfuse_ll": (False, lambda files, place: [
        "squashfuse_ll", "-f", _image(files), place]),
}


def peers(bench, writable=False):
    """Names of the peers that are installed."""
    for name, (can_write, _) in PEERS.items():
        program = name.split(",")[0]
        if writable and not can_write:
            continue
        if not shutil.which(program):
            bench.skip(f"{program} is not installed")
            continue
        yield name


def peer(name, files, place):
    """A peer over a directory, which it shows at @place."""
    return Mount(PEERS[name][1](files, place), place)


def warm(path):
    """Reads a file, so that it is in the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def control(log, *commands):
    """Commands to a log's control file."""
    fd = os.open(log / "control", os.O_WRONLY)
    try:
        for command in commands:
            os.write(fd, command.encode() + b"\n")
    finally:
        os.close(fd)
