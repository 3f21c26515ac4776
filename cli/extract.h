/* SPDX-License-Identifier: MIT */
/* Entries of ranges, written out: what read, dump and export have in common. */
#ifndef MAPLOG_CLI_EXTRACT_H
#define MAPLOG_CLI_EXTRACT_H

#include <stdbool.h>

#include "args.h"
#include "damage.h"
#include "emit.h"
#include "log.h"
#include "range.h"

struct span {
	uint64_t from;
	uint64_t end;
};

/* All zero to begin with; to be given to extract_free(). */
struct extract {
	char *path;
	bool keep_going;
	bool progress; /* show a bar if it takes long */
	bool since;    /* all entries from a moment on */
	uint64_t moment;
	struct emit emit;

	struct range *ranges;
	int count;
	struct maplog *log;
	struct damage damage;
	struct span *spans;
	uint64_t total; /* entries in them */
	uint64_t passed;
	bool begun; /* something was written, or found to be damaged */
	bool again; /* look at the log anew */
};

/** extract_option() - take one of the options that all of them have: i, j, F,
 * k and s
 */
void extract_option(struct extract *extract, const struct args *args, int c);

/** extract_operands() - take the log and the ranges: all of it if there are
 * none and @all; exits if there are none or too many
 */
void extract_operands(struct extract *extract, const struct args *args,
		      bool all);

/** extract_run() - write them; returns an enum command_status */
int extract_run(struct extract *extract);

void extract_free(struct extract *extract);

#endif
