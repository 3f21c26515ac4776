/* SPDX-License-Identifier: MIT */
/* Power cuts in rows of operations. */
#include "powercut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "files.h"
#include "fixture.h"
#include "folder.h"
#include "scar.h"

#define WORK   "work"
#define HARMED "harmed"

/* So little room is left in the active segment that a row begins with. */
#define ROOM 6000

/* Numbers of steps that are not of a row, see model_step(). */
#define BASE_NUMBER 0
#define ROW_NUMBER  8
#define DEEP_NUMBER 64

/* What a row begins with. */
static struct {
	struct folder files;
	struct model model;
	bool always; /* what is acknowledged is durable */
} base;

/* Of the row that is run. */
static const struct row *current;
static struct model after[POWERCUT_STEPS + 1];
static unsigned floors[POWERCUT_STEPS + 1]; /* durable when so many are done */
static uint64_t states;
static uint64_t chance;
static uint64_t harm_chance; /* apart, so that neither changes the other */

static const struct plan no_plan;

/* At once, too: libcheck says it when all tests are done, hours later. */
static void report(const struct cut *cut, unsigned deep, const char *what)
{
	char row[128];
	char text[256];
	int n = 0;

	for (unsigned i = 0; i < current->steps; i++)
		n += snprintf(row + n, sizeof(row) - (size_t)n, " %d",
			      (int)current->op[i]);
	snprintf(text, sizeof(text),
		 "row%s, seed %#llx, %s, %d done, loss %d, %d deep: %s", row,
		 (unsigned long long)current->seed, cut->name, (int)cut->mark,
		 (int)cut->loss, (int)deep, what);
	printf("alarm: %s\n", text);
	fflush(stdout);
	ck_abort_msg("%s", text);
}

static void do_step(const struct step *step, struct model *model,
		    unsigned number)
{
	struct model next = *model;
	int ret = 0;

	model_step(&next, step, number);
	if (step->what == STEP_REOPEN) {
		close_log();
		ret = maplog_open(store, WORK, MAPLOG_WRITE, &tlog);
	} else {
		ret = model_do(tlog, model, step, number);
	}
	if (ret)
		ck_abort_msg("step %d: %s", (int)step->what, strerror(-ret));
	*model = next;
}

static void append_filler(struct model *model)
{
	const size_t bytes = PAYLOAD_SIZE - ROOM;
	char *zeros = calloc(1, bytes);
	const struct maplog_entry entry = { zeros, bytes, MODEL_FILLER };

	must(!maplog_append(tlog, &entry, 1, NULL));
	model->value[model->next++] = MODEL_FILLER;
	free(zeros);
}

void powercut_prepare(const char *sync)
{
	static const struct step three = { STEP_APPEND, 3, 0, 100 };
	static const struct step seal = { STEP_SEAL, 0, 0, 0 };
	static const struct step two = { STEP_APPEND, 2, 0, 10 };
	struct model *model = &base.model;

	memset(&base, 0, sizeof(base));
	base.always = !strcmp(sync, "always");
	make_log("segment-size", "1M", "sync", sync, NULL);
	do_step(&three, model, BASE_NUMBER);
	do_step(&seal, model, BASE_NUMBER + 1);
	append_filler(model);
	do_step(&two, model, BASE_NUMBER + 2);
	close_log();
	folder_load(&base.files, LOG);
}

void powercut_end(void)
{
	folder_free(&base.files);
}

/* Where the last segment begins. */
static uint64_t boundary(const struct model *model)
{
	struct maplog_segment last;

	if (model->next == model->first)
		return model->first;
	must(!maplog_segment(tlog, model->next - 1, &last));
	return last.base > model->first ? last.base : model->first;
}

