/* SPDX-License-Identifier: MIT */
/*
 * The rig: a logging disk with a file system on it, as scripts/test-disks sets
 * it up. In its directory are image and trail, log/ with the disk itself, loop,
 * which is the loop device, and mnt/ for the file system.
 */
#ifndef DISK_RIG_H
#define DISK_RIG_H

#include <stdint.h>
#include <sys/types.h>

#include "trail.h"

struct rig {
	const char *fs;
	int dir; /* of the mounted file system */
	int trail;
	int mark;
	uint8_t *image;
	uint64_t size;
	char state[200]; /* what is done right now, for rig_fail() */
};

extern struct rig rig;

/* What must be true, else the program ends with 1, saying where it was. */
#define require(condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			rig_fail("%s:%d: not true: %s", __FILE__, __LINE__,    \
				 #condition);                                  \
	} while (0)

__attribute__((noreturn, format(printf, 1, 2))) void rig_fail(const char *text,
							      ...);

/** rig_dice() - the next of all numbers that a chance has; 31 bits */
uint64_t rig_dice(uint64_t *chance);

/** rig_open() - use the rig in a directory, which becomes the current one */
void rig_open(const char *place, const char *fs);

/** rig_mount() - mount what the disk has now
 *
 * Return: 0, or the -errno of mount(2).
 */
int rig_mount(void);

void rig_unmount(void);

__attribute__((format(printf, 1, 2))) void rig_mark(const char *text, ...);

/** rig_failed() - how many writes and flushes failed since the last fault */
unsigned rig_failed(void);

/** rig_take() - the trail up to here; the next one begins then */
void rig_take(struct trail *trail);

#endif
