/* SPDX-License-Identifier: MIT */
/*
 * Tests of calls that fail, one after the other: in a row of all operations,
 * the n-th call of each kind for every n, once and from then on. Who called is
 * told, the log is as it was or read-only, nothing leaks, and the next open
 * finds all that was acknowledged.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "fixture.h"
#include "model.h"

#define LARGE (300 << 10)

/* Sanitizers make it ten times slower: there it is not every call. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STRIDE 5
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE 5
#endif
#endif

#ifndef STRIDE
#define STRIDE 1
#endif

static const struct step steps[] = {
	{ STEP_APPEND, 2, 0, 10 },    { STEP_APPEND, 2, 0, LARGE },
	{ STEP_APPEND, 2, 0, LARGE }, { STEP_SEAL, 0, 0, 0 },
	{ STEP_APPEND, 3, 0, 10 },    { STEP_OVERWRITE, 2, 1, 10 },
	{ STEP_TRUNCATE, 0, 2, 0 },   { STEP_APPEND, 2, 0, 5000 },
	{ STEP_TRIM, 0, 4, 0 },	      { STEP_SYNC, 0, 0, 0 },
	{ STEP_REOPEN, 0, 0, 0 },     { STEP_APPEND, 2, 0, 10 },
	{ STEP_OVERWRITE, 1, 3, 10 }, { STEP_SEAL, 0, 0, 0 },
	{ STEP_TRUNCATE, 0, 99, 0 },  { STEP_APPEND, 2, 0, 10 },
};

#define STEPS ((unsigned)(sizeof(steps) / sizeof(*steps)))

/* Which call fails how. */
static const struct kind {
	enum call call;
	int error;
} kinds[] = {
	{ CALL_OPEN, EMFILE },
	{ CALL_OPEN, ENOSPC },
	{ CALL_READ, EIO },
	{ CALL_READ, EINTR },
	{ CALL_READ, FAULT_SHORT },
	{ CALL_WRITE, ENOSPC },
	{ CALL_WRITE, EIO },
	{ CALL_WRITE, EINTR },
	{ CALL_WRITE, FAULT_SHORT },
	{ CALL_RESIZE, ENOSPC },
	{ CALL_RESIZE, EIO },
	{ CALL_RESIZE, EINTR },
	{ CALL_ALLOCATE, ENOSPC },
	{ CALL_ALLOCATE, EINTR },
	{ CALL_ALLOCATE, EOPNOTSUPP },
	{ CALL_SYNC, EIO },
	{ CALL_SYNC, ENOSPC },
	{ CALL_SYNC_DIR, EIO },
	{ CALL_UNLINK, EIO },
	{ CALL_RENAME, EIO },
	{ CALL_MAP, ENOMEM },
	{ CALL_ADVISE, ENOMEM },
	{ CALL_ADVISE, EFAULT },
	{ CALL_NEW, ENOMEM },
	{ CALL_THREAD, EAGAIN },
};

#define KINDS ((int)(sizeof(kinds) / sizeof(*kinds)))

/* What the log holds, and what it holds as well if the step that turned it
 * read-only, or was under way in a close that failed, has happened. */
static struct model sure;
static struct model perhaps;
static bool failed;
static bool refused; /* by open */
static const char *where;

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	must(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void wrong(unsigned step, const char *what)
{
	ck_abort_msg("%s, step %d: %s", where, (int)step, what);
}

/* Opens the log; where it is refused, without the fault. */
static void open_again(unsigned step)
{
	int ret = maplog_open(store, LOG, MAPLOG_WRITE, &tlog);

	if (!ret)
		return;
	refused = true;
	fault_clear();
	ret = maplog_open(store, LOG, MAPLOG_WRITE, &tlog);
	if (ret)
		wrong(step, strerror(-ret));
}

static void expect_sure(unsigned step)
{
	const char *differs = model_differs(tlog, &sure);

	if (differs)
		wrong(step, differs);
}

static void end_step(const struct step *step, unsigned number, int ret)
{
	struct maplog_status now;

	if (!ret) {
		model_step(&sure, step, number);
		perhaps = sure;
		return;
	}
	(void)maplog_status(tlog, &now);
	failed = now.error;
	perhaps = sure;
	if (failed)
		model_step(&perhaps, step, number);
	else if (now.counters.first != sure.first ||
		 now.counters.next != sure.next)
		wrong(number, "refused, and has changed");
}

static void do_steps(void)
{
	for (unsigned i = 0; i < STEPS && !failed; i++) {
		if (steps[i].what != STEP_REOPEN) {
			end_step(&steps[i], i,
				 model_do(tlog, &sure, &steps[i], i));
			continue;
		}
		(void)maplog_close(tlog);
		tlog = NULL;
		open_again(i);
	}
	if (failed && maplog_sync(tlog, NULL) != -EROFS)
		wrong(STEPS, "goes on after a failed sync");
}

/* Whatever has failed, the next open finds what there has to be. */
static void look_again(void)
{
	static const struct step step = { STEP_APPEND, 2, 0, 10 };
	const char *differs;

	fault_clear();
	(void)maplog_close(tlog);
	tlog = NULL;
	open_again(STEPS);
	differs = model_differs(tlog, &sure);
	if (differs && !model_differs(tlog, &perhaps)) {
		sure = perhaps;
		differs = NULL;
	}
	if (differs)
		wrong(STEPS, differs);
	must(!model_do(tlog, &sure, &step, STEPS));
	model_step(&sure, &step, STEPS);
	expect_sure(STEPS);
	close_log();
}

/* Whether there was an n-th call at all. */
static bool run(const struct kind *kind, int n, int times)
{
	char path[400];
	char text[96];
	int fds = count_fds();
	bool reached;

	snprintf(text, sizeof(text), "call %d, error %d, n %d, times %d",
		 (int)kind->call, kind->error, n, times);
	where = text;
	memset(&sure, 0, sizeof(sure));
	memset(&perhaps, 0, sizeof(perhaps));
	failed = refused = false;
	create_log("segment-size", "1M", NULL);
	fault_clear();
	fault_set(kind->call, n, times, kind->error);
	open_again(0);
	do_steps();
	reached = refused || calls_made(kind->call) > n;
	look_again();
	if (count_fds() != fds)
		wrong(STEPS, "leaves files open");
	snprintf(path, sizeof(path), "%s/%s", store_path(), LOG);
	remove_tree(path);
	return reached;
}

static bool is_tried_again(int error)
{
	return error == EINTR || error == FAULT_SHORT;
}

/* Looped over kinds, once and from then on. */
START_TEST(call_that_fails_is_told_and_changes_nothing)
{
	const struct kind *kind = &kinds[_i / 2];
	int times = _i % 2 ? -1 : 1;
	int n = 0;

	/* For ever that would be for ever. */
	if (is_tried_again(kind->error) && times < 0)
		return;
	while (run(kind, n, times))
		n += STRIDE;
	printf("%d faults\n", n / STRIDE);
	fflush(stdout);
}
END_TEST

static Suite *fault_suite(void)
{
	Suite *suite = suite_create("fault");

	tcase_add_loop_test(unit_case(suite, "fault"),
			    call_that_fails_is_told_and_changes_nothing, 0,
			    2 * KINDS);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(fault_suite());
}
