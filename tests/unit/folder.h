/* SPDX-License-Identifier: MIT */
/* What a directory of the store held at one moment. */
#ifndef UNIT_FOLDER_H
#define UNIT_FOLDER_H

#include "content.h"

#define FOLDER_FILES 24

struct folder {
	char name[FOLDER_FILES][40];
	struct content content[FOLDER_FILES];
	int count;
};

/** folder_load() - what a directory holds now; to be freed */
void folder_load(struct folder *folder, const char *directory);

/** folder_store() - make a directory that holds the same */
void folder_store(const struct folder *folder, const char *directory);

/** folder_remove() - remove a directory, and the files in it */
void folder_remove(const char *directory);

void folder_free(struct folder *folder);

#endif
