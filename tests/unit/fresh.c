/* SPDX-License-Identifier: MIT */
/* Tests of writing to fresh space before a batch comes to it. */
#include "fresh.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "io.h"

#define FIRST LOG "/00000000000000000000"
#define ENTRY 1000
#define SOME  100
#define LOTS  4000

/* Whether the .log of the first segment has been written to at an offset:
 * nothing else brings pages of it into memory here. */
static bool written_at(size_t offset)
{
	size_t page = (size_t)getpagesize();
	unsigned char there;
	int fd = openat(store, FIRST ".log", O_RDONLY);
	void *map = mmap(NULL, page, PROT_READ, MAP_SHARED, fd,
			 (off_t)(offset & ~(page - 1)));

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mincore(map, page, &there), 0);
	munmap(map, page);
	close(fd);
	return there & 1;
}

START_TEST(small_durable_batches_find_their_space_written)
{
	/* Elsewhere it would be written twice, in two places. */
	if (!io_rewrites_in_place(store))
		return;
	make_log("sync", "always", NULL);
	append_many(SOME, ENTRY);
	ck_assert(written_at(SOME * ENTRY + 8192));
	ck_assert(!written_at(SOME * ENTRY + (64 << 10)));
}
END_TEST

START_TEST(little_logs_stay_little)
{
	make_log("sync", "always", NULL);
	append_many(10, ENTRY);
	ck_assert(!written_at(10 * ENTRY + 8192));
}
END_TEST

START_TEST(large_batches_have_no_space_written_ahead)
{
	make_log("sync", "always", NULL);
	append_pattern(MIB);
	append_pattern(MIB);
	ck_assert(!written_at(2 * MIB + 8192));
}
END_TEST

START_TEST(more_is_written_ahead_where_batches_are_not_synced)
{
	if (!io_rewrites_in_place(store))
		return;
	make_log("sync", "manual", NULL);
	append_pattern(MIB);
	append_pattern(1);
	ck_assert(written_at(MIB + (200 << 10)));
	ck_assert(!written_at(MIB + (300 << 10)));
}
END_TEST

static void expect_all_good(uint64_t next)
{
	ck_assert_uint_eq(counters().next, next);
	for (uint64_t i = 0; i < next; i++)
		ck_assert_int_eq(read_error(i), 0);
}

START_TEST(what_is_written_ahead_covers_no_entry)
{
	make_log("sync", "always", "segment-size", "1M", NULL);
	for (size_t i = 0; i < 300; i++)
		append_pattern(1 + i * i * 37 % 20000);
	expect_all_good(300);
	reopen_log();
	for (size_t i = 0; i < 300; i++)
		append_pattern(1 + i * i * 41 % 3000);
	expect_all_good(600);
	reopen_log();
	expect_all_good(600);
}
END_TEST

/* What was written ahead belongs to the segment that was active then. */
START_TEST(appends_go_on_through_seals_truncations_and_syncs)
{
	make_log("sync", "manual", NULL);
	for (uint64_t round = 1; round <= 5; round++) {
		append_many(LOTS, ENTRY);
		if (round % 2)
			ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
		else
			ck_assert_int_eq(
				maplog_truncate(tlog, counters().next - LOTS),
				0);
		append_many(LOTS, ENTRY);
		ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	}
	reopen_log();
	for (uint64_t i = 0; i < counters().next; i++)
		ck_assert_int_eq(read_error(i), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fresh");
	TCase *tcase = unit_case(suite, "fresh");

	tcase_add_test(tcase, small_durable_batches_find_their_space_written);
	tcase_add_test(tcase, little_logs_stay_little);
	tcase_add_test(tcase, large_batches_have_no_space_written_ahead);
	tcase_add_test(tcase,
		       more_is_written_ahead_where_batches_are_not_synced);
	tcase_add_test(tcase, what_is_written_ahead_covers_no_entry);
	tcase_add_test(tcase,
		       appends_go_on_through_seals_truncations_and_syncs);
	return unit_run(suite);
}
