/* SPDX-License-Identifier: MIT */
/* Commands of the control file: their text. */
#include "command.h"

#include <errno.h>
#include <string.h>

#include "name.h"

#define WORDS_MAX 5

/* What words follow a verb: a number for the index, one for the length and
 * perhaps a tag, a key and a value. */
static const struct {
	const char *name;
	enum command_verb verb;
	bool index;
	bool length;
	bool option;
} verbs[] = {
	{ "append", COMMAND_APPEND, false, true, false },
	{ "append-at", COMMAND_APPEND_AT, true, true, false },
	{ "overwrite", COMMAND_OVERWRITE, true, true, false },
	{ "truncate", COMMAND_TRUNCATE, true, false, false },
	{ "trim", COMMAND_TRIM, true, false, false },
	{ "sync", COMMAND_SYNC, false, false, false },
	{ "seal", COMMAND_SEAL, false, false, false },
	{ "retain", COMMAND_RETAIN, false, false, false },
	{ "set", COMMAND_SET, false, false, true },
	{ "verify", COMMAND_VERIFY, false, false, false },
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

static bool parse_tag(const char *word, uint64_t *tag)
{
	static const char prefix[] = "tag=";
	const size_t skip = sizeof(prefix) - 1;

	return !strncmp(word, prefix, skip) && name_number(word + skip, tag);
}

static int parse_words(char **words, size_t count, size_t verb,
		       struct command *command)
{
	size_t at = 1;

	command->verb = verbs[verb].verb;
	if (verbs[verb].index &&
	    (at >= count || !name_number(words[at++], &command->index)))
		return -EINVAL;
	if (verbs[verb].length &&
	    (at >= count || !name_number(words[at++], &command->length)))
		return -EINVAL;
	if (verbs[verb].length && at < count &&
	    !parse_tag(words[at++], &command->tag))
		return -EINVAL;
	if (verbs[verb].option && at + 2 <= count) {
		command->key = words[at++];
		command->value = words[at++];
	}
	if (verbs[verb].option && !command->value)
		return -EINVAL;
	return at == count ? 0 : -EINVAL;
}

/* Cuts a line into words; too many of them are no command. */
static int split(char *line, char **words, size_t *count)
{
	char *rest = NULL;
	char *word = strtok_r(line, " \t\r", &rest);

	*count = 0;
	while (word) {
		if (*count == WORDS_MAX)
			return -EINVAL;
		words[(*count)++] = word;
		word = strtok_r(NULL, " \t\r", &rest);
	}
	return 0;
}

int command_parse(char *line, struct command *command)
{
	char *words[WORDS_MAX];
	size_t count;
	int ret;

	memset(command, 0, sizeof(*command));
	ret = split(line, words, &count);
	if (ret || !count)
		return ret;
	for (size_t i = 0; i < VERBS; i++) {
		if (!strcmp(words[0], verbs[i].name))
			return parse_words(words, count, i, command);
	}
	return -EINVAL;
}

bool command_has_bytes(const struct command *command)
{
	return command->verb == COMMAND_APPEND ||
	       command->verb == COMMAND_APPEND_AT ||
	       command->verb == COMMAND_OVERWRITE;
}
