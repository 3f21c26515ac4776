/* SPDX-License-Identifier: MIT */
/* Tests of making, opening and removing logs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "io.h"

static int create(void)
{
	return maplog_create(store, LOG, 0777, NULL);
}

static int open_ret(const char *name, enum maplog_mode mode)
{
	struct maplog *log;
	int ret = maplog_open(store, name, mode, &log);

	if (!ret)
		(void)maplog_close(log);
	return ret;
}

START_TEST(new_log_is_empty)
{
	ck_assert_int_eq(create(), 0);
	open_log(MAPLOG_READ);
	expect_range(0, 0);
	ck_assert_uint_eq(status().segments, 0);
	ck_assert_int_eq(read_error(0), -ENODATA);
	close_log();
	open_log(MAPLOG_WRITE);
	expect_range(0, 0);
	ck_assert_uint_eq(append("a"), 0);
}
END_TEST

START_TEST(name_that_is_taken_is_refused)
{
	ck_assert_int_eq(create(), 0);
	ck_assert_int_eq(create(), -EEXIST);
	open_log(MAPLOG_WRITE);
	append("a");
	close_log();
	ck_assert_int_eq(create(), -EEXIST);
	open_log(MAPLOG_READ);
	expect_text(0, "a");
}
END_TEST

START_TEST(name_may_be_a_path)
{
	char path[400];
	struct maplog *log;

	snprintf(path, sizeof(path), "%s/other", store_path());
	ck_assert_int_eq(maplog_create(AT_FDCWD, path, 0777, NULL), 0);
	ck_assert_int_eq(maplog_open(AT_FDCWD, path, MAPLOG_READ, &log), 0);
	ck_assert_int_eq(maplog_close(log), 0);
	ck_assert_int_eq(maplog_remove(AT_FDCWD, path), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(mode_is_that_of_the_directory)
{
	struct stat st;

	umask(022);
	ck_assert_int_eq(maplog_create(store, LOG, 0770, NULL), 0);
	ck_assert_int_eq(fstatat(store, LOG, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0750);
	ck_assert_int_eq(fstatat(store, LOG "/head", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(fstatat(store, LOG "/log.ini", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

/* Looped over all calls that a creation makes: each fails once. */
START_TEST(creation_that_fails_leaves_nothing)
{
	static const enum call calls[] = {
		CALL_MKDIR, CALL_OPEN,	   CALL_WRITE,
		CALL_SYNC,  CALL_SYNC_DIR, CALL_RENAME,
	};
	int ret;

	fault_set(calls[_i / 6], _i % 6, 1, EIO);
	ret = create();
	fault_clear();
	if (ret) {
		ck_assert_int_eq(ret, -EIO);
		ck_assert(!file_exists(LOG));
		ck_assert_int_eq(create(), 0);
	}
	open_log(MAPLOG_WRITE);
	append("a");
}
END_TEST

static int die_at;

static void create_and_die(void)
{
	fault_die(die_at);
	(void)create();
}

/* Looped over all calls that a creation makes: it is killed before each. */
START_TEST(creation_that_is_killed_leaves_a_log_or_can_be_removed)
{
	int exit_status;

	die_at = _i;
	exit_status = run_child(create_and_die);
	if (_i == 0) {
		ck_assert(!file_exists(LOG));
		return;
	}
	if (open_ret(LOG, MAPLOG_WRITE)) {
		ck_assert_int_eq(exit_status, DIED);
		ck_assert_int_eq(open_ret(LOG, MAPLOG_WRITE), -ENOENT);
		ck_assert_int_eq(open_ret(LOG, MAPLOG_READ), -ENOENT);
	}
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
	ck_assert_int_eq(create(), 0);
}
END_TEST

START_TEST(creation_is_durable)
{
	fault_clear();
	ck_assert_int_eq(create(), 0);
	/* log.ini and head; the log's directory twice and the store's. */
	ck_assert_int_eq(calls_made(CALL_SYNC), 2);
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 3);
}
END_TEST

START_TEST(no_log_is_not_opened)
{
	for (int mode = MAPLOG_READ; mode <= (int)MAPLOG_WRITE; mode++) {
		ck_assert_int_eq(open_ret("none", (enum maplog_mode)mode),
				 -ENOENT);
		make_file("file", "");
		ck_assert_int_eq(open_ret("file", (enum maplog_mode)mode),
				 -ENOTDIR);
		mkdirat(store, "empty", 0777);
		ck_assert_int_eq(open_ret("empty", (enum maplog_mode)mode),
				 -ENOENT);
	}
}
END_TEST

START_TEST(link_to_a_log_is_not_followed)
{
	ck_assert_int_eq(create(), 0);
	ck_assert_int_eq(symlinkat(LOG, store, "link"), 0);
	ck_assert_int_eq(open_ret("link", MAPLOG_READ), -ENOTDIR);
	ck_assert_int_eq(open_ret("link", MAPLOG_WRITE), -ENOTDIR);
}
END_TEST

