/* SPDX-License-Identifier: MIT */
/*
 * Tests of stores that no writer leaves: with what a stranger has put there,
 * or intact checkpoints that say what cannot be. They are errors or damage, and
 * no reason to end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc.h"
#include "files.h"
#include "fixture.h"
#include "late.h"

/* Two sealed segments, 0 to 2 and 3 to 5, and an active one, 6 to 9. */
static void fill(void)
{
	open_log(MAPLOG_WRITE);
	for (int n = 0; n < 2; n++) {
		append_many(3, 100);
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	append_many(4, 100);
}

static void make(void)
{
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(fill), 0);
}

/* In both slots. */
static void put_checkpoint(struct maplog_checkpoint checkpoint)
{
	struct maplog_head page;

	read_file(LOG "/head", 0, &page, sizeof(page));
	checkpoint.sequence = 100;
	checkpoint.crc = crc_extend(crc_seed(page.uuid), &checkpoint,
				    offsetof(struct maplog_checkpoint, crc));
	page.checkpoint0 = page.checkpoint1 = checkpoint;
	write_file(LOG "/head", 0, &page, sizeof(page));
}

/* Another log, as far as this one but for its last segment. */
static void fill_other(void)
{
	struct maplog *log;

	ck_assert_int_eq(maplog_open(store, "other", MAPLOG_WRITE, &log), 0);
	for (int n = 0; n < 6; n++)
		append_to(log, "other");
	ck_assert_int_eq(maplog_seal(log, NULL), 0);
	append_to(log, "stranger");
	append_to(log, "strange");
}

/* The last segment of that log, in this one. */
static void put_other(uint64_t base)
{
	struct maplog_options options;
	int from;
	int to;

	maplog_options_init(&options);
	options.segment_size = MIB;
	ck_assert_int_eq(maplog_create(store, "other", 0777, &options), 0);
	ck_assert_int_eq(run_child(fill_other), 0);
	make_file(log_path(base, "log"), "");
	from = open_file("other/00000000000000000006.log");
	to = open_file(log_path(base, "log"));
	copy_data(from, to);
	close(from);
	close(to);
}

/* Looped over what a truncation may not have been. */
START_TEST(checkpoint_of_a_truncation_that_cannot_be_does_not_count)
{
	static const struct maplog_checkpoint bad[] = {
		{ .durable = 3, .truncate_to = 1000 },
		{ .durable = 3,
		  .truncate_to = 1000,
		  .flags = MAPLOG_TRUNCATING },
		{ .durable = 6,
		  .first = 5,
		  .truncate_to = 3,
		  .flags = MAPLOG_TRUNCATING },
	};

	put_checkpoint(bad[_i / 2]);
	if (_i % 2) {
		open_log(MAPLOG_READ);
		expect_patterns(0, 10, 100);
		close_log();
	}
	open_log(MAPLOG_WRITE);
	expect_range(0, 10);
	expect_patterns(0, 10, 100);
	append_many(1, 100);
	reopen_log();
	expect_patterns(0, 11, 100);
}
END_TEST

/* One of after the next truncation, which went back further. */
START_TEST(head_of_before_ends_no_segment_that_was_begun_later)
{
	copy_tree(LOG, "before");
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_truncate(tlog, 8), 0);
	close_log();
	copy_tree(LOG, "before");
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_truncate(tlog, 4), 0);
	append_many(8, 100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	copy_tree(LOG, "after");
	close_log();
	ck_assert_int_eq(renameat(store, "before/head", store, "after/head"),
			 0);
	ck_assert_int_eq(maplog_open(store, "after", MAPLOG_WRITE, &tlog), 0);
	expect_range(0, 12);
	expect_patterns(0, 12, 100);
}
END_TEST

static const struct maplog_checkpoint replacing = {
	.durable = 2,
	.truncate_to = 1,
	.generation = 1,
	.flags = MAPLOG_TRUNCATING | MAPLOG_REPLACING,
};

/* Looped over who opens it. What was to replace the tail is lost, and nothing
 * of that tail is shown. */
