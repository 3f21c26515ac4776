# SPDX-License-Identifier: MIT
"""What figures were measured on."""

import os
import platform
import re
import subprocess


def _first(path, pattern):
    with open(path, encoding="utf-8") as file:
        found = re.search(pattern, file.read(), re.M)
    return found[1].strip() if found else "unknown"


def _said(*command):
    done = subprocess.run(command, capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def _version(package):
    return _said("dpkg-query", "-W", "-f", "${Version}", package)


PEERS = ("liblmdb0", "libsqlite3-0", "librocksdb-dev", "redis-tools",
         "bindfs", "mergerfs", "squashfuse", "fuse-overlayfs")


def describe(room):
    """Lines of (what, value)."""
    memory = int(_first("/proc/meminfo", r"MemTotal: *(\d+)")) >> 20
    where = _said("findmnt", "-no", "FSTYPE,SOURCE,OPTIONS", "-T", str(room))
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    return [
        ("processor", f"{_first('/proc/cpuinfo', 'model name.*: (.*)')}, "
         f"{os.cpu_count()} processors"
         + (", virtual" if "hypervisor" in open("/proc/cpuinfo").read()
            else "")),
        ("memory", f"{memory} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("file system", " ".join(where.split())),
        ("system", _first("/etc/os-release", 'PRETTY_NAME="(.*)"')),
        ("compiler", _said("cc", "--version").splitlines()[0]),
        ("peers", ", ".join(f"{name} {_version(name)}" for name in PEERS)),
        ("load before", load),
        ("commit", _said("git", "-c", "safe.directory=*", "describe",
                         "--always", "--dirty")),
        ("time", _said("date", "-u", "+%F %R UTC")),
    ]
