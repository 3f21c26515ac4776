/* SPDX-License-Identifier: MIT */
/*
 * Evidence: what a repair has changed, as it was before.
 *
 * A file INDEX.repaired, named by a segment's first entry: for each change a
 * line of text that says where the bytes were, then the bytes and a newline.
 */
#ifndef MAPLOG_EVIDENCE_H
#define MAPLOG_EVIDENCE_H

#include <stdint.h>
#include <sys/types.h>

#include "repair.h"

struct evidence {
	int dirfd;
	mode_t mode;
	uint64_t base;
	int fd; /* -1: there is none yet */
	uint64_t size;
};

void evidence_init(struct evidence *evidence, int dirfd, mode_t mode,
		   uint64_t base);

/**
 * evidence_keep() - keep the bytes that a finding is about, durably
 * @bytes: as they are
 *
 * Return: 0; -ENOSPC; else an -errno of the system.
 */
int evidence_keep(struct evidence *evidence,
		  const struct maplog_finding *finding, const void *bytes);

void evidence_close(struct evidence *evidence);

#endif
