/* SPDX-License-Identifier: MIT */
/*
 * A log whose first segment has ended, with "a" and "b", and nobody has
 * finished it: its writer was killed. The second one has an entry of 1 MiB, as
 * append_pattern() makes it. Nothing is durable.
 */
#ifndef UNIT_LATE_H
#define UNIT_LATE_H

void late_make(void);

#endif
