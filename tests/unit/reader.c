/* SPDX-License-Identifier: MIT */
/* Tests of named readers: their positions are kept, and theirs alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "reader.h"

#define FILE_OF_W LOG "/w.reader"

static struct maplog_reader *reader;

static int try_open(const char *name)
{
	return maplog_reader_open(tlog, name, 3, &reader);
}

static void be(const char *name)
{
	ck_assert_int_eq(try_open(name), 0);
}

static void leave(void)
{
	ck_assert_int_eq(maplog_reader_close(reader), 0);
}

static uint64_t next(void)
{
	struct maplog_position position;

	maplog_reader_position(reader, &position);
	return position.next;
}

static void go_to(uint64_t index)
{
	struct maplog_position position;

	maplog_position_set(tlog, index, &position);
	ck_assert_int_eq(maplog_reader_store(reader, &position), 0);
}

static void make(void)
{
	make_log(NULL);
	append_many(10, 10);
}

START_TEST(new_reader_begins_where_it_is_told)
{
	be("w");
	ck_assert_uint_eq(next(), 3);
	leave();
}
END_TEST

START_TEST(position_is_kept)
{
	be("w");
	go_to(7);
	leave();
	reopen_log();
	be("w");
	ck_assert_uint_eq(next(), 7);
	leave();
}
END_TEST

static void store_and_die(void)
{
	open_log(MAPLOG_READ);
	be("w");
	go_to(8);
}

START_TEST(position_survives_the_process)
{
	close_log();
	run_child(store_and_die);
	open_log(MAPLOG_READ);
	be("w");
	ck_assert_uint_eq(next(), 8);
	leave();
}
END_TEST

START_TEST(position_tells_what_was_truncated)
{
	struct maplog_position position;

	be("w");
	go_to(8);
	leave();
	ck_assert_int_eq(maplog_truncate(tlog, 6), 0);
	append_many(9, 10);
	be("w");
	maplog_reader_position(reader, &position);
	ck_assert_int_eq(maplog_position_check(tlog, &position, &position), 0);
	ck_assert_uint_eq(position.next, 6);
	leave();
}
END_TEST

START_TEST(name_has_one_reader_at_a_time)
{
	struct maplog_reader *first;

	be("w");
	first = reader;
	ck_assert_int_eq(try_open("w"), -EBUSY);
	ck_assert_int_eq(maplog_reader_forget(tlog, "w"), -EBUSY);
	be("v");
	leave();
	ck_assert_int_eq(maplog_reader_close(first), 0);
	be("w");
	leave();
}
END_TEST

START_TEST(names_that_are_no_names_are_refused)
{
	static const char *const wrong[] = { "",     ".",   "-w",
					     "_",    "a/b", "a b",
					     "a\nb", "..",  "\xc3\xa4" };
	char name[MAPLOG_READER_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ck_assert_int_eq(try_open(wrong[i]), -EINVAL);
		ck_assert_int_eq(maplog_reader_forget(tlog, wrong[i]), -EINVAL);
	}
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	ck_assert_int_eq(try_open(name), -EINVAL);
	be(name + 1);
	leave();
	be("A-1_b.c");
	leave();
}
END_TEST

static uint64_t list(const char *names)
{
	struct maplog_reader_info *found;
	char text[256] = "";
	uint64_t lowest = UINT64_MAX;
	size_t count;

	ck_assert_int_eq(maplog_reader_list(tlog, &found, &count), 0);
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(text, found[i].name), " ");
		if (found[i].next < lowest)
			lowest = found[i].next;
	}
	free(found);
	ck_assert_str_eq(text, names);
	return lowest;
}

START_TEST(readers_are_listed_by_name_until_they_are_forgotten)
{
	list("");
	be("b");
	go_to(5);
	leave();
	be("a");
	leave();
	ck_assert_uint_eq(list("a b "), 3);
	ck_assert_int_eq(maplog_reader_forget(tlog, "a"), 0);
	ck_assert_int_eq(maplog_reader_forget(tlog, "a"), -ENOENT);
	ck_assert_uint_eq(list("b "), 5);
}
END_TEST

/* Looped over every byte of the file. */
START_TEST(damaged_file_is_no_position)
{
	be("w");
	leave();
	flip_bit(FILE_OF_W, (uint64_t)_i, 1);
	ck_assert_int_eq(try_open("w"), -EUCLEAN);
	ck_assert_uint_eq(list("w "), 0);
}
END_TEST

START_TEST(file_of_another_log_is_no_position)
{
	be("w");
	leave();
	close_log();
	ck_assert_int_eq(renameat(store, LOG, store, "other"), 0);
	make_log(NULL);
	append_many(10, 10);
	ck_assert_int_eq(renameat(store, "other/w.reader", store, FILE_OF_W),
			 0);
	ck_assert_int_eq(try_open("w"), -EUCLEAN);
}
END_TEST

START_TEST(file_that_was_never_begun_is_begun)
{
	make_file(FILE_OF_W, "");
	be("w");
	ck_assert_uint_eq(next(), 3);
	leave();
}
END_TEST

START_TEST(empty_log_can_be_removed_with_its_readers)
{
	ck_assert_int_eq(maplog_truncate(tlog, 0), 0);
	be("w");
	leave();
	close_log();
	ck_assert_int_eq(maplog_remove(store, LOG), 0);
}
END_TEST

START_TEST(readers_are_not_listed_without_memory)
{
	struct maplog_reader_info *found;
	size_t count;

	be("w");
	leave();
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(maplog_reader_list(tlog, &found, &count), -ENOMEM);
	ck_assert_uint_eq(list("w "), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reader");
	TCase *tcase = unit_case(suite, "reader");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, new_reader_begins_where_it_is_told);
	tcase_add_test(tcase, position_is_kept);
	tcase_add_test(tcase, position_survives_the_process);
	tcase_add_test(tcase, position_tells_what_was_truncated);
	tcase_add_test(tcase, name_has_one_reader_at_a_time);
	tcase_add_test(tcase, names_that_are_no_names_are_refused);
	tcase_add_test(tcase,
		       readers_are_listed_by_name_until_they_are_forgotten);
	tcase_add_loop_test(tcase, damaged_file_is_no_position, 0, 64);
	tcase_add_test(tcase, file_of_another_log_is_no_position);
	tcase_add_test(tcase, file_that_was_never_begun_is_begun);
	tcase_add_test(tcase, empty_log_can_be_removed_with_its_readers);
	tcase_add_test(tcase, readers_are_not_listed_without_memory);
	return unit_run(suite);
}
