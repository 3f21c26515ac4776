/* SPDX-License-Identifier: MIT */
/* Tests of reading a log whose writer is another process. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "format.h"
#include "writer.h"

/* A writer with "a0" to "a2" sealed and "a3" to "a5" active; a reader. */
static void make(void)
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
	writer_start();
	writer_append("a0");
	writer_append("a1");
	writer_append("a2");
	writer_seal();
	writer_append("a3");
	writer_append("a4");
	writer_append("a5");
	open_log(MAPLOG_READ);
}

static void end(void)
{
	if (writer_pid())
		writer_kill();
}

static void expect_old(uint64_t first, uint64_t next)
{
	char text[3] = "a0";

	for (uint64_t i = first; i < next; i++) {
		text[1] = (char)('0' + i);
		expect_text(i, text);
	}
}

START_TEST(reader_sees_what_is_there)
{
	expect_range(0, 6);
	expect_old(0, 6);
	ck_assert_uint_eq(status().segments, 2);
	ck_assert_uint_eq(status().bytes, 12);
}
END_TEST

START_TEST(reader_sees_appends_at_once)
{
	for (uint64_t i = 6; i < 20; i++) {
		writer_append("new");
		expect_range(0, i + 1);
		expect_text(i, "new");
	}
}
END_TEST

START_TEST(reader_goes_on_into_new_segments)
{
	for (uint64_t i = 6; i < 12; i++) {
		writer_append("new");
		writer_seal();
		expect_text(i, "new");
		ck_assert_uint_eq(segment(i).base, i == 6 ? 3 : i);
	}
	expect_old(0, 6);
	ck_assert_uint_eq(status().segments, 8);
}
END_TEST

/* Looped over every index. */
START_TEST(reader_sees_a_truncation)
{
	uint64_t index = (uint64_t)_i;

	expect_old(0, 6);
	writer_truncate(index);
	expect_range(0, index);
	expect_old(0, index);
	ck_assert_int_eq(read_error(index), -ENODATA);
	for (uint64_t i = index; i < 6; i++) {
		writer_append("new");
		expect_text(i, "new");
	}
	expect_old(0, index);
	ck_assert_uint_eq(counters().generation, 1);
}
END_TEST

START_TEST(reader_sees_an_overwrite)
{
	uint64_t index = (uint64_t)_i;

	expect_old(0, 6);
	writer_overwrite(index, "new");
	expect_range(0, index + 1);
	expect_old(0, index);
	expect_text(index, "new");
}
END_TEST

START_TEST(reader_sees_a_trim)
{
	uint64_t index = (uint64_t)_i;

	expect_old(0, 6);
	writer_trim(index);
	expect_range(index, 6);
	expect_old(index, 6);
	for (uint64_t i = 0; i < index; i++)
		ck_assert_int_eq(read_error(i), -ENOENT);
}
END_TEST

START_TEST(trimmed_segment_is_none_of_those_that_are_there)
{
	writer_trim(4);
	ck_assert_uint_eq(segment(0).base, 3);
	ck_assert_uint_eq(segment(0).entries, 3);
	ck_assert_uint_eq(status().segments, 1);
	ck_assert_uint_eq(status().bytes, 6);
}
END_TEST

START_TEST(views_stay_whatever_the_writer_does)
{
	struct maplog_view view[2];

	ck_assert_int_eq(maplog_view(tlog, 0, 9, &view[0]), 0);
	ck_assert_int_eq(maplog_view(tlog, 3, 9, &view[1]), 0);
	switch (_i) {
	case 0:
		writer_truncate(0);
		break;
	case 1:
		writer_overwrite(4, "new");
		break;
	case 2:
		writer_trim(6);
		writer_seal();
		break;
	case 3:
		writer_append("more");
		writer_seal();
		break;
	default:
		writer_truncate(1);
		writer_kill();
		writer_start();
		writer_append("new");
	}
	ck_assert_int_eq(memcmp(view[0].data, "a0a1a2", 6), 0);
	ck_assert_int_eq(memcmp(view[1].data, "a3a4a5", 6), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(maplog_view_check(tlog, &view[i], NULL), 0);
		maplog_view_release(&view[i]);
	}
}
END_TEST

