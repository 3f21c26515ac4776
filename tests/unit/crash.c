/* SPDX-License-Identifier: MIT */
/*
 * Tests of power cuts between any two system calls, in rows of steps: what was
 * acknowledged is there afterwards, what was under way happened or did not.
 * Then it goes round again: recover, append, and have another power cut,
 * during recovery too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "files.h"
#include "fixture.h"
#include "model.h"

#define STEPS_MAX 12

#define LARGE (200 << 10) /* five to a segment */

#define APPEND(n)                                                              \
	{                                                                      \
		STEP_APPEND, n, 0, 100                                         \
	}
#define APPEND_LARGE(n)                                                        \
	{                                                                      \
		STEP_APPEND, n, 0, LARGE                                       \
	}
#define OVERWRITE(back, n)                                                     \
	{                                                                      \
		STEP_OVERWRITE, n, back, 100                                   \
	}
#define TRUNCATE(back)                                                         \
	{                                                                      \
		STEP_TRUNCATE, 0, back, 0                                      \
	}
#define TRIM(back)                                                             \
	{                                                                      \
		STEP_TRIM, 0, back, 0                                          \
	}
#define SEAL                                                                   \
	{                                                                      \
		STEP_SEAL, 0, 0, 0                                             \
	}
#define REOPEN                                                                 \
	{                                                                      \
		STEP_REOPEN, 0, 0, 0                                           \
	}
#define END                                                                    \
	{                                                                      \
		STEP_SYNC, 0, 0, 0                                             \
	}

/* Rows of steps; the crashes are in the last one or two of them. */
static const struct step rows[][STEPS_MAX] = {
	{ APPEND(1), APPEND(3), APPEND(2), END },
	{ APPEND(1), SEAL, APPEND(3), SEAL, END },
	{ APPEND_LARGE(4), APPEND_LARGE(4), APPEND(1), END },
	/* within the active segment */
	{ APPEND(3), APPEND(3), TRUNCATE(2), APPEND(1), END },
	/* to its beginning */
	{ APPEND(3), SEAL, APPEND(3), TRUNCATE(3), APPEND(1), END },
	/* into a sealed one */
	{ APPEND(3), SEAL, APPEND(3), SEAL, APPEND(1), TRUNCATE(6), END },
	{ APPEND(3), SEAL, APPEND(3), TRUNCATE(4), APPEND(4), END },
	/* of everything */
	{ APPEND(3), SEAL, APPEND(3), TRUNCATE(6), APPEND(1), END },
	/* twice */
	{ APPEND(5), TRUNCATE(2), TRUNCATE(2), APPEND(5), END },
	{ APPEND(5), TRUNCATE(2), APPEND(1), TRUNCATE(3), APPEND(2), END },
	{ APPEND(3), OVERWRITE(1, 2), END },
	{ APPEND(3), APPEND(3), OVERWRITE(4, 1), APPEND(1), END },
	{ APPEND(3), SEAL, APPEND(3), OVERWRITE(3, 3), END },
	{ APPEND(3), SEAL, APPEND(3), OVERWRITE(5, 2), APPEND(1), END },
	{ APPEND(3), SEAL, APPEND(3), OVERWRITE(6, 2), APPEND(1), END },
	{ APPEND(2), OVERWRITE(0, 2), APPEND(1), END },
	{ APPEND(3), TRUNCATE(1), OVERWRITE(1, 3), END },
	{ APPEND(3), TRIM(1), APPEND(1), END },
	{ APPEND(3), SEAL, APPEND(3), TRIM(2), APPEND(1), END },
	{ APPEND(3), SEAL, APPEND(3), SEAL, APPEND(1), TRIM(3), END },
	{ APPEND(3), SEAL, APPEND(1), TRIM(0), APPEND(1), END },
	{ APPEND(3), TRIM(2), TRUNCATE(1), APPEND(1), END },
	{ APPEND(3), SEAL, TRUNCATE(1), TRIM(1), APPEND(1), END },
	{ APPEND(3), TRUNCATE(1), REOPEN, APPEND(1), END },
	{ APPEND(3), SEAL, APPEND(1), REOPEN, APPEND(1), END },
	{ APPEND(3), SEAL, TRUNCATE(2), REOPEN, TRUNCATE(1), END },
};

#define ROWS ((int)(sizeof(rows) / sizeof(*rows)))

/* What the log holds after each step. */
static struct model after[STEPS_MAX + 1];
static unsigned steps;

/* Whether the crash is in a step that is of interest. */
#define LAST_STEPS 2

static void do_step(const struct step *step, unsigned number)
{
	after[number + 1] = after[number];
	model_step(&after[number + 1], step, number);
	if (step->what == STEP_REOPEN)
		reopen_log();
	else
		ck_assert_int_eq(model_do(tlog, &after[number], step, number),
				 0);
}

