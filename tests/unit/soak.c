/* SPDX-License-Identifier: MIT */
/*
 * Power cuts without end: long rows of operations as chance gives them, until
 * so many states were checked. scripts/crash-soak runs it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "powercut.h"

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void run(const char *sync)
{
	uint64_t wanted = number("MAPLOG_STATES", 10000);
	uint64_t seed = number("MAPLOG_SEED", 1);
	uint64_t states = 0;
	uint64_t rows = 0;

	powercut_prepare(sync);
	for (; states < wanted; rows++) {
		struct row row;

		powercut_toss(&row, seed + rows);
		states += powercut_run(&row);
	}
	powercut_end();
	printf("%s: %" PRIu64 " states of %" PRIu64 " rows, seeds %" PRIu64
	       " to %" PRIu64 "\n",
	       sync, states, rows, seed, seed + rows - 1);
	fflush(stdout);
}

START_TEST(power_cuts_in_rows_as_chance_gives_them)
{
	run("always");
}
END_TEST

START_TEST(power_cuts_in_rows_that_are_synced_by_hand)
{
	run("manual");
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *test)
{
	TCase *tcase = unit_case(suite, name);

	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, test);
}

static Suite *soak_suite(void)
{
	Suite *suite = suite_create("soak");

	add_case(suite, "always", power_cuts_in_rows_as_chance_gives_them);
	add_case(suite, "manual", power_cuts_in_rows_that_are_synced_by_hand);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(soak_suite());
}
