/* SPDX-License-Identifier: MIT */
/* System calls of liblog, routed through the tests by the linker (--wrap). */
#include "calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "written.h"

#define REAL(ret, name, ...)                                                   \
	ret __real_##name(__VA_ARGS__);                                        \
	ret __wrap_##name(__VA_ARGS__);                                        \
	ret __wrap_##name(__VA_ARGS__)

/*
 * Threads of a log make calls while a test sets and clears faults. A fault is
 * one word, so that none of them sees half of it, and nothing here orders
 * what the threads do: a race in liblog must not be hidden by the tests.
 */
union fault {
	struct {
		int32_t after;
		int16_t times;
		int16_t error;
	};
	uint64_t word;
};

static_assert(sizeof(union fault) == sizeof(uint64_t), "one word");

#define load(what)	   __atomic_load_n(&(what), __ATOMIC_RELAXED)
#define store(what, value) __atomic_store_n(&(what), (value), __ATOMIC_RELAXED)
#define add_one(what)	   __atomic_fetch_add(&(what), 1, __ATOMIC_RELAXED)

static uint64_t faults[CALLS];
static int made[CALLS];
static int changing;
static int die_at = -1;
static const struct call_watch *watch;
static _Thread_local bool inside;

long calls_clock_offset;
bool calls_clock_stopped;
long calls_file_system;
bool calls_disk_full;
bool calls_in_memory;

void fault_set(enum call call, int after, int times, int error)
{
	const union fault fault = {
		.after = after,
		.times = (int16_t)times,
		.error = (int16_t)error,
	};

	store(faults[call], fault.word);
}

void fault_clear(void)
{
	for (int i = 0; i < CALLS; i++) {
		store(faults[i], 0);
		store(made[i], 0);
	}
	store(changing, 0);
	store(die_at, -1);
	written_forget();
}

void fault_die(int n)
{
	fault_clear();
	store(die_at, n);
}

/* What was run is written down where coverage is measured. */
void __gcov_dump(void) __attribute__((weak));

void calls_exit(int status)
{
	inside = true;
	if (__gcov_dump)
		__gcov_dump();
	_exit(status);
}

void calls_spare(bool spare)
{
	inside = spare;
}

int calls_made(enum call call)
{
	return load(made[call]);
}

int calls_changing(void)
{
	return load(changing);
}

void calls_watch(const struct call_watch *new)
{
	__atomic_store_n(&watch, new, __ATOMIC_RELEASE);
}

/* What is shared with other processes. */
static struct {
	int waiting;
	int go_on;
} * shared;

