/* SPDX-License-Identifier: MIT */
/* Tests of the trailer of an active segment: what it accepts as its own. */
#include "trailer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crc.h"
#include "files.h"
#include "fixture.h"

#define NAME "file"

static const uint8_t uuid[16] = { 1, 2, 3 };
static struct maplog_trailer trailer;
static uint64_t size;

static int read_back(struct maplog_trailer *found)
{
	int fd = open_file(NAME);
	int ret = trailer_read(fd, file_size(NAME), found);

	close(fd);
	return ret;
}

static void write_it(void)
{
	int fd;

	make_file(NAME, "");
	shorten_file(NAME, size);
	fd = open_file(NAME);
	ck_assert_int_eq(trailer_write(fd, &trailer), 0);
	close(fd);
}

static void make(void)
{
	trailer_init(&trailer, uuid, 42, 7, MIB);
	size = trailer_file_size(&trailer);
	write_it();
}

START_TEST(geometry_of_a_segment)
{
	ck_assert_uint_eq(trailer.payload_size, MIB);
	ck_assert_uint_eq(trailer.records, RECORDS);
	ck_assert_uint_eq(size, TRAILER_AT + MAPLOG_TRAILER_SIZE);
}
END_TEST

START_TEST(every_part_begins_on_a_page_whatever_the_size)
{
	static const uint64_t sizes[] = {
		MIB,
		MIB + 1,
		3 * MIB - 1,
		256 * MIB,
		((uint64_t)4 << 30) - (64 << 10),
	};

	trailer_init(&trailer, uuid, 0, 0, sizes[_i]);
	ck_assert_uint_ge(trailer.payload_size, sizes[_i]);
	ck_assert_uint_le(trailer.payload_size, UINT32_MAX);
	ck_assert_uint_eq(trailer.payload_size % 65536, 0);
	ck_assert_uint_eq(trailer_file_size(&trailer) % 4096, 0);
}
END_TEST

START_TEST(trailer_is_read_back)
{
	struct maplog_trailer found;

	ck_assert_int_eq(read_back(&found), 0);
	ck_assert_int_eq(memcmp(&found, &trailer, sizeof(found)), 0);
}
END_TEST

/* Looped over both copies and every byte that counts. */
START_TEST(one_bad_copy_is_made_up_for_by_the_other)
{
	uint64_t copy = (uint64_t)_i % 2 * MAPLOG_TRAILER_COPY;
	struct maplog_trailer found;

	flip_bit(NAME, TRAILER_AT + copy + (uint64_t)_i / 2, 3);
	ck_assert_int_eq(read_back(&found), 0);
	ck_assert_int_eq(memcmp(&found, &trailer, 68), 0);
}
END_TEST

/* Looped over every byte that counts. */
START_TEST(two_bad_copies_are_no_trailer)
{
	struct maplog_trailer found;

	flip_bit(NAME, TRAILER_AT + (uint64_t)_i, 3);
	flip_bit(NAME, TRAILER_AT + MAPLOG_TRAILER_COPY + (uint64_t)_i, 3);
	ck_assert_int_eq(read_back(&found), -ENODATA);
}
END_TEST

START_TEST(file_of_another_length_has_none)
{
	struct maplog_trailer found;
	char page[MAPLOG_TRAILER_SIZE];

	read_file(NAME, TRAILER_AT, page, sizeof(page));
	shorten_file(NAME, size + 4096);
	write_file(NAME, size, page, sizeof(page));
	ck_assert_int_eq(read_back(&found), -ENODATA);
	shorten_file(NAME, 4095);
	ck_assert_int_eq(read_back(&found), -ENODATA);
	shorten_file(NAME, 0);
	ck_assert_int_eq(read_back(&found), -ENODATA);
}
END_TEST

/* A stranger's trailer with a checksum that is right. */
static int read_forged(void)
{
	struct maplog_trailer found;

	trailer.crc =
		crc_extend(0, &trailer, offsetof(struct maplog_trailer, crc));
	size = trailer_file_size(&trailer);
	if (size > 64 * MIB)
		return -ENODATA;
	write_it();
	return read_back(&found);
}

START_TEST(geometry_that_cannot_be_is_no_trailer)
{
	switch (_i) {
	case 0:
		trailer.payload_size = 0;
		break;
	case 1:
		trailer.payload_size += 4096;
		break;
	case 2:
		trailer.records = 0;
		break;
	case 3:
		trailer.version = 2;
		break;
	case 4:
		trailer.size = 8192;
		break;
	case 5:
		/* The sum wraps around. */
		trailer.payload_size =
			0 - trailer.records * sizeof(struct maplog_record);
		break;
	default:
		/* The product wraps around. */
		trailer.records = UINT64_MAX / 24 + 2;
	}
	ck_assert_int_eq(read_forged(), -ENODATA);
}
END_TEST

START_TEST(file_that_cannot_be_read_is_an_error)
{
	struct maplog_trailer found;

	fault_set(CALL_READ, 0, 1, EIO);
	ck_assert_int_eq(read_back(&found), -EIO);
}
END_TEST

START_TEST(short_and_interrupted_calls_are_gone_on_with)
{
	struct maplog_trailer found;

	fault_set(CALL_WRITE, 0, 100, FAULT_SHORT);
	fault_set(CALL_READ, 0, 100, FAULT_SHORT);
	write_it();
	ck_assert_int_eq(read_back(&found), 0);
	fault_set(CALL_WRITE, 0, 3, EINTR);
	fault_set(CALL_READ, 0, 3, EINTR);
	write_it();
	ck_assert_int_eq(read_back(&found), 0);
	ck_assert_int_eq(memcmp(&found, &trailer, sizeof(found)), 0);
}
END_TEST

static Suite *trailer_suite(void)
{
	Suite *suite = suite_create("trailer");
	TCase *tcase = unit_case(suite, "trailer");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, geometry_of_a_segment);
	tcase_add_loop_test(
		tcase, every_part_begins_on_a_page_whatever_the_size, 0, 5);
	tcase_add_test(tcase, trailer_is_read_back);
	tcase_add_loop_test(tcase, one_bad_copy_is_made_up_for_by_the_other, 0,
			    2 * 68);
	tcase_add_loop_test(tcase, two_bad_copies_are_no_trailer, 0, 68);
	tcase_add_test(tcase, file_of_another_length_has_none);
	tcase_add_loop_test(tcase, geometry_that_cannot_be_is_no_trailer, 0, 7);
	tcase_add_test(tcase, file_that_cannot_be_read_is_an_error);
	tcase_add_test(tcase, short_and_interrupted_calls_are_gone_on_with);
	return suite;
}

int main(void)
{
	return unit_run(trailer_suite());
}
