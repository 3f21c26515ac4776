/* SPDX-License-Identifier: MIT */
/* What a log may hold after a power cut: one moment out of several. */
#ifndef UNIT_EXPECT_H
#define UNIT_EXPECT_H

#include "model.h"

/* One of these moments, up to the last. */
struct expect {
	const struct model *moment;
	unsigned low;
	unsigned high;
	unsigned floor; /* instead of low, after one more power cut */
	bool live;	/* it was not opened since: not all of it is durable */
};

/** expect_differs() - whether a log is as it was at one of the moments
 * @found: out: which, with what a power cut may take out of the middle of what
 *         was not durable
 *
 * Return: NULL, or what is not as it was at the one that is the closest.
 */
const char *expect_differs(struct maplog *log, const struct expect *expect,
			   struct model *found);

#endif
