/* SPDX-License-Identifier: MIT */
/*
 * A disk that forgets: what a power cut may leave of a log's directory.
 *
 * While it is attached it is written down what a disk must have kept: of a
 * file its bytes at its last fdatasync(2), of the directory its names at its
 * last fsync(2). All else may or may not have reached it, in any order: sectors
 * of 512 bytes, sizes, and each making, removal and renaming of a file.
 *
 * Before each call that changes the store, and where disk_cut() is called,
 * cuts are kept: directories that a power cut at this moment may leave.
 */
#ifndef UNIT_DISK_H
#define UNIT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cut leaves of what was not synced. */
enum loss {
	LOSS_NONE,     /* all of it: as after kill -9 */
	LOSS_ALL,      /* nothing: the strictest reading of POSIX */
	LOSS_NAMES,    /* contents only */
	LOSS_CONTENTS, /* names only */
	LOSS_SOME,     /* whatever chance gives */
	LOSSES
};

struct disk;

/* A cut that was kept: a directory of the store, as a log is. */
struct cut {
	char name[24];
	uint64_t mark;
	enum loss loss;
	bool exact; /* nobody wrote while it was kept */
	/* With LOSS_NONE: what is durable of it, for disk_attach(). */
	struct disk *past;
};

struct plan {
	unsigned losses;      /* kinds to keep at each moment, a bit each */
	unsigned some;	      /* how many of LOSS_SOME, if that is among them */
	unsigned one_in;      /* moments that are kept, by chance */
	unsigned kill_one_in; /* of these, those where LOSS_NONE is, too */
};

/**
 * disk_attach() - watch a directory of the store
 * @past: what is durable of it, and is taken over; NULL: all that is there
 * @seed: of all chances
 *
 * One at a time is attached.
 */
struct disk *disk_attach(const char *name, struct disk *past,
			 const struct plan *plan, uint64_t seed);

/** disk_replan() - keep other cuts from now on */
void disk_replan(struct disk *disk, const struct plan *plan);

/** disk_mark() - what is true from now on; kept with each cut */
void disk_mark(struct disk *disk, uint64_t mark);

/** disk_cut() - keep cuts now */
void disk_cut(struct disk *disk);

/**
 * disk_detach() - watch no more
 * @cuts: out: what was kept; to be freed by the caller
 *
 * Return: how many.
 */
size_t disk_detach(struct disk *disk, struct cut **cuts);

/** disk_forget() - free what is durable of a cut */
void disk_forget(struct disk *past);

#endif