START_TEST(other_version_is_not_supported)
{
	uint32_t version = __builtin_bswap32(1);

	ck_assert_int_eq(create(), 0);
	write_file(LOG "/head", 8, &version, 4);
	ck_assert_int_eq(open_ret(LOG, MAPLOG_READ), -ENOTSUP);
	ck_assert_int_eq(open_ret(LOG, MAPLOG_WRITE), -ENOTSUP);
}
END_TEST

START_TEST(log_without_any_identity_is_damage)
{
	ck_assert_int_eq(create(), 0);
	zero_file(LOG "/head", 0, 4096);
	ck_assert_int_eq(open_ret(LOG, MAPLOG_READ), -EUCLEAN);
	ck_assert_int_eq(open_ret(LOG, MAPLOG_WRITE), -EUCLEAN);
}
END_TEST

/* Looped over calls: whichever fails, opening works the next time. */
START_TEST(opening_that_fails_changes_nothing)
{
	static const enum call calls[] = {
		CALL_OPEN, CALL_MAP,  CALL_NEW,	     CALL_READ,
		CALL_SYNC, CALL_LOCK, CALL_SYNC_DIR,
	};
	int ret;

	make_log(NULL);
	append("a");
	close_log();
	fault_set(calls[_i / 12], _i % 12, 1, ENOMEM);
	ret = open_ret(LOG, _i % 2 ? MAPLOG_READ : MAPLOG_WRITE);
	fault_clear();
	if (ret)
		ck_assert_int_eq(ret, -ENOMEM);
	open_log(MAPLOG_WRITE);
	expect_range(0, 1);
	expect_text(0, "a");
	append("b");
}
END_TEST

START_TEST(tail_that_cannot_be_read_is_an_error)
{
	make_log(NULL);
	append("a");
	close_log();
	/* Of the head it is read, and on some disks made sure of, before. */
	fault_set(CALL_ADVISE, io_rewrites_in_place(store) ? 1 : 2, 1, EFAULT);
	ck_assert_int_eq(open_ret(LOG, MAPLOG_WRITE), -EIO);
	fault_clear();
	open_log(MAPLOG_WRITE);
	expect_text(0, "a");
}
END_TEST

START_TEST(closing_makes_everything_durable)
{
	make_log("sync", "manual", NULL);
	append("a");
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_uint_eq(counters().durable, 1);
	ck_assert_int_eq(maplog_close(NULL), 0);
}
END_TEST

START_TEST(closing_tells_of_a_failed_sync)
{
	int ret;

	make_log("sync", "manual", NULL);
	append("a");
	fault_set(CALL_SYNC, _i, 1, EIO);
	ret = maplog_close(tlog);
	tlog = NULL;
	fault_clear();
	ck_assert_int_eq(ret, -EIO);
	open_log(MAPLOG_READ);
	expect_text(0, "a");
}
END_TEST

START_TEST(empty_log_is_removed)
{
	make_log(NULL);
	close_log();
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
	ck_assert(!file_exists(LOG));
	ck_assert_int_eq(maplog_remove(store, LOG), -ENOENT);
}
END_TEST

START_TEST(log_of_which_all_was_trimmed_is_removed)
{
	make_log(NULL);
	append("a");
	close_log();
	ck_assert_int_eq(maplog_remove(store, LOG), -ENOTEMPTY);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	close_log();
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
}
END_TEST

START_TEST(log_with_other_files_is_not_removed)
{
	static const char *const names[] = {
		LOG "/notes",
		LOG "/notes.new",
		LOG "/00000000000000000000.torn",
		LOG "/00000000000000000000.log.old",
		LOG "/0.log",
	};

	make_log(NULL);
	close_log();
	make_file(names[_i], "mine");
	ck_assert_int_eq(maplog_remove(store, LOG), -ENOTEMPTY);
	ck_assert(file_exists(names[_i]));
	open_log(MAPLOG_WRITE);
	append("a");
}
END_TEST

START_TEST(what_a_creation_has_left_is_removed_but_nothing_else)
{
	mkdirat(store, LOG, 0777);
	make_file(LOG "/log.ini", "");
	make_file(LOG "/head.new", "");
	make_file(LOG "/notes", "mine");
	ck_assert_int_eq(maplog_remove(store, LOG), -ENOENT);
	ck_assert(file_exists(LOG "/log.ini"));
	unlinkat(store, LOG "/notes", 0);
	make_file(log_path(0, "log"), "an entry, perhaps");
	ck_assert_int_eq(maplog_remove(store, LOG), -ENOENT);
	unlinkat(store, log_path(0, "log"), 0);
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
	ck_assert(!file_exists(LOG));
}
END_TEST

