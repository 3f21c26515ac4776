/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: names, of files in the mount and in a store, and the text of a
 * command. What is understood is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "dir.h"
#include "name.h"
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct node_key *key, const char *name)
{
	struct node_key parent;
	char again[NAME_SIZE];

	require(name_of(key, again, &parent));
	require(!strcmp(name, again));
}

static void try_range(const char *name)
{
	struct name_range range;
	struct node_key key = { .kind = NODE_RANGE };

	if (!name_range(name, &range) || range.last)
		return;
	key.kind = range.index ? NODE_RANGE_INDEX : NODE_RANGE;
	key.first = range.first;
	key.next = range.open ? NODE_TO_THE_END : range.end + 1;
	same(&key, name);
}

static void try_tree(const char *name)
{
	struct node_key key = { .kind = NODE_ENTRY };
	uint64_t number;

	(void)name_is_log(name);
	(void)name_in_log(name, &key.kind, &number);
	key.kind = NODE_ENTRY;
	if (name_number(name, &key.first))
		same(&key, name);
	if (name_segment(name, &key.kind, &key.first))
		same(&key, name);
	try_range(name);
}

static void try_store(const char *name)
{
	static const char *const suffixes[] = { DIR_LOG, DIR_INDEX, DIR_LOG_NEW,
						DIR_INDEX_NEW, DIR_TORN };
	char again[DIR_NAME_SIZE];
	uint64_t base;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (!dir_parse(name, suffixes[i], &base))
			continue;
		dir_name(again, base, suffixes[i]);
		require(!strcmp(name, again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command command;
	char *name = malloc(size + 1);

	require(name);
	memcpy(name, data, size);
	name[size] = 0;
	try_tree(name);
	try_store(name);
	if (!command_parse(name, &command) && command.verb == COMMAND_SET)
		require(command.key && command.value);
	free(name);
	return 0;
}