void fault_share(void)
{
	void *__real_mmap64(void *, size_t, int, int, int, off_t);

	shared = __real_mmap64(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void wait_for(const int *what)
{
	while (!__atomic_load_n(what, __ATOMIC_ACQUIRE))
		usleep(1000);
}

void fault_await(void)
{
	wait_for(&shared->waiting);
}

void fault_go_on(void)
{
	__atomic_store_n(&shared->go_on, 1, __ATOMIC_RELEASE);
}

static void stand_still(void)
{
	__atomic_store_n(&shared->waiting, 1, __ATOMIC_RELEASE);
	wait_for(&shared->go_on);
}

static int count_down(uint64_t *word)
{
	union fault old = { .word = load(*word) };
	union fault new;

	do {
		new = old;
		if (!old.times)
			return 0;
		if (old.after > 0)
			new.after--;
		else if (old.times > 0)
			new.times--;
	} while (!__atomic_compare_exchange_n(word, &old.word, new.word, false,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return old.after > 0 ? 0 : old.error;
}

/* Returns the errno to fail with, or FAULT_SHORT, or 0. */
static int begin(enum call call)
{
	int error;

	if (inside)
		return 0;
	add_one(made[call]);
	error = count_down(&faults[call]);
	if (error == FAULT_DIE)
		calls_exit(DIED);
	if (error == FAULT_WAIT) {
		stand_still();
		/* What was set meanwhile. */
		error = count_down(&faults[call]);
	}
	if (error > 0)
		errno = error;
	return error;
}

/* Whom to tell of a call, who is to make calls of its own in peace. */
static const struct call_watch *begin_watch(void)
{
	const struct call_watch *now =
		__atomic_load_n(&watch, __ATOMIC_ACQUIRE);

	if (!now || inside)
		return NULL;
	inside = true;
	return now;
}

#define TELL(what, ...)                                                        \
	do {                                                                   \
		const struct call_watch *told = begin_watch();                 \
                                                                               \
		if (told) {                                                    \
			if (told->what)                                        \
				told->what(__VA_ARGS__);                       \
			inside = false;                                        \
		}                                                              \
	} while (0)

void calls_look(void)
{
	const struct call_watch *told = begin_watch();

	if (!told)
		return;
	if (told->before)
		told->before();
	inside = false;
}

/* Likewise, for a call that changes a store. */
static int begin_change_of(enum call call, bool look)
{
	int error = begin(call);

	if (inside)
		return 0;
	if (add_one(changing) == load(die_at))
		calls_exit(DIED);
	if (look)
		calls_look();
	if (error > 0)
		errno = error;
	return error;
}

static int begin_change(enum call call)
{
	return begin_change_of(call, true);
}

REAL(int, openat64, int dirfd, const char *name, int flags, ...)
{
	bool creates = flags & O_CREAT;
	bool makes;
	mode_t mode = 0;
	va_list list;
	int fd;

	if (creates) {
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	if (creates ? begin_change(CALL_OPEN) : begin(CALL_OPEN))
		return -1;
	makes = creates && !inside &&
		faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW);
	fd = __real_openat64(dirfd, name, flags, mode);
	if (fd >= 0 && makes)
		TELL(made, fd, name);
	return fd;
}

REAL(ssize_t, pread64, int fd, void *buffer, size_t bytes, off_t offset)
{
	int error = begin(CALL_READ);

	if (error > 0)
		return -1;
	return __real_pread64(fd, buffer, error && bytes ? 1 : bytes, offset);
}

REAL(ssize_t, pwrite64, int fd, const void *buffer, size_t bytes, off_t offset)
{
	bool look = inside || !written_goes_on(fd, (uint64_t)offset, bytes);
	int error = begin_change_of(CALL_WRITE, look);

	if (error > 0)
		return -1;
	if (calls_in_memory && !inside && !error)
		return written_sparsely(fd, buffer, bytes, offset);
	if (!inside)
		written_remember(fd, (uint64_t)offset, bytes);
	return __real_pwrite64(fd, buffer, error && bytes ? 1 : bytes, offset);
}

REAL(int, ftruncate64, int fd, off_t size)
{
	return begin_change(CALL_RESIZE) ? -1 : __real_ftruncate64(fd, size);
}

REAL(int, fstat64, int fd, struct stat *st)
{
	return begin(CALL_STAT) ? -1 : __real_fstat64(fd, st);
}

REAL(off_t, lseek64, int fd, off_t offset, int whence)
{
	return begin(CALL_SEEK) ? -1 : __real_lseek64(fd, offset, whence);
}

/* Space is not what such a test is about: a hole reads the same. */
static int only_grow(int fd, off_t size)
{
	struct stat st;

	if (__real_fstat64(fd, &st))
		return -1;
	return size > st.st_size ? __real_ftruncate64(fd, size) : 0;
}

REAL(int, fallocate64, int fd, int mode, off_t offset, off_t bytes)
{
	if (begin_change(CALL_ALLOCATE))
		return -1;
	if (calls_in_memory && !mode)
		return only_grow(fd, offset + bytes);
	return __real_fallocate64(fd, mode, offset, bytes);
}

REAL(int, fdatasync, int fd)
{
	int ret;

	if (begin_change(CALL_SYNC))
		return -1;
	ret = calls_in_memory ? 0 : __real_fdatasync(fd);
	if (!ret)
		TELL(synced, fd);
	return ret;
}

REAL(int, fsync, int fd)
{
	int ret;

	if (begin_change(CALL_SYNC_DIR))
		return -1;
	ret = calls_in_memory ? 0 : __real_fsync(fd);
	if (!ret)
		TELL(synced, fd);
	return ret;
}

REAL(int, unlinkat, int dirfd, const char *name, int flags)
{
	int ret;

	if (begin_change(CALL_UNLINK))
		return -1;
	ret = __real_unlinkat(dirfd, name, flags);
	if (!ret)
		TELL(unlinked, dirfd, name);
	return ret;
}

REAL(int, renameat, int dirfd, const char *name, int to, const char *new)
{
	int ret;

	if (begin_change(CALL_RENAME))
		return -1;
	ret = __real_renameat(dirfd, name, to, new);
	if (!ret)
		TELL(moved, dirfd, name, new);
	return ret;
}

REAL(int, renameat2, int dirfd, const char *name, int to, const char *new,
     unsigned flags)
{
	int ret;

	if (begin_change(CALL_RENAME))
		return -1;
	ret = __real_renameat2(dirfd, name, to, new, flags);
	if (!ret)
		TELL(moved, dirfd, name, new);
	return ret;
}

REAL(int, mkdirat, int dirfd, const char *name, mode_t mode)
{
	if (begin_change(CALL_MKDIR))
		return -1;
	return __real_mkdirat(dirfd, name, mode);
}

REAL(void *, mmap64, void *at, size_t bytes, int protection, int flags, int fd,
     off_t offset)
{
	if (begin(CALL_MAP))
		return MAP_FAILED;
	return __real_mmap64(at, bytes, protection, flags, fd, offset);
}

REAL(int, madvise, void *at, size_t bytes, int advice)
{
	if (begin(CALL_ADVISE))
		return -1;
	return calls_in_memory ? 0 : __real_madvise(at, bytes, advice);
}

REAL(int, fstatfs64, int fd, struct statfs *fs)
{
	int ret = __real_fstatfs64(fd, fs);

	if (calls_file_system) {
		fs->f_type = calls_file_system;
		fs->f_bsize = 4096;
		fs->f_bavail = calls_disk_full ? 0 : 1 << 20;
	}
	return ret;
}

REAL(int, flock, int fd, int operation)
{
	return begin(CALL_LOCK) ? -1 : __real_flock(fd, operation);
}

REAL(ssize_t, getrandom, void *buffer, size_t bytes, unsigned flags)
{
	if (begin(CALL_RANDOM))
		return -1;
	return __real_getrandom(buffer, bytes, flags);
}

REAL(void *, malloc, size_t bytes)
{
	return begin(CALL_NEW) ? NULL : __real_malloc(bytes);
}

REAL(void *, calloc, size_t n, size_t bytes)
{
	return begin(CALL_NEW) ? NULL : __real_calloc(n, bytes);
}

REAL(void *, reallocarray, void *old, size_t n, size_t bytes)
{
	return begin(CALL_NEW) ? NULL : __real_reallocarray(old, n, bytes);
}

REAL(int, pthread_create, pthread_t *thread, const pthread_attr_t *attr,
     void *(*run)(void *), void *arg)
{
	if (begin(CALL_THREAD))
		return EAGAIN;
	return __real_pthread_create(thread, attr, run, arg);
}

REAL(int, pthread_condattr_init, pthread_condattr_t *attr)
{
	return begin(CALL_NEW) ? ENOMEM : __real_pthread_condattr_init(attr);
}

REAL(int, sched_yield, void)
{
	(void)begin(CALL_YIELD);
	return __real_sched_yield();
}

/* It may wake up for nothing. */
REAL(int, pthread_cond_wait, pthread_cond_t *cond, pthread_mutex_t *lock)
{
	if (count_down(&faults[CALL_AWAIT]) != FAULT_WAIT)
		return __real_pthread_cond_wait(cond, lock);
	pthread_mutex_unlock(lock);
	stand_still();
	return pthread_mutex_lock(lock);
}

REAL(int, clock_gettime, clockid_t clock, struct timespec *ts)
{
	int ret = __real_clock_gettime(clock, ts);

	if (clock == CLOCK_REALTIME)
		ts->tv_sec += calls_clock_offset;
	if (clock == CLOCK_REALTIME && calls_clock_stopped)
		*ts = (struct timespec){ 0 };
	return ret;
}
