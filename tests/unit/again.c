/* SPDX-License-Identifier: MIT */
/* Tests of recovery that fails or is killed: it can be done again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "format.h"
#include "head.h"
#include "late.h"
#include "tear.h"

START_TEST(recovery_that_fails_can_be_repeated)
{
	static const enum call calls[] = { CALL_SYNC, CALL_SYNC_DIR, CALL_WRITE,
					   CALL_READ, CALL_ADVISE,   CALL_STAT,
					   CALL_SEEK };
	int ret;

	tear_payload(8);
	fault_set(calls[_i / 6], _i % 6, 1, EIO);
	ret = maplog_open(store, LOG, MAPLOG_WRITE, &tlog);
	fault_clear();
	if (ret) {
		ck_assert_int_eq(ret, -EIO);
		tlog = NULL;
		open_log(MAPLOG_WRITE);
	}
	tear_expect_kept(KEPT);
	append("next");
	reopen_log();
	tear_expect_kept(KEPT + 1);
}
END_TEST

/* What it makes anew would have the wrong ones. */
START_TEST(log_whose_rights_are_not_known_does_not_open)
{
	fault_set(CALL_STAT, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
}
END_TEST

START_TEST(evidence_that_there_is_no_name_for_is_not_thrown_away)
{
	char suffix[16] = "torn";

	tear_payload(8);
	for (int n = 0; n < 1000; n++) {
		if (n)
			snprintf(suffix, sizeof(suffix), "torn.%d", n);
		make_file(log_path(KEPT, suffix), "before");
	}
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EEXIST);
	tlog = NULL;
	ck_assert_int_eq(unlinkat(store, log_path(KEPT, "torn.7"), 0), 0);
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT);
}
END_TEST

static void append_nothing(void)
{
	open_log(MAPLOG_WRITE);
	append("");
}

START_TEST(entries_without_bytes_are_made_durable)
{
	open_log(MAPLOG_WRITE);
	close_log();
	ck_assert_int_eq(run_child(append_nothing), 0);
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT + TORN + 1);
	expect_text(KEPT + TORN, "");
}
END_TEST

static int die_at;

static void recover_and_die(void)
{
	fault_die(die_at);
	open_log(MAPLOG_WRITE);
}

/* Looped over all calls that recovery makes: it is killed before each. */
START_TEST(recovery_that_is_killed_can_be_repeated)
{
	tear_payload(8);
	die_at = _i;
	(void)run_child(recover_and_die);
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT);
	append("next");
	reopen_log();
	tear_expect_kept(KEPT + 1);
	ck_assert_int_ge(count_files(".torn"), 1);
}
END_TEST

/* Looped likewise: nobody is at work whom it would be worth to wait for. */
START_TEST(reader_does_not_wait_for_a_recovery_that_was_killed)
{
	struct maplog_head page;

	tear_payload(8);
	die_at = _i;
	(void)run_child(recover_and_die);
	read_file(LOG "/head", 0, &page, sizeof(page));
	ck_assert_uint_eq(page.state, MAPLOG_RECOVERING);
	open_log(MAPLOG_READ);
	tear_expect_kept(KEPT);
}
END_TEST

#define LEFT "left behind"

/* What lies behind the end of the log, and is not of it: a segment without a
 * trailer, and no record of it is good. */
static void make_behind(void)
{
	late_make();
	write_file(log_path(2, "log"), 9000, LEFT, sizeof(LEFT));
	zero_file(log_path(2, "log"), TRAILER_AT, TRAILER_AT + 4096);
}

static bool is_kept(const char *suffix)
{
	return file_exists(log_path(2, suffix)) &&
	       file_holds(log_path(2, suffix), LEFT, sizeof(LEFT));
}

static void expect_put_aside(const char *suffix)
{
	open_log(MAPLOG_WRITE);
	ck_assert(is_kept(suffix));
	expect_range(0, 2);
	expect_text(1, "b");
	append("next");
	reopen_log();
	expect_text(2, "next");
}

START_TEST(file_behind_the_end_that_there_is_no_name_for_stays)
{
	char suffix[16] = "torn";

	for (int n = 0; n < 1000; n++) {
		if (n)
			snprintf(suffix, sizeof(suffix), "torn.%d", n);
		make_file(log_path(2, suffix), "before");
	}
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EEXIST);
	tlog = NULL;
	ck_assert(is_kept("log"));
	ck_assert_int_eq(unlinkat(store, log_path(2, "torn.7"), 0), 0);
	expect_put_aside("torn.7");
}
END_TEST

START_TEST(file_behind_the_end_that_cannot_be_put_aside_stays)
{
	fault_set(CALL_RENAME, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	tlog = NULL;
	ck_assert(is_kept("log"));
	expect_put_aside("torn");
}
END_TEST

/* Looped over calls: what cannot be read is not what is not there. */
START_TEST(file_behind_the_end_that_cannot_be_read_is_not_thrown_away)
{
	static const enum call calls[] = { CALL_ADVISE, CALL_SEEK, CALL_MAP,
					   CALL_READ };

	fault_set(calls[_i % 4], _i / 4, 1, _i % 4 ? EIO : EFAULT);
	if (!maplog_open(store, LOG, MAPLOG_WRITE, &tlog))
		close_log();
	tlog = NULL;
	fault_clear();
	ck_assert(is_kept("log") || is_kept("torn"));
	open_log(MAPLOG_WRITE);
	ck_assert(is_kept("torn"));
	expect_range(0, 2);
}
END_TEST

static void seal_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_batch("one", "two", NULL);
	fault_set(CALL_SYNC, 0, 1, FAULT_DIE);
	(void)maplog_seal(tlog, NULL);
}

