/* SPDX-License-Identifier: MIT */
/*
 * Tests of names that a power cut takes: a file that is there no more does not
 * bring back what a truncation took away.
 */
#include <stdlib.h>

#include "disk.h"
#include "files.h"
#include "fixture.h"

/* Without its keeper: nothing is synced that is not asked for. */
static void make(void)
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	open_log(MAPLOG_WRITE);
	append_batch("a", "b", "c", NULL);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

static void append_across_a_segment(void)
{
	append("new");
	append_pattern(MIB);
	append_pattern(MIB);
}

static void refuse_segment(void)
{
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	ck_assert_int_eq(try_append("new"), -ENOSPC);
	fault_clear();
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_across_a_segment();
}

static void truncate_and_append(void)
{
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	append_across_a_segment();
}

/* A segment that has to be larger takes the place of the first one. */
static void truncate_and_append_more(void)
{
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "2M"), 0);
	append_pattern(MIB + 1);
	append_pattern(2 * MIB);
}

static void reopen_and_append(void)
{
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	fault_clear();
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	reopen_log();
	append_across_a_segment();
}

static void (*const ways[])(void) = {
	truncate_and_append,
	truncate_and_append_more,
	refuse_segment,
	reopen_and_append,
};

#define WAYS ((int)(sizeof(ways) / sizeof(*ways)))

/* Nothing of "b" and "c", once it is durable that they are gone. */
static void expect_gone(const struct cut *cut)
{
	char byte = 0;

	for (int i = 0; i < 2; i++) {
		must(!maplog_open(store, cut->name, MAPLOG_WRITE, &tlog));
		expect_text(0, "a");
		for (uint64_t n = 1; counters().generation && n < 3; n++) {
			struct maplog_info info;
			int ret = maplog_read(tlog, n, &byte, 1, &info);

			ck_assert(ret || info.bytes > 1);
		}
		close_log();
	}
}

/* Looped over how the log goes on behind the truncation. */
START_TEST(truncated_entries_stay_away_though_a_name_is_lost)
{
	static const struct plan none;
	static const struct plan plan = {
		.losses = 1U << LOSS_SOME | 1U << LOSS_NAMES,
		.some = 16,
		.one_in = 1,
	};
	struct disk *disk = disk_attach(LOG, NULL, &plan, (uint64_t)_i);
	struct cut *cuts;
	size_t n;

	ways[_i]();
	disk_cut(disk);
	disk_replan(disk, &none);
	close_log();
	n = disk_detach(disk, &cuts);
	ck_assert_uint_ge(n, 100);
	for (size_t i = 0; i < n; i++)
		expect_gone(&cuts[i]);
	free(cuts);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = unit_case(suite, "names");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_loop_test(tcase,
			    truncated_entries_stay_away_though_a_name_is_lost,
			    0, WAYS);
	return unit_run_in_memory(suite);
}
