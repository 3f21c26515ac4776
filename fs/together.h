/* SPDX-License-Identifier: MIT */
/* Together: the same work on many things, by some threads at once. */
#ifndef MAPLOG_FS_TOGETHER_H
#define MAPLOG_FS_TOGETHER_H

#include <stddef.h>

/**
 * together() - call work(arg, i) once for each i below @count
 * @threads: that many at once, the caller among them; fewer are enough
 *
 * Returns when all are done.
 */
void together(size_t count, unsigned threads, void (*work)(void *arg, size_t i),
	      void *arg);

#endif
