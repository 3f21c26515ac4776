/* SPDX-License-Identifier: MIT */
/* Salvage: a head made anew, by what the rest of the log says. */
#ifndef MAPLOG_SALVAGE_H
#define MAPLOG_SALVAGE_H

#include <sys/types.h>

/**
 * salvage_head() - rebuild a head that is missing or damaged
 *
 * Its identity is taken from the trailer of an active segment.
 *
 * Return: 0; -EUCLEAN if there is none; else an -errno of the system.
 */
int salvage_head(int dirfd, mode_t mode);

#endif
