/* SPDX-License-Identifier: MIT */
/* Taking entries in from files, and appending them batch by batch. */
#ifndef MAPLOG_CLI_INTAKE_H
#define MAPLOG_CLI_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "target.h"

/* All of these return STATUS_FAILED after a message, else STATUS_OK. */

struct intake {
	/* Set by the caller. */
	struct target target;
	uint64_t tag;
	uint64_t exact;	  /* entries of a batch, 0: as they come */
	bool whole;	  /* an input is one entry, not each of its lines */
	bool verbose;	  /* print each batch that was appended */
	const char *name; /* of the input */

	struct batch batch;
	uint64_t line;	/* whole lines of this input so far */
	uint64_t bytes; /* of all inputs so far */
};

/** intake_take() - read an input to its end; a part may remain gathered */
int intake_take(struct intake *intake, int fd);

/** intake_flush() - append what is gathered */
int intake_flush(struct intake *intake);

/**
 * intake_failed() - say that the input could not be opened or read
 *
 * What came before that is appended, unless batches are to be whole.
 */
int intake_failed(struct intake *intake, int ret);

#endif
