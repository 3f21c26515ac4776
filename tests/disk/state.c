/* SPDX-License-Identifier: MIT */
/* States that a cut has left: what must be in them, and whether it is. */
#include "state.h"

#include <errno.h>
#include <string.h>

#include "rig.h"

int state_go_on(struct maplog *log, struct shown *shown, unsigned number)
{
	static const struct step step = { STEP_APPEND, 2, 0, 10 };
	int closed;
	int ret;

	shown->moment[1] = shown->moment[0];
	model_step(&shown->moment[1], &step, number);
	rig_mark("shown 0");
	ret = model_do(log, &shown->moment[0], &step, number);
	if (!ret)
		rig_mark("shown 1");
	closed = maplog_close(log);
	return ret ? ret : closed;
}

struct marked state_marked(const struct marked *before,
			   const struct trail *trail, size_t moment)
{
	struct marked marked = *before;

	for (size_t n = 0; n < moment; n++) {
		int done = trail_number(&trail->step[n], "done ");
		int shown = trail_number(&trail->step[n], "shown ");

		marked.done = done < 0 ? marked.done : done;
		marked.shown = shown < 0 ? marked.shown : shown;
	}
	return marked;
}

struct expect state_expect(const struct row *row, const struct shown *shown,
			   const struct marked *marked)
{
	unsigned n = marked->done < 0 ? 0 : (unsigned)marked->done;

	if (marked->shown >= 0)
		return (struct expect){
			.moment = shown->moment,
			.low = row->always ? (unsigned)marked->shown : 0,
			.high = 1,
		};
	return (struct expect){
		.moment = row->after,
		.low = row->floor[n],
		.high = n < row->steps ? n + 1 : n,
	};
}

struct maplog *state_open(const struct row *row, const struct shown *shown,
			  const struct marked *marked, struct model *found)
{
	const struct expect expect = state_expect(row, shown, marked);
	struct maplog *log;
	const char *differs;
	int ret = rig_mount();

	if (ret)
		rig_fail("mount: %s", strerror(-ret));
	ret = maplog_open(rig.dir, LOG, MAPLOG_WRITE, &log);
	if (ret == -ENOENT && marked->done < 0)
		return NULL;
	if (ret)
		rig_fail("maplog_open: %s", strerror(-ret));
	differs = expect_differs(log, &expect, found);
	if (differs)
		rig_fail("done %d, shown %d: %s", marked->done, marked->shown,
			 differs);
	return log;
}