START_TEST(open_log_is_deleted)
{
	make_log(NULL);
	append("a");
	ck_assert_int_eq(maplog_delete(tlog, store, LOG), -ENOTEMPTY);
	append("b");
	ck_assert_int_eq(maplog_trim(tlog, 2), 0);
	ck_assert_int_eq(maplog_delete(tlog, store, "other"), -ENOENT);
	ck_assert_int_eq(maplog_delete(tlog, store, LOG), 0);
	ck_assert(!file_exists(LOG));
	ck_assert_int_eq(try_append("no"), -EROFS);
	ck_assert_int_eq(maplog_delete(tlog, store, LOG), -EROFS);
	ck_assert_int_eq(maplog_close(tlog), -ESTALE);
	tlog = NULL;
}
END_TEST

START_TEST(log_is_not_deleted_under_the_name_of_another)
{
	make_log(NULL);
	ck_assert_int_eq(maplog_create(store, "other", 0777, NULL), 0);
	ck_assert_int_eq(maplog_delete(tlog, store, "other"), -ENOENT);
	ck_assert_int_eq(open_ret("other", MAPLOG_READ), 0);
	append("a");
}
END_TEST

static void remove_and_die(void)
{
	fault_die(die_at);
	(void)maplog_remove(store, LOG);
}

/* Looped over all calls that a removal makes. */
START_TEST(removal_that_is_killed_can_be_repeated)
{
	make_log(NULL);
	append("a");
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	close_log();
	die_at = _i;
	(void)run_child(remove_and_die);
	if (file_exists(LOG))
		ck_assert_int_eq(maplog_remove(store, LOG), 0);
	ck_assert(!file_exists(LOG));
	ck_assert_int_eq(create(), 0);
}
END_TEST

static bool head_is_gone;

static void expect_head_is_last(int dirfd, const char *name)
{
	(void)dirfd;
	ck_assert_msg(!head_is_gone || strcmp(name, "log.ini") == 0 ||
			      strcmp(name, LOG) == 0,
		      "%s was still there when the head went", name);
	head_is_gone = head_is_gone || strcmp(name, "head") == 0;
}

/* In whatever order the directory lists them. */
START_TEST(removal_removes_the_head_after_all_that_it_tells_of)
{
	static const struct call_watch watch = { .unlinked =
							 expect_head_is_last };

	make_log(NULL);
	append("a");
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	close_log();
	/* Files of the last moment are the first or the last to be listed. */
	for (int i = 0; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof(name), LOG "/r%d.reader", i);
		make_file(name, "");
	}
	calls_watch(&watch);
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
	ck_assert(head_is_gone);
}
END_TEST

static Suite *create_suite(void)
{
	Suite *suite = suite_create("create");
	TCase *creating = unit_case(suite, "creating");
	TCase *opening = unit_case(suite, "opening");
	TCase *removing = unit_case(suite, "removing");

	tcase_add_test(creating, new_log_is_empty);
	tcase_add_test(creating, name_that_is_taken_is_refused);
	tcase_add_test(creating, name_may_be_a_path);
	tcase_add_test(creating, mode_is_that_of_the_directory);
	tcase_add_loop_test(creating, creation_that_fails_leaves_nothing, 0,
			    36);
	tcase_add_loop_test(
		creating,
		creation_that_is_killed_leaves_a_log_or_can_be_removed, 0, 16);
	tcase_add_test(creating, creation_is_durable);
	tcase_add_test(opening, no_log_is_not_opened);
	tcase_add_test(opening, link_to_a_log_is_not_followed);
	tcase_add_test(opening, other_version_is_not_supported);
	tcase_add_test(opening, log_without_any_identity_is_damage);
	tcase_add_loop_test(opening, opening_that_fails_changes_nothing, 0, 84);
	tcase_add_test(opening, tail_that_cannot_be_read_is_an_error);
	tcase_add_test(opening, closing_makes_everything_durable);
	tcase_add_loop_test(opening, closing_tells_of_a_failed_sync, 0, 4);
	tcase_add_test(removing, empty_log_is_removed);
	tcase_add_test(removing, log_of_which_all_was_trimmed_is_removed);
	tcase_add_loop_test(removing, log_with_other_files_is_not_removed, 0,
			    5);
	tcase_add_test(removing,
		       what_a_creation_has_left_is_removed_but_nothing_else);
	tcase_add_test(removing, open_log_is_deleted);
	tcase_add_test(removing, log_is_not_deleted_under_the_name_of_another);
	tcase_add_loop_test(removing, removal_that_is_killed_can_be_repeated, 0,
			    24);
	tcase_add_test(removing,
		       removal_removes_the_head_after_all_that_it_tells_of);
	return suite;
}

int main(void)
{
	return unit_run(create_suite());
}