START_TEST(replacement_that_is_lost_takes_the_tail_with_it)
{
	put_checkpoint(replacing);
	open_log(_i ? MAPLOG_WRITE : MAPLOG_READ);
	expect_range(0, 1);
	expect_patterns(0, 1, 100);
}
END_TEST

/* The tail ends there for good. */
static void expect_end(uint64_t index)
{
	for (uint64_t i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_range(0, index + i - !!i);
		expect_patterns(0, index, 100);
		if (i)
			ck_assert_uint_eq(append("next"), index + i - 1);
		close_log();
	}
	open_log(MAPLOG_READ);
	expect_text(index, "next");
}

/* Looped over both of its names, then over what has it. */
START_TEST(replacement_that_is_no_file_is_lost)
{
	const char *name = log_path(1, _i % 2 ? "log" : "log.new");

	put_checkpoint(replacing);
	if (_i / 2 == 0)
		ck_assert_int_eq(symlinkat("head", store, name), 0);
	else if (_i / 2 == 1)
		ck_assert_int_eq(mkfifoat(store, name, 0600), 0);
	else
		ck_assert_int_eq(mkdirat(store, name, 0777), 0);
	expect_end(1);
}
END_TEST

/* It has the name that the replacement would have. Looped over a segment that
 * was sealed, and one that was not. */
START_TEST(old_segment_is_not_taken_for_a_lost_replacement)
{
	struct maplog_checkpoint checkpoint = replacing;

	checkpoint.truncate_to = _i ? 6 : 3;
	checkpoint.durable = checkpoint.truncate_to + 2;
	put_checkpoint(checkpoint);
	expect_end(checkpoint.truncate_to);
}
END_TEST

/* Looped over who opens it. The active segment has replaced something. */
START_TEST(what_lies_behind_a_replacement_is_not_of_the_log)
{
	struct maplog_checkpoint checkpoint = replacing;

	checkpoint.truncate_to = 6;
	checkpoint.durable = 10;
	checkpoint.generation = 0;
	put_checkpoint(checkpoint);
	make_file(log_path(8, "log"), "strange");
	open_log(_i ? MAPLOG_WRITE : MAPLOG_READ);
	expect_range(0, 10);
	expect_patterns(0, 10, 100);
	ck_assert(file_exists(log_path(8, "log")) == !_i);
}
END_TEST

/* The head is lost, and what has the last name is no segment: the one before
 * it says whose they are. */
START_TEST(directory_in_the_place_of_a_segment_says_nothing_of_the_log)
{
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	ck_assert_int_eq(mkdirat(store, log_path(42, "log"), 0777), 0);
	open_log(MAPLOG_WRITE);
	expect_range(0, 10);
	expect_patterns(0, 10, 100);
	ck_assert(file_exists(log_path(42, "torn")));
}
END_TEST

START_TEST(segment_with_the_name_of_another_says_nothing_of_the_log)
{
	put_other(42);
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	open_log(MAPLOG_WRITE);
	expect_range(0, 10);
	expect_patterns(0, 10, 100);
}
END_TEST

static void fill_two(void)
{
	open_log(MAPLOG_WRITE);
	append_many(6, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
}

/* It is put aside as a whole: what is appended to it would be lost as soon as
 * somebody looks whose it is. */
START_TEST(segment_of_another_log_is_not_appended_to)
{
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(fill_two), 0);
	put_other(6);
	open_log(MAPLOG_WRITE);
	expect_range(0, 6);
	expect_patterns(0, 6, 100);
	ck_assert(file_holds(log_path(6, "torn"), "strange", 7));
	ck_assert_uint_eq(file_size(log_path(6, "torn")), TRAILER_AT + 4096);
	append("next");
	reopen_log();
	expect_text(6, "next");
}
END_TEST

/* A record of the copy that ends behind the segment, while that of the .idx is
 * right. */
START_TEST(record_that_ends_behind_its_segment_is_replaced)
{
	static const uint32_t far = UINT32_MAX;

	write_file(log_path(6, "log"), RECORD_AT(1), &far, sizeof(far));
	open_log(MAPLOG_WRITE);
	expect_range(0, 10);
	expect_patterns(0, 10, 100);
}
END_TEST

