/* SPDX-License-Identifier: MIT */
/*
 * Errors of a disk below a real file system: a program for scripts/test-disks.
 *
 *	disk-errors RIG FS POLICY STRIDE SEED
 *
 * Does a row of steps on a log, again and again, with another write or flush
 * of the disk that fails, once or from then on. The library must say so. Then
 * the disk works again, and what was acknowledged must be there: when the log
 * is opened again, with all that the page cache has; when the file system is
 * mounted again, without; and after a power cut at any of these moments. Every
 * other time the process does not close the log, but is gone, and what it has
 * left is written back before the disk works again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay.h"
#include "rig.h"
#include "state.h"

/* Of the row: the first ones are done before anything fails. */
#define STEPS 14
#define GOOD  4

/* A file tells of its error once: the data, the .idx and the head. */
#define TRIES 4

/* Steps that are appended when the log is open again, see model_step(). */
#define NUMBER 200

/* What a fault can be. */
struct fault {
	const char *error;
	char kind;
	bool on;
};

static const struct fault faults[] = {
	{ "EIO", 'w', false },	  { "EIO", 'w', true },
	{ "EIO", 'f', false },	  { "EIO", 'f', true },
	{ "ENOSPC", 'w', false }, { "ENOSPC", 'w', true },
};

static struct replay fresh; /* with a log that has some entries */
static struct replay run;
static struct row row;
static struct shown shown;
static unsigned tried;
static unsigned refused; /* to be opened again before a new mount */
static unsigned cuts;

