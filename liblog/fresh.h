/* SPDX-License-Identifier: MIT */
/*
 * Fresh space: what is reserved on disk and was never written.
 *
 * The first sync of a fresh block also writes down that it is fresh no more:
 * a second write, which takes as long as the first. Under `always`, where
 * each small batch is one sync, many blocks are therefore written with zeros
 * at once, before a batch comes to the first of them.
 */
#ifndef MAPLOG_FRESH_H
#define MAPLOG_FRESH_H

#include <stdint.h>

struct segment;

/**
 * fresh_use() - before a batch is put that will be synced by itself
 *
 * There must be room reserved. What fails here only costs time later.
 */
void fresh_use(struct segment *segment, uint64_t bytes, uint64_t n);

#endif
