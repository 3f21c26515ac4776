/* SPDX-License-Identifier: MIT */
/*
 * Tests of stores that no writer leaves: with what a stranger has put there,
 * or intact checkpoints that say what cannot be. They are errors or damage, and
 * no reason to end.
 */
#include <errno.h>
#include <stddef.h>

#include "crc.h"
#include "files.h"
#include "fixture.h"

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

int main(void)
{
	Suite *suite = suite_create("strange");
	TCase *heads = unit_case(suite, "heads");

	tcase_add_checked_fixture(heads, make, NULL);
	tcase_add_loop_test(
		heads, checkpoint_of_a_truncation_that_cannot_be_does_not_count,
		0, 6);
	return unit_run(suite);
}
