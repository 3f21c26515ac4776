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

START_TEST(power_cuts_in_rows_as_chance_gives_them)
{
	uint64_t wanted = number("MAPLOG_STATES", 10000);
	uint64_t seed = number("MAPLOG_SEED", 1);
	uint64_t states = 0;
	uint64_t rows = 0;

	powercut_prepare(_i ? "manual" : "always");
	for (; states < wanted; rows++) {
		struct row row;

		powercut_toss(&row, seed + rows);
		states += powercut_run(&row);
	}
	powercut_end();
	printf("%s: %" PRIu64 " states of %" PRIu64 " rows, seeds %" PRIu64
	       " to %" PRIu64 "\n",
	       _i ? "manual" : "always", states, rows, seed, seed + rows - 1);
	fflush(stdout);
}
END_TEST

static Suite *soak_suite(void)
{
	Suite *suite = suite_create("soak");
	TCase *tcase = unit_case(suite, "soak");

	tcase_set_timeout(tcase, 0);
	tcase_add_loop_test(tcase, power_cuts_in_rows_as_chance_gives_them, 0,
			    2);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(soak_suite());
}
