/* SPDX-License-Identifier: MIT */
/* Repairing a log that is damaged. A part of log.h, which includes it. */
#ifndef MAPLOG_REPAIR_H
#define MAPLOG_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum maplog_remedy {
	MAPLOG_REMEDY_NONE, /* nothing proves the entry: it stays damaged */
	MAPLOG_REMEDY_COPY, /* one of its two records is good: it counts */
	MAPLOG_REMEDY_BIT,  /* one bit was wrong, its checksum says which */
	MAPLOG_REMEDY_HEAD, /* the head is made anew, from a segment */
};

/* One thing that is damaged, and what is done about it. */
struct maplog_finding {
	enum maplog_remedy remedy;
	uint64_t index;	       /* of the entry, or of the first of them */
	uint64_t count;	       /* entries */
	uint64_t base;	       /* of its segment */
	enum maplog_file file; /* which file is changed */
	uint64_t offset;       /* where in it */
	uint32_t bytes;	       /* how many of its bytes; 0: none */
};

/**
 * maplog_repair() - bring a log back to all of it that can be proven good
 * @dirfd:  directory that @name is relative to, or AT_FDCWD
 * @apply:  do it; else nothing is changed, and found is what would be done
 * @report: called for each thing that is found, in order; may be NULL
 * @arg:    handed on to @report
 *
 * An entry is good if its checksum is right. Where it is not, the other record
 * of the entry is tried (those of a segment that is not sealed exist twice),
 * then every way in which one bit of it may be wrong. Nothing else is changed,
 * and no entry is removed: what cannot be proven stays as it is, and reading
 * it goes on to fail. Bytes are kept in a file INDEX.repaired of the log before
 * they are changed, and everything is durable when this returns.
 *
 * A head that cannot be used must be made anew before the rest can be looked
 * at; without @apply it is then all that is found.
 *
 * Return: 0; -EBUSY if the log has a writer; -EUCLEAN if its head is lost and
 * nothing says whose log it is; -ENOTSUP if it is of another version; -ENOSPC,
 * and nothing was changed that is not in a file INDEX.repaired; -ENOMEM; else
 * an -errno of the system.
 */
int maplog_repair(int dirfd, const char *name, bool apply,
		  void (*report)(void *arg,
				 const struct maplog_finding *finding),
		  void *arg);

#ifdef __cplusplus
}
#endif

#endif
