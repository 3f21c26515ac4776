/* SPDX-License-Identifier: MIT */
/* Going through the entries of a log in order, every one of them checked. */
#ifndef MAPLOG_CLI_WALK_H
#define MAPLOG_CLI_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct walk {
	struct maplog *log;
	struct maplog_snapshot *snapshot; /* NULL: the log as it is now */
	uint64_t index;			  /* of the next entry */
	uint64_t end;			  /* one past the last */
	uint32_t max; /* entries looked at in one go; begin with 1 */
};

/**
 * walk_next() - the next entries, as many as lie together and are good
 * @view: out: to be given to maplog_view_release()
 *
 * About a mebibyte of them, or one. After damage, go on with walk->index + 1.
 *
 * Return: 0; -ENODATA at the end; an error for which walk_is_damage() is true
 * if the entry at walk->index is damaged; else as maplog_view() or
 * maplog_snapshot_view().
 */
int walk_next(struct walk *walk, struct maplog_view *view);

/** walk_is_damage() - is it this entry, rather than the log or the system? */
bool walk_is_damage(int ret);

#endif
