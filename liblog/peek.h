/* SPDX-License-Identifier: MIT */
/*
 * Peeks: a few bytes of a segment's file, copied rather than mapped.
 *
 * To map a window, to fault in a page of it and to unmap another for it takes
 * some ten times as long as to read the few bytes of one entry. Who asks for
 * one entry gets a copy, until its window was wanted a few times.
 *
 * A copy is a window that is held by who asked for it and by nobody else, but
 * the last one of each file is kept: who looks for an entry often reads it
 * next. It does not count against map-limit. Calls are made under one lock.
 */
#ifndef MAPLOG_PEEK_H
#define MAPLOG_PEEK_H

#include "log.h"
#include "window.h"

#define PEEK_KEYS 64

/* More than this is mapped. */
#define PEEK_MAX 4096

struct peeks {
	struct {
		uint64_t key;
		unsigned times;
	} wanted[PEEK_KEYS]; /* lately; some are forgotten */
	struct {
		uint64_t id; /* of the segment */
		struct maplog_window *window;
	} last[2]; /* by enum maplog_file */
};

void peeks_destroy(struct peeks *peeks);

/** peek_is_frequent() - whether a window should be mapped; counts the calls
 * @key: of the window; 0 for none, which never is
 */
bool peek_is_frequent(struct peeks *peeks, uint64_t key);

/**
 * peek() - hold a copy of part of a file
 * @id: of its segment
 *
 * Return: 0; -ENODATA if the file ends before; -ENOMEM; else the -errno of
 * pread(2).
 */
int peek(struct peeks *peeks, uint64_t id, enum maplog_file file, int fd,
	 uint64_t offset, size_t bytes, struct maplog_window **window);

/** peek_again() - hold the last copy of a file, if it is the one wanted */
struct maplog_window *peek_again(struct peeks *peeks, uint64_t id,
				 enum maplog_file file, uint64_t offset,
				 size_t bytes);

#endif
