/* SPDX-License-Identifier: MIT */
/* What a directory of the store held at one moment. */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static int open_folder(const char *directory)
{
	int fd = openat(store, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

/* The next name in it; NULL: there are no more. */
static const char *next_name(DIR *dir)
{
	struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && entry->d_name[0] == '.');
	return entry ? entry->d_name : NULL;
}

void folder_load(struct folder *folder, const char *directory)
{
	DIR *dir = fdopendir(open_folder(directory));
	const char *name;

	must(dir);
	memset(folder, 0, sizeof(*folder));
	while ((name = next_name(dir))) {
		int n = folder->count++;
		int fd = openat(dirfd(dir), name, O_RDONLY | O_CLOEXEC);

		must(n < FOLDER_FILES && fd >= 0);
		content_load(&folder->content[n], fd);
		snprintf(folder->name[n], sizeof(folder->name[n]), "%.39s",
			 name);
		close(fd);
	}
	closedir(dir);
}

void folder_store(const struct folder *folder, const char *directory)
{
	int dir;

	must(!mkdirat(store, directory, 0777));
	dir = open_folder(directory);
	for (int i = 0; i < folder->count; i++) {
		int fd = openat(dir, folder->name[i],
				O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

		must(fd >= 0);
		content_store(&folder->content[i], fd);
		close(fd);
	}
	close(dir);
}

void folder_remove(const char *directory)
{
	DIR *dir = fdopendir(open_folder(directory));
	const char *name;

	must(dir);
	while ((name = next_name(dir)))
		must(!unlinkat(dirfd(dir), name, 0));
	closedir(dir);
	must(!unlinkat(store, directory, AT_REMOVEDIR));
}

void folder_free(struct folder *folder)
{
	for (int i = 0; i < folder->count; i++)
		content_free(&folder->content[i]);
	memset(folder, 0, sizeof(*folder));
}