static struct step step_of(unsigned i, const struct model *model)
{
	/* No segment has room for two of them. */
	static const struct step fill = { STEP_APPEND, 2, 0, 500000 };
	const enum op op = current->op[i];
	static const struct step steps[OPS] = {
		[OP_APPEND_BYTE] = { STEP_APPEND, 2, 0, 1 },
		[OP_APPEND_PAGE] = { STEP_APPEND, 2, 0, 2500 },
		[OP_APPEND_SEGMENT] = { STEP_APPEND, 2, 0, 3500 },
		[OP_TRUNCATE_MIDDLE] = { STEP_TRUNCATE, 0, 3, 0 },
		[OP_TRUNCATE_BOUNDARY] = { STEP_TRUNCATE, 0, 0, 0 },
		[OP_TRUNCATE_ALL] = { STEP_TRUNCATE, 0, MODEL_ENTRIES, 0 },
		[OP_OVERWRITE] = { STEP_OVERWRITE, 2, 1, 1 },
		[OP_TRIM] = { STEP_TRIM, 0, 1, 0 },
		[OP_SYNC] = { STEP_SYNC, 0, 0, 0 },
		[OP_SEAL] = { STEP_SEAL, 0, 0, 0 },
		[OP_REOPEN] = { STEP_REOPEN, 0, 0, 0 },
	};
	struct step step = steps[op];
	uint64_t back;

	if (op == OP_APPEND_SEGMENT && current->filled >> i & 1)
		return fill;
	if (op != OP_TRUNCATE_BOUNDARY && op != OP_TRIM)
		return step;
	back = model->next - boundary(model);
	if (op == OP_TRUNCATE_BOUNDARY ||
	    (back && back < model->next - model->first))
		step.back = (unsigned)back;
	return step;
}

static bool is_durable(enum op op)
{
	return base.always || op > OP_APPEND_SEGMENT;
}

static void find_moment(const struct expect *expect, struct model *found,
			const struct cut *cut, unsigned deep)
{
	const char *differs = expect_differs(tlog, expect, found);

	if (differs)
		report(cut, deep, differs);
}

static uint64_t roll(uint64_t *dice)
{
	*dice = *dice * 6364136223846793005U + 1442695040888963407U;
	return *dice >> 33;
}

static uint64_t roll_dice(void)
{
	return roll(&chance);
}

static void check_cut(const struct cut *cut, const struct expect *expect,
		      unsigned deep);

/* Marks of the second and later cuts: 0 in recovery, 1 when it has shown a
 * moment, 2 when a batch was appended to that. */
static void check_again(struct cut *cuts, size_t n, const struct model shown[2],
			const struct expect *expect, unsigned deep)
{
	for (size_t i = 0; i < n; i++) {
		unsigned low = cuts[i].mark == 2 && base.always;
		struct expect later = {
			.moment = shown, .low = low, .high = 1, .floor = low
		};

		if (!cuts[i].mark) {
			later = *expect;
			later.low = later.floor;
		}
		check_cut(&cuts[i], &later, deep - 1);
	}
	free(cuts);
}

static void open_cut(const struct cut *cut, unsigned deep)
{
	int ret;

	tlog = NULL;
	ret = maplog_open(store, cut->name, MAPLOG_WRITE, &tlog);
	if (ret)
		report(cut, deep, strerror(-ret));
}

/* Recovers, appends, and has cuts meanwhile. */
static void go_round(const struct cut *cut, const struct expect *expect,
		     unsigned deep)
{
	static const struct step step = { STEP_APPEND, 2, 0, 10 };
	static const struct plan plan = {
		.losses = 1U << LOSS_SOME | 1U << LOSS_ALL,
		.some = 1,
		.one_in = 24,
	};
	struct disk *disk =
		disk_attach(cut->name, cut->past, &plan, roll_dice());
	struct model shown[2];
	struct cut *cuts;
	size_t n;

	open_cut(cut, deep);
	find_moment(expect, &shown[0], cut, deep);
	disk_mark(disk, 1);
	shown[1] = shown[0];
	do_step(&step, &shown[1], DEEP_NUMBER + deep);
	disk_mark(disk, 2);
	disk_replan(disk, &no_plan);
	close_log();
	n = disk_detach(disk, &cuts);
	check_again(cuts, n, shown, expect, deep);
}

