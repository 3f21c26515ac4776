# SPDX-License-Identifier: MIT
"""What the library is measured at, side by side with its peers."""

# (row, program, as): the fastest honest settings of each peer. The first of
# them is what the others are compared with.
NO_SYNC = (
    ("maplog, manual", "maplog", "manual"),
    ("mapping logger", "loggers", "mapping"),
    ("open-write-close logger", "loggers", "open-write-close"),
    ("LMDB, write map", "lmdb", "write-map"),
    ("LMDB, map async", "lmdb", "map-async"),
    ("LMDB, no sync", "lmdb", "no-sync"),
    ("SQLite WAL, off", "sqlite", "off"),
    ("RocksDB, WAL", "rocksdb", "wal"),
    ("RocksDB, no WAL", "rocksdb", "no-wal"),
    ("Redis stream, no AOF", "redis", "off"),
    ("plain file, write", "file", "write"),
    ("plain file, writev", "file", "writev"),
    ("plain file, fwrite", "file", "fwrite"),
    ("limit: memcpy, prefaulted", "map", "prefaulted"),
    ("limit: memcpy and CRC-32C", "map", "prefaulted-crc"),
)

DURABLE = (
    ("maplog, always", "maplog", "always"),
    ("LMDB, sync", "lmdb", "sync"),
    ("LMDB, no meta sync, loses the last commit", "lmdb", "no-meta-sync"),
    ("SQLite WAL, full", "sqlite", "full"),
    ("RocksDB, sync", "rocksdb", "sync"),
    ("Redis stream, AOF always", "redis", "always"),
    ("raw: pwrite, growing", "file", "pwrite-growing-sync"),
    ("raw: pwrite, allocated", "file", "pwrite-allocated-sync"),
    ("raw: and 24 bytes an entry", "file", "pwrite-records-sync"),
)

# Those that are worth a look at other sizes, too.
FEW = ("maplog, manual", "mapping logger", "LMDB, write map",
       "plain file, writev", "limit: memcpy, prefaulted",
       "limit: memcpy and CRC-32C")

MAPPING_MAX = 250 << 20


def _append_jobs(bench, peers, size, batch, count, **more):
    for row, program, way in peers:
        if not bench.has(f"append-{program}"):
            continue
        entries = count
        if way == "mapping":
            entries = min(entries, MAPPING_MAX // size)
        if program == "redis":
            entries = max(batch, entries // 10)
        yield row, f"{size}x{batch}", bench.job(
            f"append-{program}", as_=way, size=size, batch=batch, n=entries,
            **more)


def append(bench):
    """Without sync: entries of 51 bytes by all, of other sizes by some."""
    few = [peer for peer in NO_SYNC if peer[0] in FEW]
    jobs = list(_append_jobs(bench, NO_SYNC, 51, 10,
                             bench.some(1000000, 20000)))
    for batch in (1, 1000):
        jobs += _append_jobs(bench, few, 51, batch,
                             bench.some(1000000, 20000))
    for size, count in ((16, 1000000), (1024, 200000), (65536, 3200)):
        jobs += _append_jobs(bench, few, size, 10,
                             bench.some(count, count // 50))
    bench.alternate("append", jobs)


def durable(bench):
    """One sync a batch of 10; one sync every 1000 entries."""
    jobs = list(_append_jobs(bench, DURABLE, 51, 10,
                             bench.some(20000, 400), latency=1))
    jobs += _append_jobs(bench, DURABLE, 51, 1000,
                         bench.some(200000, 4000), latency=1)
    bench.alternate("durable", jobs)


def group(bench):
    """Threads that append single entries, each durable."""
    jobs = [("maplog, always", threads,
             bench.job("group", threads=threads, ms=bench.some(1000, 100)))
            for threads in (1, 2, 4, 8, 16, 32, 64)]
    bench.alternate("group", jobs)


def roll(bench):
    """The latency of appends while segments of 16 MiB roll, under manual."""
    jobs = [("maplog, manual", segment,
             bench.job("append-maplog", as_="manual", latency=1, batch=1,
                       size=51, segment=segment,
                       n=bench.some(2000000, 50000)))
            for segment in ("1M", "16M", "256M")]
    bench.alternate("roll", jobs)


def growth(bench):
    """Appends and reads as a log grows; readers; logs in one process."""
    sizes = bench.some((2000, 20000, 200000, 2000000, 20000000),
                       (2000, 20000))
    jobs = [("maplog, manual", f"{count} entries",
             bench.job("append-maplog", as_="manual", n=count))
            for count in sizes]
    jobs += [("maplog, manual", f"{count} logs",
              bench.job("logs", logs=count, n=bench.some(2000000, 20000),
                        segment="1M"))
             for count in bench.some((1, 10, 100, 1000), (1, 10))]
    for writer in (0, 1):
        jobs += [("maplog, manual",
                  f"{count} readers" + (" and a writer" if writer else ""),
                  bench.job("readers", threads=count, writer=writer,
                            ms=bench.some(300, 30),
                            n=bench.some(1000000, 20000)))
                 for count in bench.some((1, 2, 4, 16, 64), (1, 4))]
    bench.alternate("growth", jobs)
    # So much that once is enough: most of the time goes to the disk.
    bench.alternate("growth", [
        ("maplog, manual, 16 bytes", f"{count} entries",
         bench.job("append-maplog", as_="manual", size=16, n=count))
        for count in bench.some((1000000, 10000000, 100000000), (20000,))], 1)


def limits(bench):
    """What the machine takes for the steps that a log is made of."""
    bench.alternate("limits", [
        ("machine", "", bench.job("limits", rounds=bench.some(1000, 20)))])
