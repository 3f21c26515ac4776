/* SPDX-License-Identifier: MIT */
/* What this process is allowed to do. */
#ifndef MAPLOG_FS_PRIVILEGE_H
#define MAPLOG_FS_PRIVILEGE_H

#include <stdbool.h>

/**
 * privilege_passthrough() - whether the kernel would register our files
 * @why_not: out: if not, in words
 */
bool privilege_passthrough(const char **why_not);

/** privilege_many_files() - as many open files as we may have */
void privilege_many_files(void);

/**
 * privilege_large_writes() - let mounts have requests of @pages pages
 *
 * The kernel's limit holds for mounts made from now on, so it is put back when
 * ours is made.
 *
 * Return: the limit before, to be given to privilege_restore(); 0 if it was
 * large enough or cannot be changed.
 */
unsigned privilege_large_writes(unsigned pages);
void privilege_restore(unsigned limit);

/** privilege_read_ahead() - let the kernel ask for @kib at a time of what is
 * read in order, in the mount at a path; no request is made for that
 */
void privilege_read_ahead(const char *mountpoint, unsigned kib);

/** privilege_max_pages() - that limit, as it is now */
unsigned privilege_max_pages(void);

#endif
