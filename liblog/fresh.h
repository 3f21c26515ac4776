/* SPDX-License-Identifier: MIT */
/*
 * Fresh space: what is reserved on disk and was never written.
 *
 * A store into a fresh page of a mapping is slow: a fault makes that page. And
 * the first sync of a fresh block also writes down that it is fresh no more,
 * which takes as long as the data. So zeros are written to many pages at once,
 * before a batch comes to the first of them.
 *
 * Who syncs each batch gets single pages: of a large one each sync would write
 * all again; 2 MiB instead of 8 KiB was seen. Others get large ones, which are
 * quicker to make. All of them are dirty, so the next sync writes them: they
 * are few beside what is there already.
 */
#ifndef MAPLOG_FRESH_H
#define MAPLOG_FRESH_H

#include <stdbool.h>
#include <stdint.h>

struct segment;

/**
 * fresh_use() - before @n entries are put that have room reserved
 * @synced: a sync comes right after them
 *
 * Nothing depends on it: what fails here only costs time.
 */
void fresh_use(struct segment *segment, uint64_t bytes, uint64_t n,
	       bool synced);

#endif