static uint64_t checkpoint_on_disk(void)
{
	struct maplog_checkpoint checkpoint;
	struct maplog_head page;

	read_file(LOG "/head", 0, &page, sizeof(page));
	(void)head_checkpoint(&page, &checkpoint);
	return checkpoint.durable;
}

/* Looped over all calls that recovery makes. A power cut may keep the size of a
 * file that was cut, with nothing where the copy of its index was. */
START_TEST(segment_sealed_late_is_cut_when_the_mark_holds_its_end)
{
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(seal_and_die), DIED);
	ck_assert_uint_eq(checkpoint_on_disk(), 0);
	die_at = _i;
	(void)run_child(recover_and_die);
	if (file_size(tear_data()) < TRAILER_AT)
		ck_assert_uint_eq(checkpoint_on_disk(), 2);
	open_log(MAPLOG_WRITE);
	ck_assert_uint_lt(file_size(tear_data()), TRAILER_AT);
	expect_range(0, 2);
	expect_text(1, "two");
}
END_TEST

static void append_and_die(void)
{
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
}

static void append_very_many_and_die(void)
{
	append_and_die();
	append_many(4997, 10);
}

static void append_roll_and_die(void)
{
	append_and_die();
	append_many(1, MIB);
}

/* As many as are asked for, up to what is copied at a time. */
START_TEST(reader_without_a_writer_views_many_entries_at_once)
{
	struct maplog_view view;

	create_log("segment-size", "1M", "sync", "manual", NULL);
	(void)run_child(append_very_many_and_die);
	open_log(MAPLOG_READ);
	for (uint64_t i = 0; i < 5000; i += view.count) {
		ck_assert_int_eq(maplog_view(tlog, i, 5000, &view), 0);
		ck_assert_uint_ge(view.count, i ? 904 : 4096);
		ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), 0);
		maplog_view_release(&view);
	}
}
END_TEST

static void recover_and_seal(void)
{
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	close_log();
}

/* Who reads without a writer goes by the copy, which is cut off then. */
START_TEST(reader_keeps_what_it_holds_when_the_next_writer_seals)
{
	struct maplog_view view;
	struct maplog_info info;
	const void *data;
	struct maplog *reader;

	create_log("segment-size", "1M", "sync", "manual", NULL);
	(void)run_child(_i ? append_roll_and_die : append_and_die);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_READ, &reader), 0);
	ck_assert_int_eq(maplog_view(reader, 0, 3, &view), 0);
	ck_assert_uint_eq(view.count, 3);
	ck_assert_int_eq(run_child(recover_and_seal), 0);
	ck_assert_uint_eq(file_size(log_path(0, "log")), 300);
	ck_assert_int_eq(maplog_view_check(reader, &view, NULL), 0);
	ck_assert_int_eq(maplog_view_entry(&view, 2, &data, &info), 0);
	ck_assert_uint_eq(info.bytes, 100);
	maplog_view_release(&view);
	maplog_close(reader);
}
END_TEST

static Suite *again_suite(void)
{
	Suite *suite = suite_create("again");
	TCase *rules = unit_case(suite, "rules");
	TCase *late = unit_case(suite, "late");
	TCase *behind = unit_case(suite, "behind");

	tcase_add_checked_fixture(rules, tear_make, NULL);
	tcase_add_test(rules,
		       evidence_that_there_is_no_name_for_is_not_thrown_away);
	tcase_add_test(rules, log_whose_rights_are_not_known_does_not_open);
	tcase_add_test(rules, entries_without_bytes_are_made_durable);
	tcase_add_loop_test(rules, recovery_that_fails_can_be_repeated, 0, 42);
	tcase_add_loop_test(rules, recovery_that_is_killed_can_be_repeated, 0,
			    25);
	tcase_add_loop_test(rules,
			    reader_does_not_wait_for_a_recovery_that_was_killed,
			    0, 12);
	tcase_add_checked_fixture(behind, make_behind, NULL);
	tcase_add_test(behind,
		       file_behind_the_end_that_there_is_no_name_for_stays);
	tcase_add_test(behind,
		       file_behind_the_end_that_cannot_be_put_aside_stays);
	tcase_add_loop_test(
		behind,
		file_behind_the_end_that_cannot_be_read_is_not_thrown_away, 0,
		64);
	tcase_add_loop_test(
		late, segment_sealed_late_is_cut_when_the_mark_holds_its_end, 0,
		24);
	tcase_add_test(late,
		       reader_without_a_writer_views_many_entries_at_once);
	tcase_add_loop_test(
		late, reader_keeps_what_it_holds_when_the_next_writer_seals, 0,
		2);
	return suite;
}

int main(void)
{
	return unit_run(again_suite());
}
