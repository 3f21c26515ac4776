# SPDX-License-Identifier: MIT
"""What the mount is measured at, side by side with native files and peers."""

import contextlib
import itertools
import os
import shutil
import subprocess
import time

import mounts
from figures import Failure, run

FIRST = "00000000000000000000"


@contextlib.contextmanager
def _room(bench):
    folder = bench.folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _store(bench, room, **arguments):
    """A store with a log `log-0` in it, below @room."""
    store = room / "store"
    store.mkdir(exist_ok=True)
    run([bench.program("store"), f"dir={store}",
         *(f"{key}={value}" for key, value in arguments.items())])
    return store


def small_writes(bench):
    """One small write(2), each a request: what is left is the round trip."""
    count = bench.some(20000, 500)
    with _room(bench) as room, contextlib.ExitStack() as stack:
        store = _store(bench, room, segments=0)
        native = room / "native"
        native.mkdir()
        (native / "file").touch()
        files = {"native file": native / "file"}
        mount = stack.enter_context(
            mounts.emptyfs(bench, room / "empty"))
        files["limit: empty FUSE write"] = mount.place / "sink"
        mount = stack.enter_context(
            mounts.maplogfs(bench, store, room / "mnt"))
        files["maplogfs, append"] = mount.place / "log-0" / "append"
        for number, name in enumerate(mounts.peers(bench, writable=True)):
            (native / f"file{number}").touch()
            mount = stack.enter_context(
                mounts.peer(name, native, room / f"peer{number}"))
            files[name] = mount.place / f"file{number}"
        jobs = [(row, case, lambda file=file, more=more: run(
            [bench.program("write"), f"file={file}", f"count={count}", *more]))
                for case, more in (("any processor", []),
                                   ("one processor", ["cpu=0"]))
                for row, file in files.items()]
        bench.alternate("small write", jobs)


def _stream_job(bench, log, way, entry, count):
    """Empties the log first; afterwards its contents are compared."""
    def work():
        mounts.control(log, "truncate 0")
        shown = run([bench.program("stream"), f"as={way}", f"entry={entry}",
                     f"file={log / ('batch' if way == 'frames' else 'append')}",
                     f"n={count}"])
        run([bench.program("compare"), f"file={log}/ranges/0-", f"n={count}",
             f"size={entry}", f"lines={int(way == 'lines')}"])
        return shown
    return work


