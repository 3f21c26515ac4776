/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: systemd, or whoever started us and wants to know how we are.
 *
 * What it is told are a few lines in a datagram, as sd_notify(3) describes them
 * for everyone. That is not worth a library with all that it brings into a
 * process which runs as root.
 */
#ifndef MAPLOG_FS_SUPERVISOR_H
#define MAPLOG_FS_SUPERVISOR_H

#include <stdint.h>

/** supervisor_tell() - say "READY=1" and the like, if somebody wants to hear */
void supervisor_tell(const char *state);

/**
 * supervisor_pause() - how often it wants to hear that we are well
 *
 * Return: nanoseconds, half of what it waits for; 0 if it does not watch us.
 */
uint64_t supervisor_pause(void);

#endif
