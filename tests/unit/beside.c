/* SPDX-License-Identifier: MIT */
/*
 * Tests of every public function beside every other: some threads do one after
 * the other of them, as chance gives it, with one log. Of what they return only
 * that is looked at which no other thread can have a hand in; the rest is for
 * ThreadSanitizer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cursor.h"
#include "fixture.h"
#include "metrics.h"
#include "moment.h"
#include "position.h"
#include "reader.h"
#include "repair.h"
#include "retain.h"

#define THREADS 4
#define ROUNDS	400
#define BYTES	3000

struct worker {
	pthread_t thread;
	uint64_t chance;
	char name[24]; /* of a log and of a reader that are its own */
};

static uint64_t roll_dice(struct worker *worker, uint64_t n)
{
	worker->chance = worker->chance * 6364136223846793005U + 1;
	return (worker->chance >> 33) % n;
}

/* An index that may be one of the log's. */
static uint64_t some_index(struct worker *worker)
{
	struct maplog_counters now;

	maplog_counters(tlog, &now);
	return now.first + roll_dice(worker, now.next - now.first + 1);
}

static struct maplog_entry entry_of(struct worker *worker)
{
	static const char bytes[BYTES];

	return (struct maplog_entry){ bytes, roll_dice(worker, BYTES), 7 };
}

static void do_append(struct worker *worker)
{
	const struct maplog_entry entry = entry_of(worker);

	must(!maplog_append(tlog, &entry, 1, NULL));
}

static void do_append_at(struct worker *worker)
{
	const struct maplog_entry entry = entry_of(worker);
	int ret = maplog_append_at(tlog, some_index(worker), &entry, 1);

	must(!ret || ret == -ESTALE);
}

static void do_overwrite(struct worker *worker)
{
	const struct maplog_entry entry = entry_of(worker);

	(void)maplog_overwrite(tlog, some_index(worker), &entry, 1);
}

static void do_truncate(struct worker *worker)
{
	(void)maplog_truncate(tlog, some_index(worker));
}

static void do_trim(struct worker *worker)
{
	(void)maplog_trim(tlog, some_index(worker));
}

static void do_end(struct worker *worker)
{
	must(!maplog_seal(tlog, NULL));
	must(!maplog_sync(tlog, NULL));
	must(!maplog_retain(tlog, NULL));
}

static void do_set(struct worker *worker)
{
	static const char *const values[] = { "always", "interval=1ms",
					      "manual" };
	struct maplog_options options;
	char text[64];

	must(!maplog_set(tlog, "sync", values[roll_dice(worker, 3)]));
	must(!maplog_set(tlog, "map-limit", "8M"));
	maplog_options(tlog, &options);
	must(!maplog_options_get(&options, maplog_options_key(0), text,
				 sizeof(text)));
}

static void do_read(struct worker *worker)
{
	char bytes[BYTES];

	(void)maplog_read(tlog, some_index(worker), bytes, sizeof(bytes), NULL);
}

/* What is in view is whole, whatever becomes of the log. */
static void look_at(struct maplog_view *view)
{
	struct maplog_position position;
	struct maplog_info info;
	const void *data;
	uint32_t at;

	position.next = view->index;
	maplog_position_take(&position, view);
	must(!maplog_view_check(tlog, view, &at));
	must(!maplog_view_entry(view, view->count - 1, &data, &info));
	maplog_view_release(view);
}

static void do_view(struct worker *worker)
{
	struct maplog_view view;

	if (!maplog_view(tlog, some_index(worker), 10, &view))
		look_at(&view);
}

static void do_snapshot(struct worker *worker)
{
	struct maplog_snapshot *snapshot;
	struct maplog_counters now;
	struct maplog_view view;

	maplog_counters(tlog, &now);
	if (maplog_snapshot_take(tlog, now.first, now.next, &snapshot))
		return;
	if (now.first < now.next &&
	    !maplog_snapshot_view(snapshot, now.first, 10, &view))
		look_at(&view);
	maplog_snapshot_release(snapshot);
}

static void do_cursor(struct worker *worker)
{
	struct maplog_cursor cursor;
	struct maplog_entry entry;
	int n = 0;

	maplog_cursor_init(&cursor, tlog, some_index(worker));
	while (n++ < 20 && !maplog_cursor_next(&cursor, &entry))
		must(entry.bytes < BYTES);
	(void)maplog_cursor_index(&cursor);
	maplog_cursor_release(&cursor);
}

static void do_look(struct worker *worker)
{
	struct maplog_retention retention;
	struct maplog_metrics metrics;
	struct maplog_segment segment;
	struct maplog_status now;
	char text[128];

	maplog_metrics(tlog, &metrics);
	must(!maplog_status(tlog, &now));
	must(!maplog_retention(tlog, &retention));
	if (!maplog_segment(tlog, some_index(worker), &segment))
		maplog_retention_reason(&retention, &segment, text,
					sizeof(text));
}

