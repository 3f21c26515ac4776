/* SPDX-License-Identifier: MIT */
/* Opening and closing a log, for reading and for writing. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "append.h"
#include "crc.h"
#include "dir.h"
#include "follow.h"
#include "io.h"
#include "lock.h"
#include "meter.h"
#include "options.h"
#include "private.h"
#include "publish.h"
#include "recover.h"
#include "roll.h"
#include "salvage.h"
#include "snapshot.h"
#include "survey.h"
#include "suspect.h"
#include "sync.h"
#include "view.h"

/* How long a reader waits for a writer that recovers the log. */
#define RECOVERY_PAUSE	1000000
#define RECOVERY_PAUSES 5000

static_assert(RECOVERY_PAUSE < 1000000000, "nanoseconds of a timespec");

static struct maplog *new_log(void)
{
	struct maplog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->dirfd = -1;
	log->last_append = &log->first_append;
	meter_init(&log->metrics);
	pthread_mutex_init(&log->segments, NULL);
	pthread_mutex_init(&log->write, NULL);
	pthread_cond_init(&log->written, NULL);
	if (!keeper_init(&log->keeper))
		return log;
	free(log);
	return NULL;
}

static void free_log(struct maplog *log)
{
	assert(!log->first_append && !log->sealing && !log->active);

	if (log->head.page)
		head_close(&log->head);
	/* With this the lock goes, too. */
	if (log->dirfd >= 0)
		close(log->dirfd);
	table_destroy(&log->table);
	keeper_destroy(&log->keeper);
	pthread_cond_destroy(&log->written);
	pthread_mutex_destroy(&log->write);
	pthread_mutex_destroy(&log->segments);
	free(log->frozen);
	free(log);
}

/* The mode of files follows that of the directory. */
static int mode_of(int dirfd, mode_t *mode)
{
	struct stat st;

	if (fstat(dirfd, &st))
		return -errno;
	*mode = st.st_mode & 0666;
	return 0;
}

/* Opens the head; that of a writer is made anew if it is damaged or lost. */
static int open_head(struct maplog *log, bool writable)
{
	int ret = head_open(log->dirfd, writable, &log->head);
	int rebuilt;

	if (!writable || !io_is_no_file(ret))
		return ret;
	rebuilt = salvage_head(log->dirfd, log->mode);
	/* Without any segment it is what it seemed to be. */
	if (rebuilt)
		return rebuilt == -EUCLEAN ? ret : rebuilt;
	log->recovery.head = true;
	return head_open(log->dirfd, true, &log->head);
}

/* Opens the directory, the head and the options; takes the lock if asked. */
static int open_files(struct maplog *log, int dirfd, const char *name,
		      bool writable)
{
	int ret;

	ret = io_open_dir(dirfd, name, &log->dirfd);
	if (!ret)
		ret = mode_of(log->dirfd, &log->mode);
	if (!ret && writable)
		ret = lock_take(log->dirfd);
	if (!ret)
		ret = open_head(log, writable);
	if (!ret)
		ret = options_load(log->dirfd, &log->options,
				   &log->recovery.options);
	if (ret)
		return ret;
	log->page = log->head.page;
	log->seed = crc_seed(log->page->uuid);
	log->shift = view_shift(log->options.map_limit);
	return windows_init(&log->windows, log->options.map_limit);
}

static int read_copy(struct maplog *log, uint64_t base)
{
	struct suspect suspect;
	struct row row;
	uint64_t bound;
	int ret;

	ret = suspect_open(log->dirfd, log->head.page, base, &suspect);
	if (ret)
		return ret == -EUCLEAN ? 0 : ret;
	if (suspect.has_trailer) {
		bool there = table_find(&log->table, base, &row, &bound);

		assert(there);
		(void)there;
		row.copy = suspect.trailer.payload_size;
		table_begin(&log->table);
		table_put(&log->table, &row);
		table_end(&log->table);
	}
	suspect_close(&suspect);
	return 0;
}

/* The .idx files of segments that were not sealed may be behind: their records
 * are read from the copy, as long as recovery would go by that. */
static int read_copies(struct maplog *log, const struct survey *found)
{
	int ret = 0;

	for (size_t n = found->sealed; !ret && n < found->count; n++)
		ret = read_copy(log, found->bases[n]);
	return ret;
}

