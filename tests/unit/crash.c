/* SPDX-License-Identifier: MIT */
/*
 * Tests of power cuts: in every row of up to four operations, at every system
 * call that changes the store, and in long rows as chance gives them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "powercut.h"

#define STEPS 4

/* Long rows: so many, so many to a test. */
#define LONG 60
#define ROWS 4

/* Sanitizers make it ten times slower: there it is one row of so many. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ONE_IN 121
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ONE_IN 121
#endif
#endif

#ifndef ONE_IN
#define ONE_IN 1
#endif

#define PLAN                                                                   \
	{                                                                      \
		.losses = 1U << LOSS_NONE | 1U << LOSS_ALL | 1U << LOSS_SOME,  \
		.some = 1, .one_in = 1, .kill_one_in = 32,                     \
	}

/* A step is cut in the first row that has it: in the one that goes on with
 * nothing but the first operation there is. */
static unsigned first_new_step(const struct row *row)
{
	unsigned from = row->steps - 1;

	while (from && !row->op[from])
		from--;
	return from;
}

static void end(uint64_t states)
{
	powercut_end();
	printf("%llu states\n", (unsigned long long)states);
	fflush(stdout);
}

static void run_all(int first_two, const char *sync, unsigned one_in)
{
	struct row row = {
		.op = { (enum op)(first_two / OPS),
			(enum op)(first_two % OPS) },
		.steps = STEPS,
		.plan = PLAN,
		.deep = 3,
		.deep_one_in = 16,
		.harm_one_in = 16,
	};
	uint64_t states = 0;

	powercut_prepare(sync);
	for (unsigned i = 0; i < OPS * OPS; i++) {
		row.seed = (unsigned)first_two * OPS * OPS + i;
		if (row.seed % one_in)
			continue;
		row.op[2] = (enum op)(i / OPS);
		row.op[3] = (enum op)(i % OPS);
		row.from = first_new_step(&row);
		/* Of the last step of so many rows, one moment in five. */
		row.plan.one_in = row.from == STEPS - 1 ? 5 : 1;
		states += powercut_run(&row);
	}
	end(states);
}

START_TEST(power_cut_leaves_every_operation_done_or_not_begun)
{
	run_all(_i, "always", ONE_IN);
}
END_TEST

START_TEST(power_cut_takes_only_what_was_not_synced)
{
	run_all(_i, "manual", 7 * ONE_IN);
}
END_TEST

static void run_long(int first, const char *sync)
{
	uint64_t states = 0;

	powercut_prepare(sync);
	for (int i = 0; i < ROWS; i++) {
		struct row row;

		powercut_toss(&row, (unsigned)(first * ROWS + i));
		states += powercut_run(&row);
	}
	end(states);
}

START_TEST(power_cut_in_a_long_row_takes_nothing)
{
	run_long(_i, "always");
}
END_TEST

START_TEST(power_cut_in_a_long_row_takes_what_was_not_synced)
{
	run_long(_i, "manual");
}
END_TEST

/* Those of scripts/crash-soak in which a power cut once took what it must not:
 * see docs/durability.md. */
static const struct {
	const char *sync;
	uint64_t seed;
	bool refused; /* appends are refused, too */
} found[] = {
	{ "always", 60, false },
	{ "manual", 1174, false },
	{ "manual", 39261335, true },
};

START_TEST(power_cut_in_a_row_that_was_found_takes_nothing_more)
{
	struct row row;

	powercut_prepare(found[_i].sync);
	powercut_toss(&row, found[_i].seed);
	row.filled = 0;
	if (!found[_i].refused)
		row.refused = 0;
	end(powercut_run(&row));
}
END_TEST

/* As a failure has named it: MAPLOG_ROW="always 2e5 0 6 1 4". */
START_TEST(power_cut_in_the_row_that_is_asked_for)
{
	char *word = strdup(getenv("MAPLOG_ROW"));
	struct row row = {
		.plan = PLAN, .deep = 3, .deep_one_in = 8, .harm_one_in = 1
	};

	powercut_prepare(strtok(word, " "));
	row.seed = strtoull(strtok(NULL, " "), NULL, 16);
	for (char *op; row.steps < POWERCUT_STEPS && (op = strtok(NULL, " "));)
		row.op[row.steps++] = (enum op)atoi(op);
	row.from = first_new_step(&row);
	powercut_run(&row);
	powercut_end();
	free(word);
}
END_TEST

static Suite *crash_suite(void)
{
	Suite *suite = suite_create("crash");
	TCase *always = unit_case(suite, "always");
	TCase *manual = unit_case(suite, "manual");

	tcase_add_loop_test(always,
			    power_cut_leaves_every_operation_done_or_not_begun,
			    0, OPS * OPS);
	tcase_add_loop_test(manual, power_cut_takes_only_what_was_not_synced, 0,
			    OPS * OPS);
	tcase_add_loop_test(always, power_cut_in_a_long_row_takes_nothing, 0,
			    LONG / ROWS / ONE_IN + 1);
	tcase_add_loop_test(manual,
			    power_cut_in_a_long_row_takes_what_was_not_synced,
			    0, LONG / ROWS / ONE_IN + 1);
	tcase_add_loop_test(
		unit_case(suite, "found"),
		power_cut_in_a_row_that_was_found_takes_nothing_more, 0,
		(int)(sizeof(found) / sizeof(*found)));
	if (getenv("MAPLOG_ROW"))
		tcase_add_test(unit_case(suite, "row"),
			       power_cut_in_the_row_that_is_asked_for);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(crash_suite());
}
