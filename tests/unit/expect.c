/* SPDX-License-Identifier: MIT */
/* What a log may hold after a power cut: one moment out of several. */
#include "expect.h"

/* Whether damage at an index is what a power cut may do to what was not yet
 * durable: to a batch with another one behind it. */
static bool may_be_lost(const struct expect *expect, unsigned n, uint64_t index)
{
	if (n == expect->low || index < expect->moment[expect->low].next ||
	    index >= expect->moment[n - 1].next)
		return false;
	for (unsigned i = expect->low + 1; i <= n; i++) {
		if (!expect->moment[i].appended)
			return false;
	}
	return true;
}

static const char *counters_differ(struct maplog *log,
				   const struct model *model, bool live)
{
	struct maplog_counters now;
	const char *differs;

	maplog_counters(log, &now);
	differs = model_counters_differ(&now, model);
	if (!differs && !live && now.durable != now.next)
		differs = "shows what is not durable";
	return differs;
}

static const char *entries_differ(struct maplog *log,
				  const struct expect *expect, unsigned n,
				  struct model *found)
{
	const struct model *model = &expect->moment[n];

	*found = *model;
	for (uint64_t i = model->first; i < model->next; i++) {
		const char *differs =
			model_entry_differs(log, i, model->value[i]);

		if (!differs)
			continue;
		if (!may_be_lost(expect, n, i) ||
		    model_entry_differs(log, i, MODEL_LOST))
			return differs;
		found->value[i] = MODEL_LOST;
	}
	return NULL;
}

const char *expect_differs(struct maplog *log, const struct expect *expect,
			   struct model *found)
{
	const char *counters = NULL;
	const char *entries = NULL;

	for (unsigned n = expect->high + 1; n > expect->low; n--) {
		const char *differs = counters_differ(
			log, &expect->moment[n - 1], expect->live);

		if (differs) {
			counters = differs;
			continue;
		}
		entries = entries_differ(log, expect, n - 1, found);
		if (!entries)
			return NULL;
	}
	return entries ? entries : counters;
}