/* A segment id stands for its files: it changes when they do. */
START_TEST(segments_of_before_a_truncation_are_stale)
{
	struct maplog_segment first = segment(0);
	struct maplog_segment active = segment(3);
	int fd;

	ck_assert_int_eq(maplog_segment_open(tlog, &active, MAPLOG_DATA, &fd),
			 0);
	close(fd);
	writer_append("new");
	ck_assert_int_eq(maplog_segment_open(tlog, &first, MAPLOG_INDEX, &fd),
			 0);
	close(fd);
	writer_truncate(4);
	ck_assert_int_eq(maplog_segment_open(tlog, &active, MAPLOG_DATA, &fd),
			 -ESTALE);
}
END_TEST

START_TEST(snapshot_of_a_follower_is_stale_when_it_is_truncated)
{
	struct maplog_snapshot *snapshot;
	struct maplog_view view;

	ck_assert_int_eq(maplog_snapshot_take(tlog, 2, 5, &snapshot), 0);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 4, 1, &view), 0);
	maplog_view_release(&view);
	if (_i)
		writer_truncate(3);
	else
		writer_trim(6);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 4, 1, &view), -ESTALE);
	writer_append("new");
	writer_append("new");
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 4, 1, &view), -ESTALE);
	maplog_snapshot_release(snapshot);
}
END_TEST

/* Of files that are gone nothing stays mapped that nobody holds. */
START_TEST(space_of_segments_that_are_gone_comes_back)
{
	uint64_t mapped;

	/* What is read once only is not mapped. */
	expect_old(0, 6);
	expect_old(0, 6);
	mapped = status().mapped;
	ck_assert_uint_gt(mapped, 0);
	writer_seal();
	writer_append("new");
	writer_trim(6);
	expect_text(6, "new");
	ck_assert_uint_eq(status().segments, 1);
	writer_truncate(6);
	ck_assert_int_eq(read_error(6), -ENODATA);
	ck_assert_uint_eq(status().mapped, 0);
}
END_TEST

START_TEST(reader_goes_on_beside_the_next_writer)
{
	for (int i = 0; i < 3; i++) {
		if (i % 2)
			writer_close();
		else
			writer_kill();
		expect_old(0, 6);
		writer_start();
		expect_old(0, 6);
		writer_append("new");
		expect_text(6 + (uint64_t)i, "new");
	}
}
END_TEST

START_TEST(reader_of_a_crashed_log_sees_the_next_writer)
{
	writer_kill();
	close_log();
	open_log(MAPLOG_READ);
	expect_old(0, 6);
	ck_assert(!status().live);
	writer_start();
	expect_old(0, 6);
	writer_truncate(2);
	writer_append("new");
	expect_range(0, 3);
	expect_old(0, 2);
	expect_text(2, "new");
}
END_TEST

static void stall(void)
{
	/* The second sync is in the middle of recovery. */
	fault_set(CALL_SYNC, 1, 1, FAULT_WAIT);
}

static void *go_on_later(void *arg)
{
	(void)arg;
	usleep(100000);
	fault_go_on();
	return NULL;
}

/* The counters may be too high until the writer has looked. */
START_TEST(reader_waits_for_a_recovery)
{
	pthread_t thread;

	writer_kill();
	close_log();
	fault_share();
	/* As after a power cut: the page has survived, the entries have not. */
	zero_file(log_path(3, "log"), RECORD_AT(1), RECORD_AT(3));
	writer_begin(stall);
	fault_await();
	pthread_create(&thread, NULL, go_on_later, NULL);
	open_log(MAPLOG_READ);
	expect_range(0, 4);
	pthread_join(thread, NULL);
	writer_opened();
	expect_old(0, 4);
}
END_TEST

START_TEST(reader_does_not_wait_for_ever)
{
	struct maplog *log;

	writer_kill();
	close_log();
	fault_share();
	writer_begin(stall);
	fault_await();
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_READ, &log), -EBUSY);
	fault_go_on();
	writer_opened();
}
END_TEST