static void do_open_files(struct worker *worker)
{
	struct maplog_segment segment;
	int fd;

	must(maplog_dirfd(tlog) >= 0);
	must(!maplog_head_open(tlog, &fd));
	close(fd);
	if (maplog_segment(tlog, some_index(worker), &segment))
		return;
	if (!maplog_segment_open(tlog, &segment, MAPLOG_INDEX, &fd))
		close(fd);
}

static void do_wait(struct worker *worker)
{
	struct maplog_counters now;

	maplog_counters(tlog, &now);
	(void)maplog_wait(tlog, now.next, now.generation, 1);
}

static void do_moment(struct worker *worker)
{
	struct maplog_position position;
	uint64_t moment;
	uint64_t index;

	must(!maplog_moment_parse("1s", UINT64_MAX / 4, &moment));
	(void)maplog_moment_find(tlog, moment, &index);
	maplog_position_set(tlog, some_index(worker), &position);
	(void)maplog_position_check(tlog, &position, &position);
}

static void do_reader(struct worker *worker)
{
	struct maplog_reader_info *list;
	struct maplog_position position;
	struct maplog_reader *reader;
	size_t count;

	must(maplog_reader_is_name(worker->name));
	must(!maplog_reader_open(tlog, worker->name, 0, &reader));
	maplog_position_set(tlog, some_index(worker), &position);
	must(!maplog_reader_store(reader, &position));
	maplog_reader_position(reader, &position);
	must(!maplog_reader_sync(reader));
	must(!maplog_reader_list(tlog, &list, &count));
	free(list);
	must(!maplog_reader_close(reader));
	must(!maplog_reader_forget(tlog, worker->name));
}

/* Another handle of the log, as another process has it. */
static void do_open(struct worker *worker)
{
	struct maplog *other;
	char bytes[BYTES];
	pid_t pid;

	must(!maplog_holder(store, LOG, &pid) && pid == getpid());
	must(maplog_repair(store, LOG, true, NULL, NULL) == -EBUSY);
	must(maplog_open(store, LOG, MAPLOG_WRITE, &other) == -EBUSY);
	if (maplog_open(store, LOG, MAPLOG_READ, &other))
		return;
	(void)maplog_read(other, some_index(worker), bytes, sizeof(bytes),
			  NULL);
	must(maplog_promote(other) == -EBUSY);
	must(!maplog_close(other));
}

static void do_make(struct worker *worker)
{
	struct maplog_options options;
	struct maplog *other;

	maplog_options_init(&options);
	must(!maplog_options_set(&options, "segment-size", "1M"));
	must(!maplog_create(store, worker->name, 0777, &options));
	must(!maplog_open(store, worker->name, MAPLOG_WRITE, &other));
	must(!maplog_delete(other, store, worker->name));
	(void)maplog_close(other);
	must(!maplog_create(store, worker->name, 0777, NULL));
	must(!maplog_remove(store, worker->name));
	must(maplog_crc32c(0, "123456789", 9) == 0xe3069283);
}

static void (*const work[])(struct worker *worker) = {
	do_append, do_append,	 do_append,	do_append,   do_append,
	do_append, do_append_at, do_overwrite,	do_truncate, do_trim,
	do_end,	   do_set,	 do_read,	do_view,     do_snapshot,
	do_cursor, do_look,	 do_open_files, do_wait,     do_moment,
	do_reader, do_open,	 do_make,
};

static void *work_on(void *arg)
{
	struct worker *worker = arg;

	for (int i = 0; i < ROUNDS; i++)
		work[roll_dice(worker, sizeof(work) / sizeof(*work))](worker);
	return NULL;
}

/* Looped over seeds. */
START_TEST(functions_beside_each_other_leave_the_log_whole)
{
	struct worker workers[THREADS];
	struct maplog_counters now;

	make_log("segment-size", "1M", "sync", "manual", NULL);
	for (int i = 0; i < THREADS; i++) {
		workers[i].chance = (uint64_t)(_i * THREADS + i);
		snprintf(workers[i].name, sizeof(workers[i].name), "own-%d", i);
		pthread_create(&workers[i].thread, NULL, work_on, &workers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	reopen_log();
	now = counters();
	for (uint64_t i = now.first; i < now.next; i++)
		must(maplog_read(tlog, i, NULL, 0, NULL) != -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("beside");

	tcase_add_loop_test(unit_case(suite, "beside"),
			    functions_beside_each_other_leave_the_log_whole, 0,
			    4);
	return unit_run_in_memory(suite);
}
