/* SPDX-License-Identifier: MIT */
/* States that a cut has left: what must be in them, and whether it is. */
#ifndef DISK_STATE_H
#define DISK_STATE_H

#include "row.h"
#include "trail.h"

/* What a recovery has shown, and that with a batch more. */
struct shown {
	struct model moment[2];
};

/** state_go_on() - append to what a recovery has shown, and close the log
 * @number: of the step, see model_step()
 *
 * Marks "shown 0" before and "shown 1" after the append.
 * Return: what the library said.
 */
int state_go_on(struct maplog *log, struct shown *shown, unsigned number);

/* What was marked in the first steps of a trail. */
struct marked {
	int done;  /* steps of the row; -1: the log is not yet made */
	int shown; /* -1: there was no recovery yet */
};

/** state_marked() - what was marked up to a moment
 * @before: what was marked before the trail
 */
struct marked state_marked(const struct marked *before,
			   const struct trail *trail, size_t moment);

/** state_expect() - what a log must hold then */
struct expect state_expect(const struct row *row, const struct shown *shown,
			   const struct marked *marked);

/** state_open() - mount the disk, open the log, compare it
 * @found: out: what is there
 *
 * Return: the log; NULL if it is not there, and need not be.
 */
struct maplog *state_open(const struct row *row, const struct shown *shown,
			  const struct marked *marked, struct model *found);

#endif
