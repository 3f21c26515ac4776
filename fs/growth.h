/* SPDX-License-Identifier: MIT */
/*
 * Growth: what the kernel believes the size of a file to be.
 *
 * It believes answers to look-ups and stats. When two were under way at once it
 * drops the one that comes in second, even if that tells the larger size: then
 * somebody was told a size that the kernel does not go by. lseek(2) would give
 * an end before the real one, and in a mapping of that size the last pages
 * would end in SIGBUS. And a size that grows under a page which was read before
 * shows zeros at its end. So:
 *
 *  - the size that the kernel goes by is never less than one that was told;
 *    who asks for a size is answered when it has been raised;
 *  - before it is raised, pages from the old end on are dropped;
 *  - a look-up, which holds up its directory and so cannot wait for that, tells
 *    what was told before, and the kernel asks again.
 */
#ifndef MAPLOG_FS_GROWTH_H
#define MAPLOG_FS_GROWTH_H

#include "attr.h"

/** growth_look_up() - make attributes for a look-up tell nothing new */
void growth_look_up(struct node *node, struct attr *attr);

/** growth_is_known() - whether these attributes can be told as they are;
 * otherwise growth_tell() comes first
 */
bool growth_is_known(struct node *node, const struct attr *attr);

/** growth_tell() - raise the kernel's size; only for the notifier's thread */
void growth_tell(struct server *server, struct node *node, uint64_t size);

#endif