static int set_table(struct maplog *log, struct survey *found)
{
	int ret;

	/* What is behind the end is not shown. */
	if (found->tail < found->count)
		found->count = found->tail + 1;
	ret = survey_add_missing(found);
	if (ret)
		return ret;
	pthread_mutex_lock(&log->segments);
	ret = follow_set_table(log, found->bases, found->count, false);
	if (!ret)
		ret = read_copies(log, found);
	pthread_mutex_unlock(&log->segments);
	return ret;
}

/* Shows the log as recovery would leave it, while there is no writer. */
static int freeze(struct maplog *log)
{
	struct survey found;
	struct seen seen;
	int ret;

	assert(!log->frozen);

	log->frozen = malloc(sizeof(*log->frozen));
	if (!log->frozen)
		return -ENOMEM;
	follow_look(log, &seen);
	ret = survey(log->dirfd, log->head.page, &found);
	if (ret)
		return ret;
	ret = set_table(log, &found);
	if (!ret) {
		*log->frozen = *log->head.page;
		log->frozen->generation = found.checkpoint.generation;
		log->frozen->first = found.first;
		log->frozen->next = found.next;
		log->frozen->durable = found.mark;
		follow_start(log);
		follow_remember(log, &seen);
		__atomic_store_n(&log->page, log->frozen, __ATOMIC_RELEASE);
	}
	survey_free(&found);
	return ret;
}