/* Recovers, and perhaps once more with an entry that is damaged. */
static void go_once(const struct cut *cut, const struct expect *expect)
{
	bool harmed = current->harm_one_in &&
		      roll(&harm_chance) % current->harm_one_in == 0;
	const char *differs = NULL;
	struct model found;

	if (harmed)
		copy_tree(cut->name, HARMED);
	open_cut(cut, 0);
	find_moment(expect, &found, cut, 0);
	close_log();
	if (!harmed)
		return;
	differs = scar_differs(HARMED, &found, roll(&harm_chance));
	if (differs)
		report(cut, 0, differs);
	folder_remove(HARMED);
	states++;
}

static void check_cut(const struct cut *cut, const struct expect *expect,
		      unsigned deep)
{
	states++;
	if (deep)
		go_round(cut, expect, deep);
	else
		go_once(cut, expect);
	folder_remove(cut->name);
}

static void check_first(const struct cut *cut)
{
	struct expect expect = {
		.moment = after,
		.low = floors[cut->mark],
		.high = (unsigned)cut->mark,
		.floor = floors[cut->mark],
	};
	bool deep = roll_dice() % current->deep_one_in == 0;

	/* Without a power cut nothing is lost, but by the next one: recovery
	 * must not have trusted the page cache. */
	if (cut->loss == LOSS_NONE && cut->exact)
		expect.low = (unsigned)cut->mark;
	if (cut->loss == LOSS_NONE)
		deep = true;
	if (expect.high < current->steps)
		expect.high++;
	check_cut(cut, &expect, deep ? current->deep : 0);
}

static bool is_refused(unsigned step)
{
	return current->refused >> step & 1;
}

/* Where it would need no segment it is left out. */
static void refuse_append(void)
{
	static const char zeros[PAYLOAD_SIZE];
	const struct maplog_entry entry = { zeros, sizeof(zeros), 0 };
	struct maplog_segment last;

	if (!maplog_segment(tlog, UINT64_MAX, &last) && !last.entries)
		return;
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	must(maplog_append(tlog, &entry, 1, NULL) == -ENOSPC);
	fault_clear();
}

static size_t run_steps(struct cut **cuts)
{
	struct disk *disk = disk_attach(WORK, NULL, &no_plan, current->seed);

	for (unsigned i = 0; i < current->steps; i++) {
		const struct step step = step_of(i, &after[i]);

		disk_mark(disk, i);
		if (i == current->from)
			disk_replan(disk, &current->plan);
		if (is_refused(i))
			refuse_append();
		after[i + 1] = after[i];
		floors[i + 1] = is_durable(current->op[i]) ? i + 1 : floors[i];
		do_step(&step, &after[i + 1], ROW_NUMBER + i);
	}
	disk_mark(disk, current->steps);
	disk_cut(disk);
	disk_replan(disk, &no_plan);
	close_log();
	return disk_detach(disk, cuts);
}

uint64_t powercut_run(const struct row *row)
{
	uint64_t before = states;
	struct cut *cuts;
	size_t n;

	current = row;
	chance = row->seed;
	harm_chance = row->seed;
	after[0] = base.model;
	floors[0] = 0;
	folder_store(&base.files, WORK);
	must(!maplog_open(store, WORK, MAPLOG_WRITE, &tlog));
	n = run_steps(&cuts);
	folder_remove(WORK);
	for (size_t i = 0; i < n; i++)
		check_first(&cuts[i]);
	free(cuts);
	return states - before;
}

void powercut_toss(struct row *row, uint64_t seed)
{
	uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	*row = (struct row){
		.steps = 3 + (unsigned)(random % (POWERCUT_STEPS - 3)),
		.plan = {
			.losses = (1U << LOSSES) - 1,
			.some = 2,
			.one_in = 2,
			.kill_one_in = 8,
		},
		.deep = 3,
		.deep_one_in = 8,
		.harm_one_in = 8,
		.seed = seed,
	};
	for (unsigned i = 0; i < row->steps; i++) {
		random = random * 6364136223846793005U + 1442695040888963407U;
		row->op[i] = (enum op)((random >> 33) % OPS);
	}
	/* One in four. */
	row->refused = (unsigned)(random >> 33 & random >> 17);
	row->filled = (unsigned)(random >> 25 & random >> 9);
}
