/* SPDX-License-Identifier: MIT */
/* Tests of the keeper's going ahead of an appender. */
#include "ahead.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "io.h"

#define FIRST LOG "/00000000000000000000"
#define ENTRY 1000
#define LOTS  4000 /* entries of that: more than makes the keeper go ahead */

/* Pages of a segment's .log that are in memory, from an offset on. */
static size_t resident(size_t from, size_t bytes)
{
	size_t page = (size_t)getpagesize();
	unsigned char there[4096];
	int fd = openat(store, FIRST ".log", O_RDONLY);
	void *map;
	size_t n = 0;

	ck_assert_uint_le(bytes / page, sizeof(there));
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)from);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mincore(map, bytes, there), 0);
	for (size_t i = 0; i < bytes / page; i++)
		n += there[i] & 1;
	munmap(map, bytes);
	close(fd);
	return n;
}

static void wait_for_pages_at(size_t from)
{
	while (!resident(from, MIB))
		usleep(1000);
}

START_TEST(pages_are_ready_before_they_are_written)
{
	/* Elsewhere each append takes what it needs. */
	if (!io_rewrites_in_place(store))
		return;
	make_log("sync", "manual", NULL);
	append_many(LOTS, ENTRY);
	/* Nothing else touches what is half a MiB further. */
	wait_for_pages_at(((LOTS * ENTRY / MIB) + 1) * MIB);
}
END_TEST

START_TEST(little_is_ready_where_each_append_is_durable)
{
	make_log(NULL);
	for (int i = 0; i < 4; i++)
		append_pattern(MIB);
	append_pattern(1);
	/* What the keeper has not done by then it will not do. */
	close_log();
	ck_assert_uint_eq(resident(5 * MIB, MIB), 0);
}
END_TEST

/* What is prepared belongs to the segment that was active then. */
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
	Suite *suite = suite_create("ahead");
	TCase *tcase = unit_case(suite, "ahead");

	tcase_add_test(tcase, pages_are_ready_before_they_are_written);
	tcase_add_test(tcase, little_is_ready_where_each_append_is_durable);
	tcase_add_test(tcase,
		       appends_go_on_through_seals_truncations_and_syncs);
	return unit_run(suite);
}
