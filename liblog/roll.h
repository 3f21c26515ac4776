/* SPDX-License-Identifier: MIT */
/*
 * Rolling: from one active segment to the next.
 *
 * With the lock on writing held, by a thread that may change the log.
 */
#ifndef MAPLOG_ROLL_H
#define MAPLOG_ROLL_H

#include "private.h"

/** roll_name - the suffixes of a segment's files, and of one in preparation */
extern const char *const roll_name[2];
extern const char *const roll_name_new[2];

/**
 * roll_create() - make an empty segment that readers do not know yet
 * @name:       roll_name or roll_name_new
 * @generation: of the log, when it will be shown
 *
 * Return: 0; -ENOSPC; else an -errno; then roll_clean() removes what there may
 * be left of it, if roll_create() has not been able to.
 */
int roll_create(struct maplog *log, const char *const name[2], uint64_t base,
		uint64_t generation, struct segment **segment);

/** roll_clean() - remove for good what is left of a segment that came to
 * nothing, if there is one
 *
 * Nothing is appended to the segment before it, nor is that trimmed, as long as
 * it is there: recovery would take the entries to end where it begins. Only
 * files that this log has made, and has not shown, are removed.
 *
 * Return: 0; else the -errno of unlink(2), and it can be tried again; or of
 * fsync(2), and the log is read-only.
 */
int roll_clean(struct maplog *log);

/** roll_discard() - remove a segment that was created but not activated
 *
 * Its files stay if the log has failed: then recovery may need them.
 */
void roll_discard(struct maplog *log, const char *const name[2],
		  struct segment *segment);

/** roll_take() - make a segment that recovery opened one of the log's own */
int roll_take(struct maplog *log, struct segment *segment);

/** roll_let_go() - close a segment that is not active any more; its mappings
 * stay as long as they are used, and no longer
 */
void roll_let_go(struct maplog *log, struct segment *segment);

/** roll_activate() - append to a segment from now on, and show it */
void roll_activate(struct maplog *log, struct segment *segment);

/**
 * roll() - end the active segment, if there is one, and begin one at the tail
 *
 * The old one waits to be finished by the keeper. Return: as roll_create().
 */
int roll(struct maplog *log);

/** roll_if_room() - likewise, but on a full disk there is no active segment
 * afterwards: the next append tries again
 */
int roll_if_room(struct maplog *log);

#endif
