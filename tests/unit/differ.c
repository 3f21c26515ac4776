/* SPDX-License-Identifier: MIT */
/*
 * A differential test: operations as chance gives them, against a model of a
 * log, and all that it holds compared in each way there is to read it: views,
 * copies, pread(2) and mappings of the segments' files, and another handle.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "model.h"

#define ROUNDS 40
#define STEPS  60

static uint64_t chance;

static unsigned roll_dice(unsigned sides)
{
	chance = chance * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(chance >> 33) % sides;
}

static struct step toss(void)
{
	static const enum what whats[] = {
		STEP_APPEND,	STEP_APPEND,   STEP_APPEND,
		STEP_OVERWRITE, STEP_TRUNCATE, STEP_TRIM,
		STEP_SEAL,	STEP_SYNC,     STEP_REOPEN,
	};
	static const uint32_t sizes[] = { 1, 60, 4090, 70000, 300000 };

	return (struct step){
		.what = whats[roll_dice(9)],
		.n = 1 + roll_dice(3),
		.back = roll_dice(9),
		.bytes = sizes[roll_dice(5)],
	};
}

/* The bytes of an entry in the file of its segment, by pread and mapped. */
static void compare_files(uint64_t index, const struct maplog_info *info,
			  const void *data)
{
	struct maplog_segment found = segment(index);
	struct maplog_view view;
	char *copy = malloc(info->bytes + 1);
	const char *map;
	size_t end;
	int fd;

	must(!maplog_view(tlog, index, 1, &view));
	must(!maplog_segment_open(tlog, &found, MAPLOG_DATA, &fd));
	end = view.offset + info->bytes;
	must(pread(fd, copy, info->bytes, view.offset) == (ssize_t)info->bytes);
	must(!memcmp(copy, data, info->bytes));
	map = mmap(NULL, end + 1, PROT_READ, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED);
	must(!memcmp(map + view.offset, data, info->bytes));
	munmap((void *)map, end + 1);
	maplog_view_release(&view);
	close(fd);
	free(copy);
}

/* Views hold as many entries as they like: all of them are compared. */
static void compare_views(struct maplog *log, const struct model *model)
{
	uint64_t index = model->first;

	while (index < model->next) {
		struct maplog_view view;

		must(!maplog_view(log, index, 100, &view));
		must(!maplog_view_check(log, &view, NULL));
		for (uint32_t n = 0; n < view.count; n++, index++) {
			static char copy[1 << 20];
			struct maplog_info info;
			const void *data;

			must(!maplog_view_entry(&view, n, &data, &info));
			must(info.index == index);
			must((uint32_t)info.tag == model->value[index]);
			must(!maplog_read(log, index, copy, sizeof(copy),
					  NULL));
			must(!memcmp(copy, data, info.bytes));
			if (log == tlog)
				compare_files(index, &info, data);
		}
		maplog_view_release(&view);
	}
}

static void compare(const struct model *model)
{
	const char *differs = model_differs(tlog, model);
	struct maplog *reader;

	if (differs)
		ck_abort_msg("%s", differs);
	compare_views(tlog, model);
	must(!maplog_open(store, LOG, MAPLOG_READ, &reader));
	must(!model_differs(reader, model));
	compare_views(reader, model);
	maplog_close(reader);
}

START_TEST(log_is_what_its_model_is)
{
	static const char *const policies[] = { "always", "manual" };
	struct model model = { .first = 0 };

	chance = (unsigned)_i;
	make_log("segment-size", "1M", "sync", policies[_i % 2], NULL);
	for (unsigned i = 0; i < STEPS; i++) {
		struct step step = toss();

		if (step.what == STEP_REOPEN)
			reopen_log();
		else
			must(!model_do(tlog, &model, &step, i));
		model_step(&model, &step, i);
		if (i % 5 == 0)
			compare(&model);
	}
	compare(&model);
}
END_TEST

static Suite *differ_suite(void)
{
	Suite *suite = suite_create("differ");

	tcase_add_loop_test(unit_case(suite, "differ"),
			    log_is_what_its_model_is, 0, ROUNDS);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(differ_suite());
}