/* As format.h tells everybody how to read: without the library. */
START_TEST(head_and_files_can_be_followed_without_the_library)
{
	struct maplog_segment active = segment(3);
	struct maplog_record record;
	struct maplog_head head;
	char text[2];
	int fd;

	ck_assert_int_eq(maplog_head_open(tlog, &fd), 0);
	ck_assert_int_eq(pread(fd, &head, sizeof(head), 0), sizeof(head));
	ck_assert_uint_eq(head.next, 6);
	ck_assert_uint_eq(head.active_base, 3);
	ck_assert_uint_eq(head.active_bytes, 6);
	ck_assert_uint_eq(head.state, MAPLOG_LIVE);
	ck_assert_int_eq(write(fd, &head, 1), -1);
	close(fd);
	ck_assert_int_eq(maplog_segment_open(tlog, &active, MAPLOG_INDEX, &fd),
			 0);
	ck_assert_int_eq(pread(fd, &record, 24, 24), 24);
	close(fd);
	ck_assert_uint_eq(record.end, 4);
	ck_assert_int_eq(maplog_segment_open(tlog, &active, MAPLOG_DATA, &fd),
			 0);
	ck_assert_int_eq(pread(fd, text, 2, 2), 2);
	ck_assert_int_eq(memcmp(text, "a4", 2), 0);
	close(fd);
}
END_TEST

static bool stop;

static void *read_any(void *arg)
{
	const char **wrong = arg;
	uint64_t n = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE) && !*wrong) {
		struct maplog_counters now = counters();
		struct maplog_view view;
		int ret;

		n += 7;
		ret = maplog_view(tlog,
				  now.first + n % (now.next - now.first + 1), 3,
				  &view);
		/* A truncation removes files before it says so to those that
		 * were not there: an entry that goes may have none. */
		if (ret == -ENODATA || ret == -ENOENT)
			continue;
		if (ret)
			*wrong = strerrorname_np(-ret);
		else if (maplog_view_check(tlog, &view, NULL))
			*wrong = "checksum";
		if (!ret)
			maplog_view_release(&view);
	}
	return NULL;
}

START_TEST(readers_beside_a_writer_that_truncates_see_whole_entries)
{
	const char *wrong[3] = { NULL };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, read_any, &wrong[i]);
	for (uint64_t round = 0; round < 60; round++) {
		struct maplog_counters now;

		for (int i = 0; i < 10; i++)
			writer_append("some text");
		now = counters();
		if (round % 3 == 0)
			writer_truncate(now.next - 6);
		if (round % 3 == 1)
			writer_overwrite(now.next - 2, "other text");
		if (round % 3 == 2)
			writer_trim(now.first + 5);
		if (round % 5 == 0)
			writer_seal();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_msg(!wrong[i], "%s", wrong[i]);
	}
}
END_TEST

static Suite *follow_suite(void)
{
	Suite *suite = suite_create("follow");
	TCase *live = unit_case(suite, "live");
	TCase *crashed = unit_case(suite, "crashed");

	tcase_add_checked_fixture(live, make, end);
	tcase_add_checked_fixture(crashed, make, end);
	tcase_add_test(live, reader_sees_what_is_there);
	tcase_add_test(live, reader_sees_appends_at_once);
	tcase_add_test(live, reader_goes_on_into_new_segments);
	tcase_add_loop_test(live, reader_sees_a_truncation, 0, 6);
	tcase_add_loop_test(live, reader_sees_an_overwrite, 0, 6);
	tcase_add_loop_test(live, reader_sees_a_trim, 0, 7);
	tcase_add_test(live, trimmed_segment_is_none_of_those_that_are_there);
	tcase_add_loop_test(live, views_stay_whatever_the_writer_does, 0, 5);
	tcase_add_test(live, segments_of_before_a_truncation_are_stale);
	tcase_add_loop_test(
		live, snapshot_of_a_follower_is_stale_when_it_is_truncated, 0,
		2);
	tcase_add_test(live, space_of_segments_that_are_gone_comes_back);
	tcase_add_test(live,
		       head_and_files_can_be_followed_without_the_library);
	tcase_add_test(
		live, readers_beside_a_writer_that_truncates_see_whole_entries);
	tcase_add_test(crashed, reader_goes_on_beside_the_next_writer);
	tcase_add_test(crashed, reader_of_a_crashed_log_sees_the_next_writer);
	tcase_add_test(crashed, reader_waits_for_a_recovery);
	tcase_add_test(crashed, reader_does_not_wait_for_ever);
	return suite;
}

int main(void)
{
	return unit_run(follow_suite());
}
