/* SPDX-License-Identifier: MIT */
/* Tests of checksums, and of records that are true or not. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "crc.h"
#include "fixture.h"

#define INDEX 12345
#define START 7

static const char payload[] = "......." /* of the entry before */
			      "payload of the entry";
static const uint8_t uuid[16] = { 1, 2, 3 };

static struct maplog_record record;
static uint32_t seed;

static void make_record(void)
{
	seed = crc_seed(uuid);
	record = (struct maplog_record){
		.end = sizeof(payload),
		.time = 42 | MAPLOG_TIME_MORE,
		.tag = 99,
	};
	record.crc = crc_record(seed, INDEX, &record, payload + START,
				sizeof(payload) - START);
}

static bool is_true(void)
{
	return record_check(seed, INDEX, &record, START, payload,
			    sizeof(payload));
}

START_TEST(crc32c_is_that_of_the_standard)
{
	char zeros[32] = { 0 };
	char ones[32];

	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(maplog_crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(maplog_crc32c(0, zeros, 32), 0x8a9136aa);
	ck_assert_uint_eq(maplog_crc32c(0, ones, 32), 0x62a8ab43);
	ck_assert_uint_eq(maplog_crc32c(0, "", 0), 0);
}
END_TEST

/* More than what the processor sums up without ISA-L. */
#define SIZES 600

START_TEST(put_copies_the_payload_and_sums_it_up)
{
	char from[SIZES];
	char to[SIZES + 2] = { 0 };

	pattern(from, sizeof(from), 1);
	for (size_t n = 0; n < SIZES; n++) {
		ck_assert_uint_eq(
			crc_put(seed, INDEX, &record, to + 1, from + 1, n),
			crc_record(seed, INDEX, &record, from + 1, n));
		ck_assert_mem_eq(to + 1, from + 1, n);
		ck_assert_int_eq(to[0], 0);
		ck_assert_int_eq(to[n + 1], 0);
	}
}
END_TEST

/* Byte by byte is the slow way that cannot be wrong. */
START_TEST(sum_is_that_of_its_bytes_one_by_one)
{
	char data[SIZES];
	uint32_t sum = 0;

	pattern(data, sizeof(data), 1);
	for (size_t n = 0; n < SIZES; n++) {
		ck_assert_uint_eq(maplog_crc32c(0, data, n), sum);
		sum = maplog_crc32c(sum, data + n, 1);
	}
}
END_TEST

START_TEST(crc_is_continued_over_pieces)
{
	char data[1000];
	uint32_t whole;

	pattern(data, sizeof(data), 1);
	whole = maplog_crc32c(0, data, sizeof(data));
	for (size_t n = 0; n <= sizeof(data); n += 37)
		ck_assert_uint_eq(maplog_crc32c(maplog_crc32c(0, data, n),
						data + n, sizeof(data) - n),
				  whole);
}
END_TEST

/* As format.h defines it, byte for byte. */
START_TEST(record_covers_uuid_index_time_tag_end_and_payload)
{
	unsigned char all[16 + 8 + 8 + 8 + 4 + sizeof(payload) - START];
	uint64_t index = INDEX;

	memcpy(all, uuid, 16);
	memcpy(all + 16, &index, 8);
	memcpy(all + 24, &record.time, 8);
	memcpy(all + 32, &record.tag, 8);
	memcpy(all + 40, &record.end, 4);
	memcpy(all + 44, payload + START, sizeof(payload) - START);
	ck_assert_uint_eq(record.crc, maplog_crc32c(0, all, sizeof(all)));
	ck_assert(is_true());
}
END_TEST

START_TEST(record_of_another_log_or_index_or_place_is_not_true)
{
	uint32_t other = crc_seed((const uint8_t[16]){ 1, 2, 4 });

	ck_assert(!record_check(other, INDEX, &record, START, payload,
				sizeof(payload)));
	ck_assert(!record_check(seed, INDEX + 1, &record, START, payload,
				sizeof(payload)));
	ck_assert(!record_check(seed, INDEX, &record, START + 1, payload,
				sizeof(payload)));
	ck_assert(!record_check(seed, INDEX, &record, START, payload,
				sizeof(payload) - 1));
}
END_TEST

/* Looped over every bit of a record. */
START_TEST(record_with_a_bit_flipped_is_not_true)
{
	((unsigned char *)&record)[_i / 8] ^= (unsigned char)(1 << _i % 8);
	ck_assert(!is_true());
}
END_TEST

/* Looped over every byte of the payload. */
START_TEST(payload_with_a_bit_flipped_is_not_true)
{
	char damaged[sizeof(payload)];

	memcpy(damaged, payload, sizeof(damaged));
	damaged[START + _i] ^= 16;
	ck_assert(!record_check(seed, INDEX, &record, START, damaged,
				sizeof(damaged)));
}
END_TEST

START_TEST(record_that_ends_before_it_starts_is_not_true)
{
	ck_assert(!record_check(seed, INDEX, &record, record.end + 1, payload,
				UINT64_MAX));
}
END_TEST

/* Zeros with a checksum that fits them are no entry. */
START_TEST(record_without_a_time_is_not_true)
{
	record = (struct maplog_record){ .end = 0 };
	record.crc = crc_record(seed, INDEX, &record, payload, 0);
	ck_assert(!record_check(seed, INDEX, &record, 0, payload, 1));
	record.time = MAPLOG_TIME_MORE;
	record.crc = crc_record(seed, INDEX, &record, payload, 0);
	ck_assert(!record_check(seed, INDEX, &record, 0, payload, 1));
}
END_TEST

START_TEST(record_is_empty_if_all_of_it_is_zero)
{
	unsigned char *bytes = (unsigned char *)&record;

	memset(&record, 0, sizeof(record));
	ck_assert(record_empty(&record));
	for (size_t i = 0; i < sizeof(record); i++) {
		bytes[i] = 1;
		ck_assert(!record_empty(&record));
		bytes[i] = 0;
	}
}
END_TEST

START_TEST(top_bit_of_the_time_says_that_the_batch_goes_on)
{
	ck_assert(record_more(&record));
	ck_assert_uint_eq(record_time(&record), 42);
	record.time = 42;
	ck_assert(!record_more(&record));
	ck_assert_uint_eq(record_time(&record), 42);
}
END_TEST

static Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, make_record, NULL);
	tcase_add_test(tcase, crc32c_is_that_of_the_standard);
	tcase_add_test(tcase, crc_is_continued_over_pieces);
	tcase_add_test(tcase, put_copies_the_payload_and_sums_it_up);
	tcase_add_test(tcase, sum_is_that_of_its_bytes_one_by_one);
	tcase_add_test(tcase,
		       record_covers_uuid_index_time_tag_end_and_payload);
	tcase_add_test(tcase,
		       record_of_another_log_or_index_or_place_is_not_true);
	tcase_add_loop_test(tcase, record_with_a_bit_flipped_is_not_true, 0,
			    sizeof(struct maplog_record) * 8);
	tcase_add_loop_test(tcase, payload_with_a_bit_flipped_is_not_true, 0,
			    sizeof(payload) - START);
	tcase_add_test(tcase, record_that_ends_before_it_starts_is_not_true);
	tcase_add_test(tcase, record_without_a_time_is_not_true);
	tcase_add_test(tcase, record_is_empty_if_all_of_it_is_zero);
	tcase_add_test(tcase, top_bit_of_the_time_says_that_the_batch_goes_on);
	return suite;
}

int main(void)
{
	return unit_run(record_suite());
}
