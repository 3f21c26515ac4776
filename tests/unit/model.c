/* SPDX-License-Identifier: MIT */
/* A model of a log: what it must hold after each of a row of steps. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define BATCH_MAX 8

/* What is longer has so much of it at each end, and zeros between. */
#define PART ((size_t)4096)

static char *bytes_of(uint32_t value, uint32_t bytes, size_t *n)
{
	char *data;

	/* Sizes differ, too; some entries are empty. */
	*n = value % 7 == 3 ? 0 : bytes + value % 5;
	calls_spare(true);
	data = calloc(1, *n + 1);
	calls_spare(false);
	must(data);
	pattern(data, *n < PART ? *n : PART, value);
	if (*n > PART)
		pattern(data + *n - PART, PART, value + 1);
	return data;
}

static uint32_t value_of(unsigned number, unsigned i)
{
	return number * 16 + i + 1;
}

static uint64_t index_of(const struct model *model, const struct step *step)
{
	uint64_t entries = model->next - model->first;

	return model->next - (step->back < entries ? step->back : entries);
}

void model_step(struct model *model, const struct step *step, unsigned number)
{
	uint64_t index = index_of(model, step);

	model->appended = step->what == STEP_APPEND;
	switch (step->what) {
	case STEP_TRUNCATE:
	case STEP_OVERWRITE:
		model->next = index;
		break;
	case STEP_TRIM:
		model->first = index;
		break;
	default:
		break;
	}
	if (step->what != STEP_APPEND && step->what != STEP_OVERWRITE)
		return;
	for (unsigned i = 0; i < step->n; i++) {
		must(model->next < MODEL_ENTRIES);
		model->value[model->next++] = value_of(number, i);
	}
}

static int append_batch_of(struct maplog *log, uint64_t index,
			   const struct step *step, unsigned number)
{
	struct maplog_entry entries[BATCH_MAX];
	int ret;

	for (unsigned i = 0; i < step->n; i++) {
		uint32_t value = value_of(number, i);

		entries[i].tag = value | (uint64_t)step->bytes << 32;
		entries[i].data =
			bytes_of(value, step->bytes, &entries[i].bytes);
	}
	if (step->what == STEP_APPEND)
		ret = maplog_append_at(log, index, entries, step->n);
	else
		ret = maplog_overwrite(log, index, entries, step->n);
	for (unsigned i = 0; i < step->n; i++)
		free((void *)entries[i].data);
	return ret;
}

int model_do(struct maplog *log, const struct model *model,
	     const struct step *step, unsigned number)
{
	switch (step->what) {
	case STEP_APPEND:
		return append_batch_of(log, model->next, step, number);
	case STEP_OVERWRITE:
		return append_batch_of(log, index_of(model, step), step,
				       number);
	case STEP_TRUNCATE:
		return maplog_truncate(log, index_of(model, step));
	case STEP_TRIM:
		return maplog_trim(log, index_of(model, step));
	case STEP_SEAL:
		return maplog_seal(log, NULL);
	case STEP_SYNC:
		return maplog_sync(log, NULL);
	case STEP_REOPEN:
		break;
	}
	return -EINVAL;
}

static bool is_value(const void *data, const struct maplog_info *info,
		     uint32_t value)
{
	size_t n;
	char *expected;
	bool same;

	if ((uint32_t)info->tag != value)
		return false;
	expected = bytes_of(value, (uint32_t)(info->tag >> 32), &n);
	same = n == info->bytes && !memcmp(expected, data, n);
	free(expected);
	return same;
}

static int check_entry(struct maplog *log, const struct maplog_view *view,
		       uint32_t value)
{
	struct maplog_info info;
	const void *data;
	int ret = 0;

	if (value != MODEL_FILLER)
		ret = maplog_view_check(log, view, NULL);
	if (!ret)
		ret = maplog_view_entry(view, 0, &data, &info);
	if (ret)
		return ret;
	if (value == MODEL_FILLER)
		return (uint32_t)info.tag == value ? 0 : -ESTALE;
	return is_value(data, &info, value) ? 0 : -ESTALE;
}

const char *model_entry_differs(struct maplog *log, uint64_t index,
				uint32_t value)
{
	static char text[96];
	struct maplog_view view;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (!ret) {
		ret = check_entry(log, &view, value);
		maplog_view_release(&view);
	}
	if (value == MODEL_LOST && (ret == -EBADMSG || ret == -EUCLEAN))
		return NULL;
	if (!ret)
		return NULL;
	snprintf(text, sizeof(text), "entry %d: %s", (int)index,
		 strerrorname_np(-ret));
	return text;
}

const char *model_counters_differ(const struct maplog_counters *now,
				  const struct model *model)
{
	static char text[96];

	if (now->first == model->first && now->next == model->next)
		return NULL;
	snprintf(text, sizeof(text), "has %d..%d instead of %d..%d",
		 (int)now->first, (int)now->next, (int)model->first,
		 (int)model->next);
	return text;
}

const char *model_differs(struct maplog *log, const struct model *model)
{
	struct maplog_counters now;
	const char *differs;

	maplog_counters(log, &now);
	differs = model_counters_differ(&now, model);
	for (uint64_t i = model->first; !differs && i < model->next; i++)
		differs = model_entry_differs(log, i, model->value[i]);
	return differs;
}
