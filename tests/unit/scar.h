/* SPDX-License-Identifier: MIT */
/*
 * A scar: damage to one durable entry of a directory that a power cut has left.
 * It takes this entry and no other, from the first writer and from the next.
 */
#ifndef UNIT_SCAR_H
#define UNIT_SCAR_H

#include <stdint.h>

#include "model.h"

/** scar_differs() - damage an entry, and look what two writers find
 * @name:   a directory of the store, as the cut has left it
 * @model:  what a writer finds there without damage
 * @random: which entry, and where
 *
 * Return: NULL, or what is not as @model says and has no reason for it.
 */
const char *scar_differs(const char *name, const struct model *model,
			 uint64_t random);

#endif
