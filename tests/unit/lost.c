/* SPDX-License-Identifier: MIT */
/*
 * Tests of files that are lost, emptied, or as they were some time ago: what
 * they did not hold stays readable, nothing that is wrong is served, and the
 * log goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "head.h"

#define NEXT 10

/* Two sealed segments, an active one, a log.ini and a head. */
static const char *const names[] = {
	"head",
	"log.ini",
	"00000000000000000000.log",
	"00000000000000000000.idx",
	"00000000000000000003.log",
	"00000000000000000003.idx",
	"00000000000000000006.log",
	"00000000000000000006.idx",
};

#define NAMES ((int)(sizeof(names) / sizeof(*names)))

/* Entries that a file has a part in. */
static bool concerns(int name, uint64_t index)
{
	static const uint64_t first[] = { 99, 99, 0, 0, 3, 3, 6, 99 };
	static const uint64_t next[] = { 99, 99, 3, 3, 6, 6, 99, 99 };

	return first[name] <= index && index < next[name];
}

static void fill(void)
{
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(3, 100);
	copy_tree(LOG, "earlier");
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(1, 100);
	copy_tree(LOG, "later");
	append_many(3, 100);
}

static void fill_and_close(void)
{
	fill();
	close_log();
}

/* Looped over how the writer ended, then over files. */
static int make(int i)
{
	create_log("segment-size", "1M", NULL);
	(void)run_child(i / NAMES ? fill_and_close : fill);
	return i % NAMES;
}

static const char *path_of(const char *directory, int name)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s/%s", directory, names[name]);
	return path;
}

/* Nothing wrong is served: an entry is what it was, or an error. */
static void expect_right(int name)
{
	for (uint64_t i = 0; i < NEXT; i++) {
		if (!concerns(name, i))
			expect_pattern(i, 100);
		else if (!read_error(i))
			expect_pattern(i, 100);
		else
			ck_assert(read_error(i) == -EUCLEAN ||
				  read_error(i) == -EBADMSG);
	}
}

/* As a reader, as the writer, and as the writer once more. */
static void expect_to_go_on(int name)
{
	if (name) {
		open_log(MAPLOG_READ);
		expect_range(0, NEXT);
		expect_right(name);
		close_log();
	}
	open_log(MAPLOG_WRITE);
	expect_range(0, NEXT);
	expect_right(name);
	ck_assert_uint_eq(append_pattern(100), NEXT);
	reopen_log();
	expect_range(0, NEXT + 1);
	expect_right(name);
	expect_pattern(NEXT, 100);
}

START_TEST(log_goes_on_without_a_file)
{
	int name = make(_i);

	ck_assert_int_eq(unlinkat(store, path_of(LOG, name), 0), 0);
	expect_to_go_on(name);
}
END_TEST

START_TEST(log_goes_on_with_an_empty_file)
{
	int name = make(_i);

	shorten_file(path_of(LOG, name), 0);
	expect_to_go_on(name);
}
END_TEST

START_TEST(log_goes_on_with_a_file_of_zeros)
{
	int name = make(_i);
	uint64_t size = file_size(path_of(LOG, name));

	shorten_file(path_of(LOG, name), 0);
	shorten_file(path_of(LOG, name), size);
	expect_to_go_on(name);
}
END_TEST

/* Looped over files as they were before, then over how long before. */
START_TEST(log_goes_on_with_a_file_of_before)
{
	const char *from = _i / NAMES / 2 ? "later" : "earlier";
	int name = make(_i % (2 * NAMES));
	int old = openat(store, path_of(from, name), 0);
	int new = open_file(path_of(LOG, name));

	if (old < 0) {
		close(new);
		return;
	}
	copy_data(old, new);
	close(old);
	close(new);
	if (!name) {
		/* A reader believes a head that says that all is in order. */
		open_log(MAPLOG_WRITE);
		close_log();
	}
	expect_to_go_on(name);
}
END_TEST

START_TEST(head_that_was_lost_is_made_again)
{
	struct maplog_status before;

	(void)make(NAMES);
	open_log(MAPLOG_WRITE);
	before = status();
	close_log();
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_READ, &tlog), -ENOENT);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	ck_assert(status().recovery.head);
	ck_assert_int_eq(memcmp(status().uuid, before.uuid, 16), 0);
	expect_patterns(0, NEXT, 100);
}
END_TEST

START_TEST(head_that_was_lost_keeps_what_was_trimmed_away)
{
	(void)make(NAMES);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	close_log();
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	open_log(MAPLOG_WRITE);
	/* Of whole segments that is known. */
	expect_range(3, NEXT);
	expect_patterns(3, NEXT, 100);
}
END_TEST

/* Looped over whether there are entries behind it. */
START_TEST(head_that_was_lost_is_no_end_of_a_truncated_batch)
{
	make_log("segment-size", "1M", NULL);
	append("0");
	append_batch("1", "2", "3", NULL);
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	if (_i)
		append("later");
	close_log();
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(status().recovery.damaged, 0);
	expect_range(0, 3 + (uint64_t)_i);
	expect_text(1, "1");
	expect_text(2, "2");
}
END_TEST

