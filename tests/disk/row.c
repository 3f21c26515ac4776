/* SPDX-License-Identifier: MIT */
/* Rows of steps on a log. */
#include "row.h"

#include <string.h>

#include "rig.h"

/* More of what is done more often. */
static const enum what kinds[] = {
	STEP_APPEND, STEP_APPEND, STEP_APPEND,	 STEP_APPEND, STEP_OVERWRITE,
	STEP_SEAL,   STEP_SYNC,	  STEP_TRUNCATE, STEP_TRIM,   STEP_REOPEN,
};

static struct step toss_step(uint64_t *chance)
{
	struct step step = { .n = 0 };

	step.what = kinds[rig_dice(chance) % (sizeof(kinds) / sizeof(*kinds))];
	step.n = 1 + (unsigned)(rig_dice(chance) % 4);
	step.back = 1 + (unsigned)(rig_dice(chance) % 5);
	step.bytes = UINT32_C(1) << rig_dice(chance) % 15;
	return step;
}

/* Whether all is durable when a step is done, whatever the policy. */
static bool is_durable(const struct step *step, const struct model *before,
		       const struct model *after)
{
	switch (step->what) {
	case STEP_APPEND:
		return false;
	case STEP_TRUNCATE:
	case STEP_TRIM:
		return before->first != after->first ||
		       before->next != after->next;
	default:
		return true;
	}
}

void row_toss(struct row *row, unsigned steps, const char *sync, uint64_t seed)
{
	uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	require(steps <= ROW_STEPS);
	memset(row, 0, sizeof(*row));
	row->steps = steps;
	row->always = !strcmp(sync, "always");
	for (unsigned n = 0; n < steps; n++) {
		const struct model *before = &row->after[n];
		struct model *after = &row->after[n + 1];
		struct step *step = &row->step[n];

		*step = toss_step(&chance);
		*after = *before;
		model_step(after, step, n + 1);
		row->floor[n + 1] =
			row->always || is_durable(step, before, after)
				? n + 1
				: row->floor[n];
	}
}

void row_create(const struct row *row)
{
	struct maplog_options options;

	maplog_options_init(&options);
	options.segment_size = (uint64_t)1 << 20;
	options.sync = row->always ? MAPLOG_SYNC_ALWAYS : MAPLOG_SYNC_MANUAL;
	require(!maplog_create(rig.dir, LOG, 0700, &options));
	rig_mark("done 0");
}

int row_do(const struct row *row, unsigned n, struct maplog **log)
{
	const struct step *step = &row->step[n];
	int ret;

	if (step->what != STEP_REOPEN) {
		ret = model_do(*log, &row->after[n], step, n + 1);
	} else {
		ret = maplog_close(*log);
		*log = NULL;
		if (!ret)
			ret = maplog_open(rig.dir, LOG, MAPLOG_WRITE, log);
	}
	if (!ret)
		rig_mark("done %u", n + 1);
	return ret;
}
