# SPDX-License-Identifier: MIT
"""What the programs that measure share: a mount of their own, and medians."""

import argparse
import contextlib
import os
import re
import socket
import statistics
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MAPLOG_BUILD", os.path.join(HERE, "..", "build"))
MAPLOGFS = os.environ.get("MAPLOGFS", os.path.join(BUILD, "fs", "maplogfs"))


@contextlib.contextmanager
def mount(work, options):
    """Mounts work/store, which may be there already, on work/mnt."""
    store, mnt = os.path.join(work, "store"), os.path.join(work, "mnt")
    os.makedirs(store, exist_ok=True)
    os.makedirs(mnt, exist_ok=True)
    # It returns when the mount can be used.
    subprocess.run([MAPLOGFS, store, mnt, "-o", options], check=True)
    try:
        yield mnt
    finally:
        if subprocess.run(["umount", mnt], check=False).returncode:
            subprocess.run(["umount", "-l", mnt], check=True)


@contextlib.contextmanager
def nginx(work, *arguments, root="mnt"):
    """The web server of http/nginx.conf, on a free port; yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(os.path.join(HERE, "http", "nginx.conf"),
              encoding="ascii") as file:
        settings = file.read()
    path = os.path.join(work, "nginx.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(settings.replace("8080", str(port))
                   .replace("root mnt;", f"root {root};"))
    with subprocess.Popen(["nginx", "-p", work, "-c", path, *arguments],
                          stderr=subprocess.DEVNULL) as server:
        try:
            _connect(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _connect(server, port):
    """Waits until it answers."""
    while server.poll() is None:
        with socket.socket() as client:
            if not client.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.01)
    raise RuntimeError(f"nginx ended with {server.returncode}")


def drop_cache(*folders):
    """So that files have to be read from the disk, unless they are mapped."""
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                fd = os.open(os.path.join(path, name), os.O_RDONLY)
                os.fdatasync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)


def alternate(rounds, *measures):
    """Lists of what each measure returned, run in turn, every other round
    the other way round."""
    results = [[] for _ in measures]
    for number in range(rounds):
        order = list(zip(measures, results))
        for measure, result in order[::-1] if number % 2 else order:
            result.append(measure())
    return results


def ratios(ours, theirs):
    """Median, least and most of the ratios of the rounds."""
    found = sorted(a / b for a, b in zip(ours, theirs))
    return (f"{statistics.median(found):.2f} "
            f"({found[0]:.2f} to {found[-1]:.2f})")


def line(what, found, base):
    """A line of a table: of each number of the rounds the median, and how it
    compares with the same number of the base."""
    cells = [what]
    for ours, theirs in zip(zip(*found), zip(*base)):
        cells += [f"{statistics.median(ours):.2f} s", ratios(ours, theirs)]
    return f"| {' | '.join(cells)} |"


def parser(here, rounds):
    """What all of them understand."""
    result = argparse.ArgumentParser()
    result.add_argument("--rounds", type=int, default=rounds)
    result.add_argument("--out", default=here, help="folder for images")
    result.add_argument("--record", action="store_true",
                        help="put the figures into README.md of that folder")
    return result


def report(args, lines):
    """Prints what was measured, and puts it where the document has room."""
    text = "\n".join(lines)
    print(text)
    if not args.record:
        return
    with open(os.path.join(args.out, "README.md"), "r+",
              encoding="utf-8") as file:
        done = re.sub(r"(<!-- measured -->\n).*?(<!-- end -->)",
                      lambda found: f"{found[1]}\n{text}\n\n{found[2]}",
                      file.read(), flags=re.DOTALL)
        file.seek(0)
        file.truncate()
        file.write(done)


def machine():
    """A line on what was measured on, and how busy that was."""
    load = os.getloadavg()[0]
    return (f"{time.strftime('%Y-%m-%d')}, Linux {os.uname().release}, "
            f"{os.cpu_count()} processors, load {load:.1f}")


def gnuplot(script, **values):
    """Draws; the values are variables of the script."""
    settings = "".join(f'{name} = "{value}"\n'
                       for name, value in values.items())
    subprocess.run(["gnuplot"], input=settings + script, text=True,
                   check=True)