/* The generation goes into each checkpoint: with this bit it has no room. */
START_TEST(flipped_bit_of_the_generation_makes_no_checkpoint_worthless)
{
	make_log("segment-size", "1M", NULL);
	append_many(8, 100);
	close_log();
	flip_bit(LOG "/head", 71, 7);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	append_many(1, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	ck_assert_int_eq(maplog_trim(tlog, 3), 0);
	reopen_log();
	expect_range(3, 4);
	expect_patterns(3, 4, 100);
}
END_TEST

/* The head is damaged, its checkpoints are not. */
START_TEST(damaged_head_gives_its_checkpoint)
{
	(void)make(NAMES);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	close_log();
	zero_file(LOG "/head", 0, 512);
	open_log(MAPLOG_WRITE);
	ck_assert(status().recovery.head);
	expect_range(4, NEXT);
	expect_patterns(4, NEXT, 100);
}
END_TEST

/* What a truncation took away lies behind the end of a segment: it must not
 * come back when the segment that followed is lost. Looped over whether there
 * was room to say where that end is. */
START_TEST(truncated_entries_do_not_come_back_for_a_lost_segment)
{
	(void)make(NAMES);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_truncate(tlog, 8), 0);
	append("new 8");
	append("new 9");
	close_log();
	if (_i)
		ck_assert_int_eq(unlinkat(store, log_path(8, "end"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(8, "log"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(8, "idx"), 0), 0);
	open_log(MAPLOG_READ);
	ck_assert_int_eq(read_error(8), -EUCLEAN);
	expect_patterns(0, 8, 100);
	close_log();
	open_log(MAPLOG_WRITE);
	for (int i = 0; i < 3; i++) {
		expect_patterns(0, 8, 100);
		ck_assert_int_eq(read_error(8), -EUCLEAN);
		append("next");
		reopen_log();
	}
}
END_TEST

/* Segments are missing between two that were not sealed. */
START_TEST(gap_between_segments_is_damage)
{
	char to[64];

	create_log("segment-size", "1M", NULL);
	(void)run_child(fill);
	snprintf(to, sizeof(to), "%s", log_path(1000000, "log"));
	ck_assert_int_eq(renameat(store, log_path(6, "log"), store, to), 0);
	open_log(MAPLOG_WRITE);
	expect_patterns(0, 6, 100);
	ck_assert_int_eq(read_error(6), -EUCLEAN);
	append("next");
}
END_TEST

/* Where it is cut, no segment is left. */
START_TEST(log_without_its_first_segment_is_truncated)
{
	(void)make(NAMES);
	for (int n = 2; n < 4; n++)
		ck_assert_int_eq(unlinkat(store, path_of(LOG, n), 0), 0);
	open_log(MAPLOG_WRITE);
	expect_range(0, NEXT);
	expect_patterns(3, NEXT, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 2), 0);
	for (int n = 0; n < 2; n++) {
		expect_range(0, 2 + (uint64_t)n);
		ck_assert_int_eq(read_error(1), -EUCLEAN);
		append("next");
		reopen_log();
		expect_text(2 + (uint64_t)n, "next");
	}
}
END_TEST

/* More is said to be durable than any segment could hold. */
START_TEST(entries_far_behind_the_last_file_are_damage)
{
	struct maplog_checkpoint far = { .durable = (uint64_t)1 << 40 };
	struct maplog_status found;
	struct head head;
	int dirfd;

	(void)make(NAMES);
	dirfd = openat(store, LOG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dirfd, 0);
	ck_assert_int_eq(head_open(dirfd, true, &head), 0);
	ck_assert_int_eq(head_set_checkpoint(&head, &far), 0);
	head_close(&head);
	close(dirfd);
	for (int i = 0; i < 2; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_range(0, far.durable);
		expect_patterns(0, NEXT, 100);
		ck_assert_int_eq(read_error(far.durable / 8), -EUCLEAN);
		ck_assert_int_eq(read_error(far.durable - 1), -EUCLEAN);
		ck_assert_int_eq(maplog_status(tlog, &found), -EUCLEAN);
		if (i)
			ck_assert_uint_eq(append("next"), far.durable);
		close_log();
	}
	open_log(MAPLOG_WRITE);
	expect_text(far.durable, "next");
}
END_TEST

static Suite *lost_suite(void)
{
	Suite *suite = suite_create("lost");
	TCase *tcase = unit_case(suite, "lost");

	tcase_add_loop_test(tcase, log_goes_on_without_a_file, 0, 2 * NAMES);
	tcase_add_loop_test(tcase, log_goes_on_with_an_empty_file, 0,
			    2 * NAMES);
	tcase_add_loop_test(tcase, log_goes_on_with_a_file_of_zeros, 0,
			    2 * NAMES);
	tcase_add_loop_test(tcase, log_goes_on_with_a_file_of_before, 0,
			    4 * NAMES);
	tcase_add_test(tcase, head_that_was_lost_is_made_again);
	tcase_add_test(tcase, head_that_was_lost_keeps_what_was_trimmed_away);
	tcase_add_test(tcase, damaged_head_gives_its_checkpoint);
	tcase_add_loop_test(
		tcase, head_that_was_lost_is_no_end_of_a_truncated_batch, 0, 2);
	tcase_add_test(
		tcase,
		flipped_bit_of_the_generation_makes_no_checkpoint_worthless);
	tcase_add_loop_test(
		tcase, truncated_entries_do_not_come_back_for_a_lost_segment, 0,
		2);
	tcase_add_test(tcase, gap_between_segments_is_damage);
	tcase_add_test(tcase, log_without_its_first_segment_is_truncated);
	tcase_add_test(tcase, entries_far_behind_the_last_file_are_damage);
	return suite;
}

int main(void)
{
	return unit_run(lost_suite());
}
