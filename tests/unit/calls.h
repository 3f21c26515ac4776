/* SPDX-License-Identifier: MIT */
/*
 * System calls of liblog, routed through the tests by the linker (--wrap): to
 * fail the n-th of a kind, to die before it, and to look at a store before
 * each call that changes it.
 */
#ifndef UNIT_CALLS_H
#define UNIT_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum call {
	CALL_OPEN,
	CALL_READ,
	CALL_WRITE,
	CALL_RESIZE,
	CALL_ALLOCATE,
	CALL_SYNC,     /* fdatasync(2) */
	CALL_SYNC_DIR, /* fsync(2) */
	CALL_UNLINK,
	CALL_RENAME, /* renameat(2) and renameat2(2) */
	CALL_MKDIR,
	CALL_MAP,
	CALL_ADVISE, /* madvise(2) */
	CALL_LOCK,   /* flock(2) */
	CALL_STAT,   /* fstat(2) */
	CALL_SEEK,   /* lseek(2) */
	CALL_RANDOM,
	CALL_NEW, /* malloc(3) and its like */
	CALL_THREAD,
	CALL_AWAIT, /* pthread_cond_wait(3): FAULT_WAIT only */
	CALL_YIELD, /* sched_yield(2): likewise */
	CALLS
};

/* Instead of an errno: */
#define FAULT_SHORT (-1) /* read or write one byte only */
#define FAULT_DIE   (-2) /* leave the process, as kill -9 would */
#define FAULT_WAIT                                                             \
	(-3) /* wait for fault_go_on(), in another process too;                \
	      * then fail as was set meanwhile */

/* The exit status of a process that died of FAULT_DIE. */
#define DIED 77

/** fault_set() - let calls fail
 * @after: how many are let through first
 * @times: how many fail then, negative for all
 * @error: with this errno, or one of the above
 */
void fault_set(enum call call, int after, int times, int error);

/** fault_clear() - let everything through again */
void fault_clear(void);

/** fault_die() - die before the n-th of all calls that change a store */
void fault_die(int n);

/** calls_exit() - leave the process, as kill -9 would */
void calls_exit(int status) __attribute__((noreturn));

/** fault_share() - let FAULT_WAIT work between processes; before they fork */
void fault_share(void);

/** fault_await() - until somebody waits */
void fault_await(void);

void fault_go_on(void);

/** calls_spare() - whether calls of this thread are the test's own from now on:
 * they do not fail and are not counted
 */
void calls_spare(bool spare);

/** calls_made() - how many calls of one kind since fault_clear() */
int calls_made(enum call call);

/** calls_changing() - how many calls that change a store, likewise */
int calls_changing(void);

/** calls_wrote() - whether all of a part of a file was written by pwrite(2),
 * past the page cache where that can be, since fault_clear()
 */
bool calls_wrote(ino_t ino, uint64_t from, uint64_t to);

/* Called around calls that change a store; not for calls that it makes itself.
 * Any thread of a log may be the one that calls. NULL for what is of no use. */
struct call_watch {
	void (*before)(void);
	/* What was done, if it worked: */
	void (*synced)(int fd); /* a file, or a directory */
	void (*made)(int fd, const char *name);
	void (*unlinked)(int dirfd, const char *name);
	void (*moved)(int dirfd, const char *from, const char *to);
};

void calls_watch(const struct call_watch *watch);

/** calls_look() - let the watch look now, as before such a call */
void calls_look(void);

/* The store is in memory: syncs, space that is set aside, and advice have no
 * effect that a test could see, and are left out. */
extern bool calls_in_memory;

/* What statfs(2) says a store is on, with room enough or without; 0: the
 * truth. */
extern long calls_file_system;
extern bool calls_disk_full;

/* The clock that entries are stamped with: moved by so many seconds, or at 0
 * for good. */
extern long calls_clock_offset;
extern bool calls_clock_stopped;

#endif
