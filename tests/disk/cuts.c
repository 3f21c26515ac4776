/* SPDX-License-Identifier: MIT */
/*
 * Power cuts below a real file system: a program for scripts/test-disks.
 *
 *	disk-cuts RIG FS POLICY STATES SEED
 *
 * Does rows of steps on a log on the disk of the rig. At moments as chance has
 * them it lets the disk be what a power cut leaves, mounts it, opens the log,
 * and compares it with what was acknowledged. One of some states is appended
 * to, and cut again while that, or its recovery, goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "rig.h"
#include "state.h"

/* States of a row, and of one that is cut again. */
#define OF_ROW	 100
#define OF_STATE 5

/* One state of so many is. */
#define AGAIN_ONE_IN 8

/* The step that is appended to a state, see model_step(). */
#define NUMBER 200

static struct replay fresh; /* with nothing but the file system */
static struct replay first;
static struct replay second;
static struct row row;
static uint64_t row_seed;
static uint64_t chance;
static unsigned states;
static unsigned left; /* to be checked */

static int ascending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static void toss_moments(size_t *moment, size_t n, const struct trail *trail)
{
	for (size_t i = 0; i < n; i++)
		moment[i] = rig_dice(&chance) % (trail->steps + 1);
	qsort(moment, n, sizeof(*moment), ascending);
}

/* What the disk was used for is undone by the next cut. */
static void take_note(struct replay *replay)
{
	struct trail trail;

	rig_take(&trail);
	replay_touched(replay, &trail);
	trail_free(&trail);
}

/* Lets the disk be what a cut leaves, and says so if it goes wrong. */
static void cut(struct replay *replay, const struct trail *trail, size_t moment,
		enum cut cut)
{
	uint64_t seed = rig_dice(&chance);
	size_t n = replay == &first ? 0 : strlen(rig.state);

	if (!n)
		n = (size_t)snprintf(rig.state, sizeof(rig.state), "row %llu",
				     (unsigned long long)row_seed);
	snprintf(rig.state + n, sizeof(rig.state) - n,
		 ", step %zu of %zu, cut %s", moment, trail->steps,
		 cut_name[cut]);
	replay_cut(replay, trail, moment, cut, seed);
	states++;
}

static void check(const struct shown *shown, const struct marked *marked)
{
	struct model found;
	struct maplog *log = state_open(&row, shown, marked, &found);

	require(!maplog_close(log));
	rig_unmount();
}

/* While what a cut has left was recovered and appended to, there were cuts. */
static void cut_again(const struct shown *shown, const struct marked *before)
{
	size_t moment[OF_STATE];
	size_t told = strlen(rig.state);
	struct trail trail;

	rig_take(&trail);
	replay_touched(&second, &trail);
	toss_moments(moment, OF_STATE, &trail);
	for (size_t n = 0; n < OF_STATE; n++) {
		const struct marked marked =
			state_marked(before, &trail, moment[n]);

		rig.state[told] = '\0';
		cut(&second, &trail, moment[n], (enum cut)(n % CUTS));
		check(shown, &marked);
		take_note(&second);
	}
	trail_free(&trail);
}

static void check_deep(const struct marked *marked)
{
	struct shown shown;
	struct maplog *log;

	replay_begin(&second, &first);
	log = state_open(&row, NULL, marked, &shown.moment[0]);
	if (log)
		require(!state_go_on(log, &shown, NUMBER));
	rig_unmount();
	cut_again(&shown, marked);
}

static void check_row(const struct trail *trail)
{
	static const struct marked nothing = { -1, -1 };
	size_t moment[OF_ROW];

	toss_moments(moment, OF_ROW, trail);
	for (size_t n = 0; n < OF_ROW && states < left; n++) {
		const struct marked marked =
			state_marked(&nothing, trail, moment[n]);

		cut(&first, trail, moment[n], (enum cut)(n % CUTS));
		if (rig_dice(&chance) % AGAIN_ONE_IN == 0) {
			check_deep(&marked);
		} else {
			check(NULL, &marked);
			take_note(&first);
		}
	}
}

static void do_row(struct trail *trail)
{
	struct maplog *log;

	require(!rig_mount());
	row_create(&row);
	require(!maplog_open(rig.dir, LOG, MAPLOG_WRITE, &log));
	for (unsigned n = 0; n < row.steps; n++)
		require(!row_do(&row, n, &log));
	require(!maplog_close(log));
	rig_unmount();
	rig_take(trail);
	replay_touched(&first, trail);
}

int main(int argc, char **argv)
{
	struct trail mkfs;
	struct trail trail;

	if (argc != 6)
		return 2;
	rig_open(argv[1], argv[2]);
	left = (unsigned)atoi(argv[4]);
	row_seed = strtoull(argv[5], NULL, 0);
	replay_init(&fresh, rig.image, rig.size);
	replay_init(&first, rig.image, rig.size);
	replay_init(&second, rig.image, rig.size);
	rig_take(&mkfs);
	for (; states < left; row_seed++) {
		chance = row_seed;
		row_toss(&row, ROW_STEPS, argv[3], row_seed);
		replay_cut(&fresh, &mkfs, mkfs.steps, CUT_ALL, 0);
		replay_begin(&first, &fresh);
		do_row(&trail);
		check_row(&trail);
		trail_free(&trail);
	}
	printf("%s, %s: %u power cuts in %u rows, nothing lost\n", argv[2],
	       argv[3], states,
	       (unsigned)(row_seed - strtoull(argv[5], NULL, 0)));
	return 0;
}
