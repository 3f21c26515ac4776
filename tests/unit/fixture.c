/* SPDX-License-Identifier: MIT */
/* What the unit tests share: a private store, and one log in it. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"

/* Only what hangs is to run into this: machines can be slow and busy. */
#define SECONDS 600

int store = -1;
struct maplog *tlog;

static char root[256];
static char path[300];

const char *store_path(void)
{
	return path;
}

static void make_store(void)
{
	/* What a test that failed has left. */
	remove_tree(path);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(store, 0);
	fault_clear();
}

static void remove_store(void)
{
	fault_clear();
	calls_watch(NULL);
	(void)maplog_close(tlog);
	close(store);
	remove_tree(path);
}

TCase *unit_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, make_store, remove_store);
	tcase_set_timeout(tcase, SECONDS);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static int run_in(const char *parent, Suite *suite)
{
	SRunner *runner;
	int failed;

	snprintf(root, sizeof(root), "%s/maplog-unit-XXXXXX", parent);
	if (!mkdtemp(root)) {
		perror(root);
		return EXIT_FAILURE;
	}
	snprintf(path, sizeof(path), "%s/store", root);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_tree(root);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int unit_run(Suite *suite)
{
	const char *parent = getenv("TMPDIR");

	return run_in(parent && *parent ? parent : "/tmp", suite);
}

int unit_run_in_memory(Suite *suite)
{
	calls_in_memory = true;
	if (access("/dev/shm", W_OK))
		return unit_run(suite);
	return run_in("/dev/shm", suite);
}

static void create_with(const char *key, va_list list)
{
	struct maplog_options options;

	maplog_options_init(&options);
	for (; key; key = va_arg(list, const char *)) {
		const char *value = va_arg(list, const char *);

		ck_assert_int_eq(maplog_options_set(&options, key, value), 0);
	}
	ck_assert_int_eq(maplog_create(store, LOG, 0777, &options), 0);
}

void create_log(const char *key, ...)
{
	va_list list;

	va_start(list, key);
	create_with(key, list);
	va_end(list);
}

void remove_log(void)
{
	char whole[400];

	snprintf(whole, sizeof(whole), "%s/" LOG, store_path());
	remove_tree(whole);
}

void make_log(const char *key, ...)
{
	va_list list;

	va_start(list, key);
	create_with(key, list);
	va_end(list);
	open_log(MAPLOG_WRITE);
}

void open_log(enum maplog_mode mode)
{
	ck_assert_ptr_null(tlog);
	ck_assert_int_eq(maplog_open(store, LOG, mode, &tlog), 0);
}

void close_log(void)
{
	int ret = maplog_close(tlog);

	tlog = NULL;
	ck_assert_int_eq(ret, 0);
}

void reopen_log(void)
{
	close_log();
	open_log(MAPLOG_WRITE);
}

void pattern(void *buffer, size_t bytes, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	unsigned char *at = buffer;

	for (size_t i = 0; i < bytes; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		at[i] = (unsigned char)(state % 255 + 1);
	}
}

int run_child(void (*work)(void))
{
	int wstatus;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		work();
		calls_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &wstatus, 0), pid);
	ck_assert_msg(WIFEXITED(wstatus), "child died of signal %d",
		      WTERMSIG(wstatus));
	ck_assert_int_ne(WEXITSTATUS(wstatus), EXIT_FAILURE);
	return WEXITSTATUS(wstatus);
}
