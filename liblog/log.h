/* SPDX-License-Identifier: MIT */
/*
 * libmaplog: append-only logs in memory-mapped segment files.
 *
 * Conventions. Functions return 0 or a negative errno, give results through
 * their last parameters, and leave those and the log alone when they fail.
 * Indexes number entries; offsets and sizes are in bytes; times are in
 * nanoseconds since 1970-01-01 UTC. The library never prints.
 *
 * Threads. Any number of threads may call any function on one log at the same
 * time, except maplog_close(), which must be the last call. Reading takes no
 * lock and is never held up by writing. One process at a time has a log open
 * for writing; any number of others may have it open for reading meanwhile.
 *
 * Visible and durable. An entry is visible once readers may see it (its index
 * is below `next`), and durable once it survives a power cut (below `durable`).
 * Under the policy `always` an entry is durable before it is visible. Under
 * `interval` and `manual` it is visible at once and durable after the next
 * sync. Without a power cut nothing is lost under any policy, not even by
 * kill -9: the page cache outlives the process.
 *
 * Errors. What these mean where no more is said of them: -EROFS, the log is
 * not open for writing, or a sync has failed and it is read-only from then on;
 * -ENODATA, the index is past the end of the log; -ENOENT, what is named is
 * not there; -ENOTDIR, a name on the way to the log is not a directory's;
 * -ENOSPC, the disk is full: it works again when space is back; -ENOMEM, there
 * is no memory; -ETIMEDOUT, the time was up.
 */
#ifndef MAPLOG_LOG_H
#define MAPLOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"

