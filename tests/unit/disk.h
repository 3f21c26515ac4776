/* SPDX-License-Identifier: MIT */
/*
 * A disk that forgets: what a power cut leaves of a log's directory.
 *
 * While it is attached it is written down what a disk must have kept: of a
 * file its bytes at its last fdatasync(2), of the directory its names at its
 * last fsync(2). Before each call that changes
 * the store a crash is kept: the directories that a power cut at this moment
 * may leave.
 */
#ifndef UNIT_DISK_H
#define UNIT_DISK_H

#include <stdint.h>

/* What is lost of what was not synced. */
enum loss {
	LOSS_NONE,	 /* nothing: as after kill -9 */
	LOSS_ALL,	 /* everything: the strictest reading of POSIX */
	LOSS_NAMES,	 /* names only */
	LOSS_CONTENTS,	 /* contents only */
	LOSS_SOME,	 /* sectors, at random */
	LOSS_SOME_NAMES, /* sectors, at random, and the names */
	LOSSES
};

#define CRASH_ALL ((1U << LOSSES) - 1)

/* A crash that was kept: a directory of the store, as a log is. */
struct crash {
	char name[40];
	uint64_t mark;
	enum loss loss;
};

/**
 * disk_attach() - watch a directory of the store, all of it durable by now
 * @losses: kinds of crashes to keep, a bit each
 * @every:  keep only every n-th moment
 */
void disk_attach(const char *name, unsigned losses, int every);

/** disk_mark() - what is true from now on; kept with each crash */
void disk_mark(uint64_t mark);

/** disk_crash() - keep a crash now */
void disk_crash(void);

/**
 * disk_detach() - watch no more
 * @crashes: out: what was kept; to be freed by the caller
 *
 * Return: how many.
 */
int disk_detach(struct crash **crashes);

#endif