static bool file_system_works(void)
{
	int fd = openat(rig.dir, "alive",
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool works = fd >= 0 && write(fd, "", 1) == 1 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	return works;
}

/* An overwrite that cannot go on has truncated, and that is what is shown. */
static bool is_half_overwritten(struct maplog *log, unsigned done)
{
	struct step step = row.step[done];
	struct model half = row.after[done];

	if (step.what != STEP_OVERWRITE)
		return false;
	step.what = STEP_TRUNCATE;
	model_step(&half, &step, 0);
	return !model_differs(log, &half);
}

/* After a step that failed: nothing but what was acknowledged is there, and
 * what cannot be relied on is not gone on with. */
static void check_told(struct maplog *log, unsigned done, int ret)
{
	const struct marked marked = { (int)done, -1 };
	struct expect expect = state_expect(&row, NULL, &marked);
	struct maplog_status status;
	struct model found;
	const char *differs;

	require(ret == -EIO || ret == -EROFS || ret == -ENOSPC);
	/* One that is shut down is not even read from. */
	if (!log || !file_system_works())
		return;
	expect.live = true;
	differs = expect_differs(log, &expect, &found);
	if (differs && !is_half_overwritten(log, done))
		rig_fail("after %s in step %u: %s", strerror(-ret), done + 1,
			 differs);
	require(!maplog_status(log, &status));
	if (status.error)
		require(row_do(&row, done, &log) == -EROFS);
}

/* What is there when the log is opened with all that the cache has. */
static void open_again(unsigned done)
{
	const struct marked marked = { (int)done, -1 };
	const struct expect expect = state_expect(&row, NULL, &marked);
	struct maplog *log;
	const char *differs;
	int ret = -EIO;

	for (int n = 0; n < TRIES && ret; n++)
		ret = maplog_open(rig.dir, LOG, MAPLOG_WRITE, &log);
	if (ret) {
		refused++;
		require(!file_system_works());
		return;
	}
	differs = expect_differs(log, &expect, &shown.moment[0]);
	if (differs)
		rig_fail("opened again: %s", differs);
	ret = state_go_on(log, &shown, NUMBER);
	require(!ret || !file_system_works());
}

static void do_steps(struct maplog **log)
{
	unsigned done = GOOD;
	int ret;

	ret = maplog_open(rig.dir, LOG, MAPLOG_WRITE, log);
	while (done < row.steps && !ret) {
		ret = row_do(&row, done, log);
		done += !ret;
	}
	if (ret)
		check_told(*log, done, ret);
	require(!ret || rig_failed());
}

static void do_steps_and_die(void)
{
	struct maplog *log = NULL;
	pid_t pid = fork();
	int status;

	require(pid >= 0);
	if (!pid) {
		do_steps(&log);
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid && !status);
	(void)syncfs(rig.dir);
}

/* Return: whether anything failed. */
static bool do_steps_with(const struct fault *fault, unsigned at, bool die)
{
	struct maplog *log = NULL;

	rig_mark("%s %c %u%s", fault->error, fault->kind, at,
		 fault->on ? " on" : "");
	if (die) {
		do_steps_and_die();
	} else {
		do_steps(&log);
		(void)maplog_close(log);
	}
	return rig_failed();
}

/* How many steps were done. */
static unsigned steps_done(void)
{
	static const struct marked before = { GOOD, -1 };
	struct marked marked;
	struct trail trail;

	trail_load(&trail, rig.trail);
	marked = state_marked(&before, &trail, trail.steps);
	trail_free(&trail);
	return (unsigned)marked.done;
}

/* A power cut at one of the moments since something failed. */
static void check_cut(const struct trail *trail, size_t moment, enum cut cut)
{
	static const struct marked before = { GOOD, -1 };
	const struct marked marked = state_marked(&before, trail, moment);
	size_t n = strlen(rig.state);
	struct trail since;
	struct model found;
	struct maplog *log;

	snprintf(rig.state + n, sizeof(rig.state) - n,
		 ", step %zu of %zu, cut %s", moment, trail->steps,
		 cut_name[cut]);
	cuts++;
	replay_cut(&run, trail, moment, cut, cuts);
	log = state_open(&row, &shown, &marked, &found);
	require(!maplog_close(log));
	rig_unmount();
	rig_take(&since);
	replay_touched(&run, &since);
	trail_free(&since);
	rig.state[n] = '\0';
}

/* Cuts right after each mark, and at the end. */
static void check_cuts(const struct trail *trail)
{
	for (size_t n = 1; n <= trail->steps; n++) {
		const struct trail_step *last = &trail->step[n - 1];

		if (n < trail->steps && trail_number(last, "failed ") < 0 &&
		    trail_number(last, "shown ") < 0)
			continue;
		check_cut(trail, n, CUT_NONE);
		check_cut(trail, n, CUT_SUBSET);
		check_cut(trail, n, CUT_ALL);
	}
}

static bool try_fault(const struct fault *fault, unsigned at, bool die)
{
	struct trail trail;
	bool failed;

	snprintf(rig.state, sizeof(rig.state), "%s %c %u%s%s", fault->error,
		 fault->kind, at, fault->on ? " on" : "", die ? ", dies" : "");
	replay_begin(&run, &fresh);
	require(!rig_mount());
	failed = do_steps_with(fault, at, die);
	if (failed) {
		rig_mark("failed 0");
		rig_mark("heal");
		open_again(steps_done());
	}
	rig_mark("heal");
	rig_unmount();
	rig_take(&trail);
	replay_touched(&run, &trail);
	if (failed)
		check_cuts(&trail);
	trail_free(&trail);
	return failed;
}

/* All of one kind, one out of so many. */
static void try_faults(const struct trail *trail, const struct fault *fault,
		       unsigned from, unsigned stride, bool die)
{
	bool failed = true;

	for (unsigned at = from; failed; at += stride) {
		replay_cut(&fresh, trail, trail->steps, CUT_ALL, 0);
		failed = try_fault(fault, at, die);
		tried += failed;
	}
}

static void make_log(void)
{
	struct maplog *log;

	require(!rig_mount());
	row_create(&row);
	require(!maplog_open(rig.dir, LOG, MAPLOG_WRITE, &log));
	for (unsigned n = 0; n < GOOD; n++)
		require(!row_do(&row, n, &log));
	require(!maplog_close(log));
	rig_unmount();
}

int main(int argc, char **argv)
{
	struct trail trail;
	unsigned stride;
	unsigned seed;

	if (argc != 6)
		return 2;
	rig_open(argv[1], argv[2]);
	stride = (unsigned)atoi(argv[4]);
	seed = (unsigned)atoi(argv[5]);
	replay_init(&fresh, rig.image, rig.size);
	replay_init(&run, rig.image, rig.size);
	row_toss(&row, STEPS, argv[3], seed);
	make_log();
	rig_take(&trail);
	for (size_t n = 0; n < sizeof(faults) / sizeof(*faults); n++) {
		try_faults(&trail, &faults[n], 1 + seed % stride, stride,
			   false);
		try_faults(&trail, &faults[n], 1 + (seed + stride / 2) % stride,
			   stride, true);
	}
	printf("%s, %s: %u errors of the disk, %u kept the log from being "
	       "opened until the next mount, %u power cuts later, nothing "
	       "lost\n",
	       argv[2], argv[3], tried, refused, cuts);
	return 0;
}