#ifdef __cplusplus
extern "C" {
#endif

struct maplog;
struct maplog_snapshot;
struct maplog_window;

/* ---- Options ---------------------------------------------------------- */

enum maplog_sync {
	MAPLOG_SYNC_ALWAYS,   /* an append returns when it is durable */
	MAPLOG_SYNC_INTERVAL, /* durable `interval` later */
	MAPLOG_SYNC_MANUAL,   /* durable after maplog_sync() */
};

/**
 * struct maplog_options - what a log keeps in its log.ini
 *
 * As text the keys are segment-size, max-entry, sync (always, manual or
 * interval=TIME), retain-bytes, retain-age, retain-unread (keep or drop) and
 * map-limit. Sizes take K, M, G and T (powers of 1024), times ms, s, m, h, d.
 */
struct maplog_options {
	uint64_t segment_size; /* payload bytes, 1 MiB to 4 GiB - 64 KiB */
	uint64_t max_entry;    /* bytes, below 4 GiB */
	enum maplog_sync sync;
	uint64_t interval;     /* nanoseconds, with MAPLOG_SYNC_INTERVAL */
	uint64_t retain_bytes; /* 0: keep all */
	uint64_t retain_age;   /* nanoseconds, 0: keep all */
	bool drop_unread;      /* also what a named reader has not read */
	uint64_t map_limit;    /* bytes mapped for reading at most */
};

/** maplog_options_init() - set every option to its default */
void maplog_options_init(struct maplog_options *options);

/**
 * maplog_options_set() - set one option from text
 *
 * Return: 0; -ENOKEY if there is no such key; -EINVAL if the value cannot be
 * read; -ERANGE if it is outside the limits of the option.
 */
int maplog_options_set(struct maplog_options *options, const char *key,
		       const char *value);

/**
 * maplog_options_get() - write one option as text
 * @text: out: at least 32 bytes, ends with a zero byte
 *
 * Return: 0; -ENOKEY if there is no such key; -ENOSPC if @size is too small.
 */
int maplog_options_get(const struct maplog_options *options, const char *key,
		       char *text, size_t size);

/**
 * maplog_options_key() - the n-th key, for listing them all
 *
 * Return: the key, which lives forever, or NULL when @n is past the last.
 */
const char *maplog_options_key(size_t n);

/* ---- Opening ---------------------------------------------------------- */

enum maplog_mode {
	MAPLOG_READ,  /* take no lock, change no file */
	MAPLOG_WRITE, /* be the writer: recover what a crash left behind */
};

/**
 * maplog_create() - make an empty log
 * @dirfd:   directory that @name is relative to, or AT_FDCWD
 * @name:    directory to make; its last component is not followed
 * @mode:    mode of that directory, before the umask; files take its rw bits
 * @options: kept in log.ini; NULL for the defaults
 *
 * The log is durable when this returns. A name that cannot be finished is
 * removed again.
 *
 * Return: 0; -EEXIST if the name is taken; else an -errno of the system.
 */
int maplog_create(int dirfd, const char *name, mode_t mode,
		  const struct maplog_options *options);

/**
 * maplog_remove() - remove a log that holds no entry
 *
 * Also what a crash has left of a log that was being made or removed.
 *
 * Return: 0; -ENOTEMPTY if it holds entries or files that are not a log's;
 * else as maplog_open() for writing.
 */
int maplog_remove(int dirfd, const char *name);

/**
 * maplog_delete() - likewise, a log that is open for writing
 *
 * Afterwards the handle can be read from and closed, which returns -ESTALE.
 *
 * Return: 0; -ENOTEMPTY if it holds entries or files that are not a log's;
 * -ENOENT if it has another name by now; -EROFS; else an -errno of removing
 * files.
 */
int maplog_delete(struct maplog *log, int dirfd, const char *name);

/**
 * maplog_open() - open a log
 * @dirfd: directory that @name is relative to, or AT_FDCWD
 * @name:  directory of the log; its last component is not followed
 * @mode:  for reading or for writing
 * @log:   out: to be given to maplog_close()
 *
 * Opening for writing recovers: it scans what was appended since the last
 * durable mark, cuts a torn tail off into a .torn file, finishes a pending
 * truncation, and makes durable what it found before it shows it.
 *
 * Opening for reading follows a writer in another process live. If there is
 * none and the last one crashed, the tail is scanned in memory and shown as
 * recovery would leave it; nothing is changed.
 *
 * Return: 0; -EBUSY if another writer has it (see maplog_holder()); -EUCLEAN
 * if its files are damaged beyond what recovery may decide, -ENOTSUP if they
 * are of another version; -EIO if the tail cannot be read; else an -errno of
 * the system, -ENOENT and -ENOTDIR among them where there is no log.
 */
int maplog_open(int dirfd, const char *name, enum maplog_mode mode,
		struct maplog **log);

/**
 * maplog_promote() - become the writer of a log that is open for reading
 *
 * Return: as maplog_open(); 0 at once if this already is the writer.
 */
int maplog_promote(struct maplog *log);

/**
 * maplog_close() - make everything durable, and close
 *
 * Views and snapshots must have been given back. NULL is allowed.
 *
 * Return: 0, or the -errno of the last sync; the log is closed either way.
 */
int maplog_close(struct maplog *log);

/**
 * maplog_holder() - the process that has a log open for writing
 * @pid: out: as it wrote it down itself, in its own pid namespace
 *
 * Return: 0; -ESRCH if there is none; else an -errno of opening the log.
 */
int maplog_holder(int dirfd, const char *name, pid_t *pid);

/* ---- Appending (log open for writing, else -EROFS) --------------------- */

/* One entry to append. @data is only read, and only during the call. */
struct maplog_entry {
	const void *data;
	size_t bytes;
	uint64_t tag; /* the application's own: a Raft term, a type, a hash */
};

/**
 * maplog_append() - append a batch of entries
 * @entries: the batch
 * @n:       how many, 0 is allowed
 * @first:   out: index of the first of them; may be NULL
 *
 * All of the batch becomes visible, or none; after a crash all of it is there,
 * or none. A batch lies in one segment. Calls from several threads are put in
 * one order, and under `always` share their syncs.
 *
 * Return: 0; -EMSGSIZE if an entry is larger than max-entry or a segment;
 * -E2BIG if the batch is larger than a segment; -ENOSPC if the disk is full:
 * appending works again when space is back; -EIO if a sync failed: the log is
 * read-only from then on; -EROFS.
 */
int maplog_append(struct maplog *log, const struct maplog_entry *entries,
		  size_t n, uint64_t *first);

/**
 * maplog_append_at() - append a batch, if its first index would be @index
 *
 * Return: as maplog_append(); -ESTALE if the next index is another one.
 */
int maplog_append_at(struct maplog *log, uint64_t index,
		     const struct maplog_entry *entries, size_t n);

/**
 * maplog_overwrite() - replace everything from @index on by a batch
 *
 * One step: after a crash either all old entries are there and no new one, or
 * all new ones and no old one from @index on. Durable when it returns, under
 * every policy. The generation goes up.
 *
 * Return: as maplog_append(); -ENODATA if @index is past the end, -ENOENT if
 * it was trimmed.
 */
int maplog_overwrite(struct maplog *log, uint64_t index,
		     const struct maplog_entry *entries, size_t n);

/**
 * maplog_truncate() - drop all entries >= @index
 *
 * Atomic and durable when it returns, under every policy. The generation goes
 * up, unless there was nothing to drop. What others have mapped stays as it
 * is: the segment ends here and the log goes on in a new file.
 *
 * Return: 0; -ENODATA if @index is past the end; -ENOENT if it was trimmed;
 * -EROFS; else an -errno of the system.
 */
int maplog_truncate(struct maplog *log, uint64_t index);

/**
 * maplog_trim() - drop all entries < @index
 *
 * Durable when it returns. The space of segments that are wholly below @index
 * comes back; mappings of them stay valid. An @index that was trimmed already
 * is no error.
 *
 * Return: 0; -ENODATA if @index is past the end; -EROFS; else an -errno.
 */
int maplog_trim(struct maplog *log, uint64_t index);

/**
 * maplog_sync() - make all entries durable that are visible now
 * @durable: out: the log is durable up to here; may be NULL
 *
 * Return: 0; -EIO if the device failed, or another -errno of fdatasync(2): the
 * log is read-only from then on; -EROFS.
 */
int maplog_sync(struct maplog *log, uint64_t *durable);

/**
 * maplog_seal() - end the active segment and begin a new one
 * @base: out: first index of the segment that is now active; may be NULL
 *
 * An empty active segment stays as it is. Everything before @base is durable
 * when this returns.
 *
 * Return: 0; -ENOSPC; -EROFS; else an -errno of the system.
 */
int maplog_seal(struct maplog *log, uint64_t *base);

/**
 * maplog_set() - change an option for good
 *
 * segment-size takes effect with the next segment, the others at once.
 *
 * Return: as maplog_options_set(); -EROFS; else an -errno of the system.
 */
int maplog_set(struct maplog *log, const char *key, const char *value);

/** maplog_options() - a copy of the log's options */
void maplog_options(struct maplog *log, struct maplog_options *options);

/* ---- Reading ----------------------------------------------------------- */

/**
 * struct maplog_view - entries in place, without copying
 *
 * They lie end to end in the store's own mapping; a small entry that is looked
 * at alone, where nobody has looked often, is a copy. Pointers stay valid, and
 * what they point to stays the same, until maplog_view_release(): across
 * truncation and trim too.
 */
struct maplog_view {
	const void *data; /* the first entry's bytes */
	size_t bytes;	  /* of all entries together */
	uint64_t index;	  /* of the first entry */
	uint32_t count;	  /* entries */
	uint32_t offset;  /* of the first entry in its .log file */
	const struct maplog_record *records; /* one an entry */
	struct maplog_window *window[2];
};

/* One entry, taken from a view or copied. */
struct maplog_info {
	uint64_t index;
	uint64_t time;
	uint64_t tag;
	uint64_t bytes;
};

/**
 * maplog_view() - look at entries in place
 * @index: the first entry wanted
 * @max:   how many at most, at least 1
 * @view:  out: at least one entry, perhaps fewer than @max: a view ends with
 *         its segment or mapping at the latest
 *
 * Checksums are not looked at: see maplog_view_check(). Takes no lock where
 * the bytes are already mapped.
 *
 * Return: 0; -ENODATA if @index is past the end; -ENOENT if it was trimmed;
 * -EUCLEAN if records or files do not fit together; -ENOBUFS if map-limit is
 * reached by views that are in use; else an -errno of open(2) or mmap(2).
 */
int maplog_view(struct maplog *log, uint64_t index, uint32_t max,
		struct maplog_view *view);

/** maplog_view_release() - give a view back, once */
void maplog_view_release(struct maplog_view *view);

/**
 * maplog_view_check() - compare entries of a view with their checksums
 * @good: out: how many entries from the first on are good; may be NULL. Set
 *        also when this fails: then that is the place of the first bad one
 *
 * Return: 0; -EBADMSG if an entry is damaged; -EIO if it cannot be read.
 */
int maplog_view_check(struct maplog *log, const struct maplog_view *view,
		      uint32_t *good);

/**
 * maplog_view_entry() - the n-th entry of a view
 * @n:     counted from 0, below view->count
 * @data:  out: its bytes, valid as long as the view
 * @info:  out: its index, time, tag and size
 *
 * Return: 0; -EUCLEAN if its record was changed into nonsense meanwhile.
 */
int maplog_view_entry(const struct maplog_view *view, uint32_t n,
		      const void **data, struct maplog_info *info);

/**
 * maplog_read() - copy one entry, checked
 * @buffer: out: the first @size bytes of it, or all
 * @info:   out: what it is, with its whole size; may be NULL
 *
 * Return: as maplog_view() and maplog_view_check().
 */
int maplog_read(struct maplog *log, uint64_t index, void *buffer, size_t size,
		struct maplog_info *info);

/**
 * maplog_wait() - sleep until there is something new
 * @next:       what the caller has seen: wait while the log has no more
 * @generation: likewise: a truncation ends the wait
 * @timeout:    milliseconds, negative for ever
 *
 * Return: 0; -ETIMEDOUT; -EINTR if a signal came in.
 */
int maplog_wait(struct maplog *log, uint64_t next, uint64_t generation,
		int timeout);

/**
 * maplog_snapshot_take() - keep a range of entries readable
 * @first: the first entry
 * @next:  one past the last
 * @snapshot: out: to be given to maplog_snapshot_release()
 *
 * Costs no mapping and no descriptor until this process, as the writer,
 * truncates or trims entries of the range: then their files stay open.
 *
 * Return: 0; -ENODATA and -ENOENT if the log does not hold all of the range;
 * -ENOMEM.
 */
int maplog_snapshot_take(struct maplog *log, uint64_t first, uint64_t next,
			 struct maplog_snapshot **snapshot);

/**
 * maplog_snapshot_view() - as maplog_view(), inside of a snapshot
 *
 * Return: as maplog_view(); -ENODATA and -ENOENT if the entry is outside of the
 * range; -ESTALE if another process truncated or trimmed the entry.
 */
int maplog_snapshot_view(struct maplog_snapshot *snapshot, uint64_t index,
			 uint32_t max, struct maplog_view *view);

/** maplog_snapshot_release() - give a snapshot back; NULL is allowed */
void maplog_snapshot_release(struct maplog_snapshot *snapshot);

#ifdef __cplusplus
}
#endif

#include "metrics.h"
#include "repair.h"
#include "status.h"

#endif
