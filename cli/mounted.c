/* SPDX-License-Identifier: MIT */
/* Logs that are reached through a mount of maplogfs. */
#include "mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "format.h"
#include "store.h"

#define REPLY_SIZE 1024

/* A value in a file of "key: value" lines. */
static bool find_value(const char *name, const char *key, char *value,
		       size_t size)
{
	size_t n = strlen(key);
	bool found = false;
	char *line = NULL;
	size_t room = 0;
	FILE *file = fopen(name, "re");

	while (file && !found && getline(&line, &room, file) > 0) {
		found = !strncmp(line, key, n) && !strncmp(line + n, ": ", 2);
		if (found)
			snprintf(value, size, "%.*s",
				 (int)strcspn(line + n + 2, "\n"),
				 line + n + 2);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

bool mounted_value(const char *path, const char *key, char *value, size_t size)
{
	char *name = store_join(path, "status");
	bool found = find_value(name, key, value, size);

	free(name);
	return found;
}

void mounted_options(const char *path, struct maplog_options *options)
{
	const char *key;

	maplog_options_init(options);
	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		char value[64];

		if (mounted_value(path, key, value, sizeof(value)))
			(void)maplog_options_set(options, key, value);
	}
}

/* ---- Behind a mount ---- */

/* What never changes of a log's page, or for a store, that it is there. */
static bool is_same(const char *a, const char *b)
{
	struct maplog_head one;
	struct maplog_head other;
	struct stat st;

	if (!store_head(a, &one))
		return !stat(b, &st) && S_ISDIR(st.st_mode);
	return store_head(b, &other) &&
	       !memcmp(&one, &other, offsetof(struct maplog_head, zero0));
}

static char *behind(const char *path, const char *root)
{
	char *status = store_join(root, ".maplog/status");
	char *real_path = realpath(path, NULL);
	char *real_root = realpath(root, NULL);
	char store[4096];
	char *found = NULL;

	if (real_path && real_root &&
	    find_value(status, "store", store, sizeof(store)) &&
	    asprintf(&found, "%s%s", store, real_path + strlen(real_root)) < 0)
		error_no_memory();
	free(real_root);
	free(real_path);
	free(status);
	return found;
}

char *mounted_store(const char *path)
{
	char *root = store_mount(path);
	char *found = root ? behind(path, root) : NULL;

	free(root);
	if (!found || (*found == '/' && is_same(path, found)))
		return found;
	free(found);
	return NULL;
}

char *mounted_path(const char *path)
{
	char *found = mounted_store(path);

	if (!found)
		found = strdup(path);
	if (!found)
		error_no_memory();
	return found;
}

/* ---- Commands ---- */

int mounted_command(const char *path, const char *command, char *reply,
		    size_t size)
{
	char *name = store_join(path, "control");
	int fd = open(name, O_RDWR | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;
	ssize_t n = 0;

	*reply = 0;
	free(name);
	if (ret)
		return ret;
	if (dprintf(fd, "%s\n", command) < 0)
		ret = -errno;
	/* It also says why, if it does. */
	n = read(fd, reply, size - 1);
	reply[n > 0 ? n : 0] = 0;
	close(fd);
	return ret;
}

static const char *meaning(int ret)
{
	if (ret == -ENODATA)
		return "it is past the end";
	return ret == -ENOENT ? "it was trimmed" : strerror(-ret);
}

/* "error ENOENT text" without the first two words. */
static int refused(const char *path, const char *command, const char *reply,
		   int ret)
{
	const char *text =
		strncmp(reply, "error ", 6) ? NULL : strchr(reply + 6, ' ');

	return error_print("%s: %s: %s%s%s", path, command, meaning(ret),
			   text ? ":" : "", text ? text : "");
}

int mounted_tell(const char *path, const char *command)
{
	char reply[REPLY_SIZE];
	int ret = mounted_command(path, command, reply, sizeof(reply));

	if (ret == -ENOENT && !*reply)
		return error_print("%s: there is no such log in the mount",
				   path);
	reply[strcspn(reply, "\n")] = 0;
	if (ret)
		return refused(path, command, reply, ret);
	puts(reply);
	return STATUS_OK;
}