def streams(bench):
    """Writes of 1 MiB to `batch` and `append`, beside the library's own."""
    with _room(bench) as room:
        store = _store(bench, room, segments=0)
        with mounts.maplogfs(bench, store, room / "mnt") as mount:
            log = mount.place / "log-0"
            jobs = []
            for entry, full in ((51, 1000000), (1024, 200000)):
                count = bench.some(full, full // 50)
                batch = (1 << 20) // (entry + 16)
                jobs.append(("library", entry, bench.job(
                    "append-maplog", as_="manual", size=entry, batch=batch,
                    n=count)))
                jobs += [
                    ("maplogfs, batch", entry, _stream_job(
                        bench, log, "frames", entry, count)),
                    ("maplogfs, append", entry, _stream_job(
                        bench, log, "lines", entry, count))]
            bench.alternate("stream", jobs)


def _read_job(bench, path, how, order, size, count, **more):
    return lambda: run([
        bench.program("read"), f"file={path}", f"how={how}",
        f"order={order}", f"size={size}", f"count={count}",
        *(f"{key}={value}" for key, value in more.items())])


def _matrix(bench, rows, megabytes, drop):
    """Jobs: pread and mmap, in order and at random, of all sizes.

    @rows: {name: path}; @drop: the file whose pages leave the cache, or None.
    """
    whole = megabytes << 20
    for size, order, how in itertools.product(
            (100, 4096, 131072, 1048576), ("seq", "random"),
            ("pread", "mmap")):
        count = min(whole // size, bench.some(200000, 2000))
        more = {"drop": drop} if drop else {}
        if drop:
            count = min(count, bench.some(20000, 200))
        for row, path in rows.items():
            yield (row, f"{'dropped' if drop else 'warm'} {how} {order} "
                   f"{size}",
                   _read_job(bench, path, how, order, size, count, **more))


def sealed(bench):
    """Sealed segments, natively and through the mount."""
    megabytes = bench.some(256, 4)
    with _room(bench) as room:
        store = _store(bench, room, entries=(megabytes << 20) // 1024,
                       size=1024)
        native = store / "log-0" / f"{FIRST}.log"
        with mounts.maplogfs(bench, store, room / "mnt") as mount:
            shown = mount.place / "log-0" / "segments" / f"{FIRST}.log"
            rows = {"native": native, "maplogfs": shown}
            mounts.warm(native)
            bench.alternate("sealed", list(_matrix(bench, rows, megabytes,
                                                   None)))
            run([bench.program("compare"), f"file={shown}", "size=1024",
                 f"n={(megabytes << 20) // 1024}"])
            bench.alternate("sealed", list(_matrix(bench, rows, megabytes,
                                                   native)))


def active(bench):
    """Mappings of the active segment and of `head`."""
    count = bench.some(65536, 2048)
    with _room(bench) as room:
        store = _store(bench, room, segments=0)
        with mounts.maplogfs(bench, store, room / "mnt") as mount:
            log = mount.place / "log-0"
            run([bench.program("stream"), "as=frames", "entry=1024",
                 f"file={log}/batch", f"n={count}"])
            files = {"segment": (store / "log-0" / f"{FIRST}.log",
                                 log / "segments" / f"{FIRST}.log"),
                     "head": (store / "log-0" / "head", log / "head")}
            jobs = []
            for name, (native, shown) in files.items():
                size = 4096
                reads = bench.some(2000000, 2000) if name == "head" else \
                    count * 1024 // size
                for row, path in (("native", native), ("maplogfs", shown)):
                    for order in ("seq", "random"):
                        jobs.append((row, f"mmap {name} {order}", _read_job(
                            bench, path, "mmap", order, size, reads,
                            live=int(name == "head"))))
            bench.alternate("active", jobs)


def ranges(bench):
    """Cached files: `ranges/` beside what peers show of the same bytes.

    Mounted anew for each round: the first read finds nothing in the cache of
    the mount, and all of it in that of the file below.
    """
    megabytes = bench.some(256, 4)
    count = (megabytes << 20) // 1024
    with _room(bench) as room:
        store = _store(bench, room, entries=count // 2, segments=2, size=1024)
        files = room / "files"
        files.mkdir()
        with open(files / "all", "wb") as whole:
            for segment in sorted((store / "log-0").glob("*.log"))[:2]:
                with open(segment, "rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)

        def look(mount, path, how):
            def work():
                for part in (*store.glob("log-0/*.log"), files / "all"):
                    mounts.warm(part)
                with mount():
                    shown = run([bench.program("read"), f"file={path}",
                                 f"how={how}"])
                    run([bench.program("compare"), f"file={path}",
                         "size=1024", f"n={count}"])
                    return shown
            return work

        jobs = []
        for how in ("pread", "mmap"):
            jobs.append(("native", how, look(
                contextlib.nullcontext, files / "all", how)))
            jobs.append(("maplogfs, ranges/", how, look(
                lambda: mounts.maplogfs(bench, store, room / "mnt"),
                room / "mnt" / "log-0" / "ranges" / f"0-{count - 1}", how)))
            for name in mounts.peers(bench):
                jobs.append((name, how, look(
                    lambda name=name: mounts.peer(name, files, room / "peer"),
                    room / "peer" / "all", how)))
        bench.alternate("ranges", jobs)


def _entry_files(bench, store, count, files):
    """The entries of a log, each a file of its own."""
    files.mkdir()
    with open(store / "log-0" / f"{FIRST}.log", "rb") as segment:
        for index in range(count):
            (files / str(index)).write_bytes(segment.read(51))
    mounts.warm(store / "log-0" / f"{FIRST}.log")


def _open_job(bench, mount, path, **arguments):
    """On a new mount: the first visit of a name is one."""
    def work():
        with mount():
            return run([bench.program("open"), f"dir={path}",
                        *(f"{key}={value}" for key, value in
                          arguments.items())])
    return work


def entries(bench):
    """open, read, close of `entries/N` beside small files of the peers."""
    count = 1000
    with _room(bench) as room:
        store = _store(bench, room, entries=count)
        files = room / "files"
        _entry_files(bench, store, count, files)
        jobs = [("native", count, _open_job(
                    bench, contextlib.nullcontext, files, n=count)),
                ("maplogfs, entries/", count, _open_job(
                    bench, lambda: mounts.maplogfs(bench, store,
                                                   room / "mnt"),
                    room / "mnt" / "log-0" / "entries", n=count))]
        for name in mounts.peers(bench):
            jobs.append((name, count, _open_job(
                bench, lambda name=name: mounts.peer(name, files,
                                                     room / "peer"),
                room / "peer", n=count)))
        bench.alternate("entries", jobs)


def _together(bench, path, count, clients):
    """So many programs at once that open, read and close files."""
    def work():
        begin = time.monotonic()
        # pylint: disable-next=consider-using-with
        running = [subprocess.Popen(
            [bench.program("open"), f"dir={path}", f"n={count}"],
            stdout=subprocess.DEVNULL) for _ in range(clients)]
        if any([program.wait() for program in running]):
            raise Failure("a client has failed")
        # Each of them visits all of the files twice.
        done = 2 * count * clients
        return {"files read": ("k/s",
                               done / (time.monotonic() - begin) / 1000)}
    return work


def clients(bench):
    """Many clients of one mount: `entries/N` beside files of the same."""
    count = bench.some(1000, 100)
    with _room(bench) as room:
        store = _store(bench, room, entries=count)
        files = room / "files"
        _entry_files(bench, store, count, files)
        with mounts.maplogfs(bench, store, room / "mnt") as mount:
            bench.alternate("clients", [
                (row, f"{number} clients", _together(bench, path, count,
                                                     number))
                for number in bench.some((1, 2, 4, 16, 64), (1, 4))
                for row, path in (
                    ("native", files), ("maplogfs, entries/",
                                        mount.place / "log-0" / "entries"))])


def publish(bench):
    """From before the append to the entry in the hands of a reader."""
    count = bench.some(20000, 300)
    numbers = itertools.count()
    with _room(bench) as room:
        store = _store(bench, room, segments=0)
        with mounts.maplogfs(bench, store, room / "mnt") as mount:
            jobs = [(f"by {via}", wait, lambda via=via, wait=wait: run(
                [bench.program("publish"), f"store={store}",
                 f"mount={mount.place}", f"log=p{next(numbers)}",
                 f"via={via}", f"wait={wait}", f"count={count}"]))
                    for via in ("library", "mount")
                    for wait in ("spin", "futex", "poll")]
            bench.alternate("publish", jobs)


def _start(bench, store, place, log):
    begin = time.monotonic()
    with mounts.maplogfs(bench, store, place) as mount:
        os.stat(place / log / "head")
        with open(place / log / "entries" / "0", "rb") as file:
            file.read()
        spent = time.monotonic() - begin
        return {"first entry read": ("ms", spent * 1000),
                "anonymous memory": ("MiB", mount.memory())}


def start(bench):
    """Mounting: many segments, many entries, many logs; entries/ then."""
    segments, each = bench.some((10000, 10000), (20, 100))
    logs = bench.some(1000, 20)
    with _room(bench) as room:
        deep = _store(bench, room, segments=segments, entries=each, size=16)
        (room / "wide").mkdir()
        wide = _store(bench, room / "wide", logs=logs, entries=10)
        jobs = [("maplogfs", f"{segments} segments of {each} entries",
                 lambda: _start(bench, deep, room / "mnt", "log-0")),
                ("maplogfs", f"{logs} logs",
                 lambda: _start(bench, wide, room / "mnt", "log-0"))]
        bench.alternate("start", jobs)
        bench.alternate("entries", [
            ("maplogfs, entries/", segments * each, _open_job(
                bench, lambda: mounts.maplogfs(bench, deep, room / "mnt"),
                room / "mnt" / "log-0" / "entries", n=segments * each,
                size=16, count=1000))])
