/* SPDX-License-Identifier: MIT */
/*
 * Tests of entries without payload that a power cut has torn: of each of them
 * the record is all there is.
 */
#include <stdlib.h>

#include "files.h"
#include "fixture.h"

static void append_empty(size_t n)
{
	struct maplog_entry *entries = calloc(n, sizeof(*entries));

	for (size_t i = 0; i < n; i++)
		entries[i] = (struct maplog_entry){ "", 0, 7 };
	ck_assert_int_eq(maplog_append(tlog, entries, n, NULL), 0);
	free(entries);
}

static void append_one_batch(void)
{
	open_log(MAPLOG_WRITE);
	copy_tree(LOG, "before");
	append_empty(65);
}

static void append_two_batches(void)
{
	open_log(MAPLOG_WRITE);
	append_empty(42);
	copy_tree(LOG, "before");
	append_empty(2);
}

/* Only the .log has what was appended last. */
static void cut_power(void (*writer)(void))
{
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(writer), 0);
	restore_file(LOG "/head");
	restore_file(log_path(0, "idx"));
}

/* As a reader, and as two writers. */
static void expect_entries(uint64_t n)
{
	char none[1];

	for (int i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_range(0, n);
		for (uint64_t index = 0; index < n; index++)
			ck_assert_int_eq(
				maplog_read(tlog, index, none, 1, NULL), 0);
		close_log();
	}
}

/* Looped over sectors. */
START_TEST(batch_of_empty_entries_is_whole_or_absent)
{
	const uint64_t at = PAYLOAD_SIZE + 512 * (uint64_t)_i;

	cut_power(append_one_batch);
	zero_file(log_path(0, "log"), at, at + 512);
	expect_entries(0);
}
END_TEST

START_TEST(batch_of_empty_entries_that_is_not_torn_is_there)
{
	cut_power(append_one_batch);
	expect_entries(65);
}
END_TEST

/* The first of them is in two sectors, and so is the batch. */
START_TEST(batch_behind_empty_entries_is_whole_or_absent)
{
	cut_power(append_two_batches);
	zero_file(log_path(0, "log"), RECORD_AT(42), RECORD_AT(42) + 16);
	expect_entries(42);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("empty");
	TCase *tcase = unit_case(suite, "empty");

	tcase_add_loop_test(tcase, batch_of_empty_entries_is_whole_or_absent, 0,
			    4);
	tcase_add_test(tcase, batch_of_empty_entries_that_is_not_torn_is_there);
	tcase_add_test(tcase, batch_behind_empty_entries_is_whole_or_absent);
	return unit_run(suite);
}