START_TEST(garbage_behind_the_end_of_a_late_segment_is_no_size)
{
	static const uint32_t far = UINT32_MAX;

	write_file(log_path(0, "log"), RECORD_AT(3), &far, sizeof(far));
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(file_size(log_path(0, "log")), 2);
	expect_range(0, 3);
	expect_text(1, "b");
	expect_pattern(2, MIB);
}
END_TEST

/* Looped over whether it held what the mark says is durable. */
START_TEST(link_in_the_place_of_the_last_segment_holds_nothing)
{
	if (_i)
		put_checkpoint((struct maplog_checkpoint){ .durable = 3 });
	ck_assert_int_eq(unlinkat(store, log_path(2, "log"), 0), 0);
	ck_assert_int_eq(symlinkat("head", store, log_path(2, "log")), 0);
	for (int n = 0; n < 2; n++) {
		open_log(n ? MAPLOG_WRITE : MAPLOG_READ);
		expect_range(0, _i ? 3 : 2);
		expect_text(0, "a");
		expect_text(1, "b");
		if (_i)
			ck_assert_int_eq(read_error(2), -EUCLEAN);
		if (!n)
			close_log();
	}
	/* Damage stays where it is. */
	ck_assert_int_eq(file_exists(log_path(2, "torn")), !_i);
	ck_assert_uint_eq(append("next"), _i ? 3 : 2);
	reopen_log();
	expect_text(_i ? 3 : 2, "next");
}
END_TEST

static void lose_trailer(void)
{
	zero_file(log_path(2, "log"), TRAILER_AT, TRAILER_AT + 4096);
}

/* Whoever may write to it may change it between two looks. */
START_TEST(segment_that_changes_during_recovery_is_refused)
{
	static const struct call_watch watch = { .before = lose_trailer };

	calls_watch(&watch);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog),
			 -EUCLEAN);
	calls_watch(NULL);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	expect_range(0, 3);
	expect_pattern(2, MIB);
}
END_TEST

START_TEST(index_that_is_no_file_is_replaced_or_the_log_does_not_open)
{
	ck_assert_int_eq(unlinkat(store, log_path(2, "idx"), 0), 0);
	ck_assert_int_eq(symlinkat("head", store, log_path(2, "idx")), 0);
	fault_set(CALL_UNLINK, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	expect_range(0, 3);
	expect_pattern(2, MIB);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("strange");
	TCase *heads = unit_case(suite, "heads");
	TCase *segments = unit_case(suite, "segments");
	TCase *late = unit_case(suite, "late");

	tcase_add_checked_fixture(heads, make, NULL);
	tcase_add_checked_fixture(late, late_make, NULL);
	tcase_add_loop_test(
		heads, checkpoint_of_a_truncation_that_cannot_be_does_not_count,
		0, 6);
	tcase_add_test(heads,
		       head_of_before_ends_no_segment_that_was_begun_later);
	tcase_add_loop_test(
		heads, replacement_that_is_lost_takes_the_tail_with_it, 0, 2);
	tcase_add_loop_test(heads, replacement_that_is_no_file_is_lost, 0, 6);
	tcase_add_loop_test(
		heads, what_lies_behind_a_replacement_is_not_of_the_log, 0, 2);
	tcase_add_loop_test(
		heads, old_segment_is_not_taken_for_a_lost_replacement, 0, 2);
	tcase_add_test(
		heads,
		directory_in_the_place_of_a_segment_says_nothing_of_the_log);
	tcase_add_test(
		heads,
		segment_with_the_name_of_another_says_nothing_of_the_log);
	tcase_add_test(heads, record_that_ends_behind_its_segment_is_replaced);
	tcase_add_test(segments, segment_of_another_log_is_not_appended_to);
	tcase_add_test(late,
		       garbage_behind_the_end_of_a_late_segment_is_no_size);
	tcase_add_loop_test(late,
			    link_in_the_place_of_the_last_segment_holds_nothing,
			    0, 2);
	tcase_add_test(late, segment_that_changes_during_recovery_is_refused);
	tcase_add_test(
		late,
		index_that_is_no_file_is_replaced_or_the_log_does_not_open);
	return unit_run(suite);
}
