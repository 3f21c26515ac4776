/* SPDX-License-Identifier: MIT */
/* Commands of the control file: their text. */
#include "command.h"

#include <errno.h>
#include <string.h>

#include "name.h"

/* One more than any command has: then it is seen that they are too many. */
#define WORDS_MAX 5

#define NOT_A_COMMAND "not a command; see maplogfs(8)"

/* What words follow a verb: a number for the index, one for the length and
 * perhaps a tag, a key and a value. */
static const struct {
	const char *name;
	const char *wrong; /* said when other words do */
	enum command_verb verb;
	bool index;
	bool length;
	bool option;
} verbs[] = {
	{ "append", "usage: append LENGTH [tag=TAG]", COMMAND_APPEND, false,
	  true, false },
	{ "append-at", "usage: append-at INDEX LENGTH [tag=TAG]",
	  COMMAND_APPEND_AT, true, true, false },
	{ "overwrite", "usage: overwrite INDEX LENGTH [tag=TAG]",
	  COMMAND_OVERWRITE, true, true, false },
	{ "truncate", "usage: truncate INDEX", COMMAND_TRUNCATE, true, false,
	  false },
	{ "trim", "usage: trim INDEX", COMMAND_TRIM, true, false, false },
	{ "sync", "usage: sync", COMMAND_SYNC, false, false, false },
	{ "seal", "usage: seal", COMMAND_SEAL, false, false, false },
	{ "retain", "usage: retain", COMMAND_RETAIN, false, false, false },
	{ "set", "usage: set KEY VALUE", COMMAND_SET, false, false, true },
	{ "verify", "usage: verify", COMMAND_VERIFY, false, false, false },
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

	command->wrong = verbs[verb].wrong;
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

/* Cuts a line into words, as many as there is room for. */
static size_t split(char *line, char **words)
{
	char *rest = NULL;
	char *word = strtok_r(line, " \t\r", &rest);
	size_t count = 0;

	while (word && count < WORDS_MAX) {
		words[count++] = word;
		word = strtok_r(NULL, " \t\r", &rest);
	}
	return count;
}

int command_parse(char *line, struct command *command)
{
	char *words[WORDS_MAX];
	size_t count = split(line, words);

	*command = (struct command){ .wrong = NOT_A_COMMAND };
	if (!count)
		return 0;
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