/* Whether a writer is at work, and not only about to be. */
static int find_writer(const struct maplog *log, bool *found)
{
	const struct timespec pause = { 0, RECOVERY_PAUSE };

	for (int i = 0; i < RECOVERY_PAUSES; i++) {
		uint32_t state = head_load(&log->head.page->state);

		*found = lock_is_held(log->dirfd);
		if (state != MAPLOG_RECOVERING || !*found)
			return 0;
		/* Its counters are what a crash has left. */
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

static int begin_reading(struct maplog *log)
{
	bool live;
	int ret;

	ret = find_writer(log, &live);
	if (ret)
		return ret;
	if (!live)
		return freeze(log);
	follow_start(log);
	return follow_refresh(log);
}

/* The page cache may take pages for written that are not, those behind the end
 * of the log, too: what comes next goes into new files. */
static int leave_tail(struct maplog *log)
{
	int ret;

	if (!log->active)
		return 0;
	/* What it leaves to the keeper is a writer's business. */
	__atomic_store_n(&log->writer, true, __ATOMIC_RELEASE);
	ret = roll_if_room(log);
	if (ret)
		__atomic_store_n(&log->writer, false, __ATOMIC_RELEASE);
	return ret;
}

static int become_writer(struct maplog *log)
{
	struct maplog_head *page = log->head.page;
	uint32_t state = head_load(&page->state);
	int ret;

	head_store(&page->state, (uint32_t)MAPLOG_RECOVERING);
	head_store(&page->pid, (uint32_t)getpid());
	ret = recover(log);
	if (!ret && (state == MAPLOG_FAILED || state == MAPLOG_RECOVERING))
		ret = leave_tail(log);
	if (ret && !head_reach(&log->head))
		head_store(&page->pid, 0);
	return ret;
}

static int begin_writing(struct maplog *log)
{
	struct maplog_head *page = log->head.page;
	int ret;

	assert(!log_is_writer(log));

	ret = head_prepare(&log->head);
	if (!ret)
		ret = become_writer(log);
	if (ret)
		return ret;
	snapshot_expire(log);
	__atomic_store_n(&log->page, page, __ATOMIC_RELEASE);
	__atomic_store_n(&log->writer, true, __ATOMIC_RELEASE);
	head_store(&page->session, page->session + 1);
	/* As long as there is no new file, the next writer is to leave the old
	 * one, too. */
	head_store(&page->state,
		   (uint32_t)(log->active ? MAPLOG_LIVE : MAPLOG_FAILED));
	publish_wake(log);
	return 0;
}

/* Lets go of segments, whatever state they are in. */
static void drop_segments(struct maplog *log)
{
	struct segment *segment;

	while ((segment = log->sealing)) {
		log->sealing = segment->next;
		roll_let_go(log, segment);
	}
	if (log->active)
		roll_let_go(log, log->active);
	log->active = NULL;
}

int maplog_open(int dirfd, const char *name, enum maplog_mode mode,
		struct maplog **log)
{
	struct maplog *opened = new_log();
	bool writable = mode == MAPLOG_WRITE;
	int ret;

	if (!opened)
		return -ENOMEM;
	ret = open_files(opened, dirfd, name, writable);
	if (ret) {
		free_log(opened);
		return ret;
	}
	ret = writable ? begin_writing(opened) : begin_reading(opened);
	if (ret) {
		drop_segments(opened);
		peeks_destroy(&opened->peeks);
		windows_destroy(&opened->windows);
		free_log(opened);
		return ret;
	}
	*log = opened;
	return 0;
}

/* A writer before us may have changed them. */
static int load_options(struct maplog *log)
{
	int ret =
		options_load(log->dirfd, &log->options, &log->recovery.options);

	if (!ret)
		view_set_limit(log, log->options.map_limit);
	return ret;
}

static int promote(struct maplog *log)
{
	int ret;

	assert(!log->active && !log->sealing);

	ret = lock_take(log->dirfd);
	if (ret)
		return ret;
	follow_stop(log);
	ret = head_make_writable(&log->head, log->dirfd);
	if (!ret)
		ret = load_options(log);
	if (!ret)
		ret = begin_writing(log);
	if (!ret)
		return 0;
	drop_segments(log);
	/* A reader has no error, and the next attempt begins anew. */
	__atomic_store_n(&log->error, 0, __ATOMIC_RELEASE);
	follow_start(log);
	lock_drop(log->dirfd);
	return ret;
}

int maplog_promote(struct maplog *log)
{
	int ret = 0;

	if (log_is_writer(log))
		return 0;
	pthread_mutex_lock(&log->write);
	if (!log_is_writer(log))
		ret = promote(log);
	pthread_mutex_unlock(&log->write);
	return ret;
}

/* A log that was left in order needs no recovery. */
static int leave_in_order(struct maplog *log)
{
	int ret;

	/* Nothing else keeps a writer out. */
	if (append_enter(log))
		return log_error(log);
	ret = sync_everything(log);
	if (!ret && log->active)
		ret = segment_finish(log->active);
	if (!ret)
		ret = sync_write_durable(log, log->tail);
	append_leave(log);
	return ret;
}

static int end_writing(struct maplog *log)
{
	struct maplog_head *page = log->head.page;
	int reached;
	int ret;

	assert(log_is_writer(log));

	keeper_stop(log);
	ret = leave_in_order(log);
	reached = head_reach(&log->head);
	if (!ret && !reached)
		head_store(&page->state, (uint32_t)MAPLOG_CLOSED);
	if (!reached)
		head_store(&page->pid, 0);
	if (!ret)
		ret = reached ? reached : io_sync(log->head.fd);
	drop_segments(log);
	return ret;
}

int maplog_close(struct maplog *log)
{
	int ret = 0;

	if (!log)
		return 0;
	assert(!log->snapshots);
	if (log_is_writer(log))
		ret = end_writing(log);
	assert(!log->busy && !log->syncing);
	peeks_destroy(&log->peeks);
	windows_destroy(&log->windows);
	free_log(log);
	return ret;
}

int maplog_holder(int dirfd, const char *name, pid_t *pid)
{
	struct head head;
	int ret;
	int fd;

	ret = io_open_dir(dirfd, name, &fd);
	if (ret)
		return ret;
	ret = lock_is_held(fd) ? head_open(fd, false, &head) : -ESRCH;
	if (!ret) {
		*pid = (pid_t)head_load(&head.page->pid);
		head_close(&head);
	}
	close(fd);
	return ret;
}

void maplog_options(struct maplog *log, struct maplog_options *options)
{
	pthread_mutex_lock(&log->write);
	*options = log->options;
	pthread_mutex_unlock(&log->write);
}

static int set(struct maplog *log, const char *key, const char *value)
{
	struct maplog_options options = log->options;
	int ret;

	assert(log->busy);

	ret = maplog_options_set(&options, key, value);
	if (!ret)
		ret = options_store(log->dirfd, &options, log->mode);
	if (ret)
		return ret;
	log->options = options;
	view_set_limit(log, options.map_limit);
	keeper_ask(log);
	return 0;
}

int maplog_set(struct maplog *log, const char *key, const char *value)
{
	int ret;

	ret = append_enter(log);
	if (ret)
		return ret;
	ret = set(log, key, value);
	append_leave(log);
	return ret;
}