static int run_row(const struct step *row, unsigned losses, int every,
		   struct crash **crashes)
{
	int n;

	make_log("segment-size", "1M", NULL);
	memset(&after[0], 0, sizeof(after[0]));
	for (steps = 0; row[steps].what != STEP_SYNC; steps++)
		;
	for (unsigned i = 0; i < steps; i++) {
		if (i + LAST_STEPS == steps || (!i && steps < LAST_STEPS)) {
			disk_attach(LOG, losses, every);
			disk_mark(i);
		}
		do_step(&row[i], i);
		disk_mark(i + 1);
	}
	disk_crash();
	n = disk_detach(crashes);
	close_log();
	return n;
}

/* Which of two moments a log shows: -1 for neither. */
static int moment_of(struct maplog *log, const struct crash *crash,
		     const char **differs)
{
	for (unsigned i = 0; i < 2 && crash->mark + i <= steps; i++) {
		*differs = model_differs(log, &after[crash->mark + i]);
		if (!*differs)
			return (int)(crash->mark + i);
	}
	return -1;
}

static void report(const struct crash *crash, const char *what)
{
	ck_abort_msg("crash %s, %d steps, loss %d: %s", crash->name,
		     (int)crash->mark, (int)crash->loss, what);
}

static void open_crash(const struct crash *crash)
{
	int ret;

	ck_assert_ptr_null(tlog);
	ret = maplog_open(store, crash->name, MAPLOG_WRITE, &tlog);
	if (ret)
		report(crash, strerror(-ret));
}

static void remove_crash(const struct crash *crash)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", store_path(), crash->name);
	remove_tree(path);
}

static int check_crash(const struct crash *crash)
{
	const char *differs = NULL;
	struct maplog_counters now;
	int moment;

	moment = moment_of(tlog, crash, &differs);
	if (moment < 0)
		report(crash, differs);
	maplog_counters(tlog, &now);
	ck_assert_uint_eq(now.durable, now.next);
	return moment;
}

static void check_crashes(struct crash *crashes, int n)
{
	for (int i = 0; i < n; i++) {
		open_crash(&crashes[i]);
		check_crash(&crashes[i]);
		close_log();
		remove_crash(&crashes[i]);
	}
	free(crashes);
}

/* Looped over rows. */
START_TEST(power_cut_leaves_every_step_done_or_not_begun)
{
	struct crash *crashes;
	int n = run_row(rows[_i], CRASH_ALL, 1, &crashes);

	ck_assert_int_gt(n, 10);
	check_crashes(crashes, n);
}
END_TEST

/* The second round: marks are 0 in recovery, 1 when it has shown a moment, 2
 * when an entry was appended to that. */
static void check_second(const struct crash *first, int moment,
			 const struct crash *second)
{
	static const struct step step = APPEND(2);
	struct model model = after[moment];
	const char *differs = NULL;

	open_crash(second);
	if (!second->mark) {
		moment = moment_of(tlog, first, &differs);
		if (moment < 0)
			report(second, differs);
	} else {
		differs = model_differs(tlog, &model);
		model_step(&model, &step, steps);
		/* While it was under way, either is right. */
		if (differs || second->mark == 2)
			differs = model_differs(tlog, &model);
		if (differs)
			report(second, differs);
	}
	close_log();
	remove_crash(second);
}

static void go_round_again(const struct crash *first, int every)
{
	static const struct step step = APPEND(2);
	struct crash *crashes;
	int moment;
	int n;

	disk_attach(first->name, 1U << LOSS_ALL | 1U << LOSS_SOME, every);
	open_crash(first);
	disk_mark(1);
	disk_crash();
	moment = check_crash(first);
	ck_assert_int_eq(model_do(tlog, &after[moment], &step, steps), 0);
	disk_mark(2);
	disk_crash();
	n = disk_detach(&crashes);
	close_log();
	for (int i = 0; i < n; i++)
		check_second(first, moment, &crashes[i]);
	free(crashes);
	remove_crash(first);
}

START_TEST(power_cut_after_recovery_takes_nothing_away)
{
	struct crash *crashes;
	int n = run_row(rows[_i], 1U << LOSS_ALL | 1U << LOSS_SOME, 4,
			&crashes);

	for (int i = 0; i < n; i++)
		go_round_again(&crashes[i], 7);
	free(crashes);
}
END_TEST

static Suite *crash_suite(void)
{
	Suite *suite = suite_create("crash");
	TCase *once = unit_case(suite, "once");
	TCase *twice = unit_case(suite, "twice");

	tcase_add_loop_test(once, power_cut_leaves_every_step_done_or_not_begun,
			    0, ROWS);
	tcase_add_loop_test(twice, power_cut_after_recovery_takes_nothing_away,
			    0, ROWS);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(crash_suite());
}
