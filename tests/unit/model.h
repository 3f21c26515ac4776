/* SPDX-License-Identifier: MIT */
/*
 * A model of a log: what it must hold after each of a row of steps. Whatever
 * a step appends can be told from what any other step did.
 */
#ifndef UNIT_MODEL_H
#define UNIT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

#define MODEL_ENTRIES 256

/* Instead of a value: an entry of zeros, whose bytes are not looked at; and
 * one that a power cut took before it was durable: it reads as damaged. */
#define MODEL_FILLER 0xffffffff
#define MODEL_LOST   0xfffffffe

struct model {
	uint64_t first;
	uint64_t next;
	uint32_t value[MODEL_ENTRIES]; /* by index: what was appended there */
	bool appended;		       /* nothing else was done last */
};

enum what {
	STEP_APPEND,	/* a batch of @n entries */
	STEP_OVERWRITE, /* likewise, from index next - @back */
	STEP_TRUNCATE,	/* to index next - @back */
	STEP_TRIM,	/* to index next - @back */
	STEP_SEAL,
	STEP_SYNC,
	STEP_REOPEN, /* of the log under test */
};

struct step {
	enum what what;
	unsigned n;
	unsigned back;
	uint32_t bytes; /* of an entry, about */
};

/** model_step() - what a log holds after one step more
 * @number: of the step: no two of them append the same
 */
void model_step(struct model *model, const struct step *step, unsigned number);

/** model_do() - do a step on a log that is as @model says
 *
 * Return: what the library said.
 */
int model_do(struct maplog *log, const struct model *model,
	     const struct step *step, unsigned number);

/** model_counters_differ() - which entries a log has instead; NULL: the same */
const char *model_counters_differ(const struct maplog_counters *now,
				  const struct model *model);

/** model_differs() - what of a log is not as the model says; NULL if nothing
 */
const char *model_differs(struct maplog *log, const struct model *model);

/** model_entry_differs() - likewise, of one entry
 * @value: what was appended there
 */
const char *model_entry_differs(struct maplog *log, uint64_t index,
				uint32_t value);

#endif
