/* SPDX-License-Identifier: MIT */
/* Tests of mending: the one bit that is wrong is found, and no other. */
#include "mend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crc.h"
#include "fixture.h"

#define BYTES 37
#define SEED  7
#define INDEX 42
#define START 5

static uint8_t payload[START + 4096 + 64];
static struct maplog_record record;

static void make_record(uint32_t bytes)
{
	pattern(payload, sizeof(payload), 3);
	record = (struct maplog_record){ .end = START + bytes,
					 .time = 12345 | MAPLOG_TIME_MORE,
					 .tag = UINT64_MAX / 3 };
	record.crc = crc_record(SEED, INDEX, &record, payload + START, bytes);
}

static bool mend_it(const struct maplog_record *bad, struct mend *found)
{
	struct sums sums;
	bool mended;

	ck_assert_int_eq(sums_init(&sums, payload, sizeof(payload)), 0);
	mended = mend(SEED, INDEX, bad, START, &sums, found);
	sums_free(&sums);
	return mended;
}

/* Looped over every bit of a record. */
START_TEST(bit_of_a_record_is_found)
{
	struct maplog_record bad;
	struct mend found;

	make_record(BYTES);
	bad = record;
	((uint8_t *)&bad)[_i / 8] ^= (uint8_t)(1U << _i % 8);
	ck_assert(mend_it(&bad, &found));
	ck_assert(!found.in_payload);
	ck_assert_int_eq(memcmp(&found.record, &record, sizeof(record)), 0);
}
END_TEST

/* Looped over every bit of a payload. */
START_TEST(bit_of_a_payload_is_found)
{
	uint64_t at = START + (uint64_t)_i / 8;
	struct mend found;
	uint8_t right;

	make_record(BYTES);
	right = payload[at];
	payload[at] ^= (uint8_t)(1U << _i % 8);
	ck_assert(mend_it(&record, &found));
	ck_assert(found.in_payload);
	ck_assert_uint_eq(found.offset, at);
	ck_assert_uint_eq(found.byte, right);
}
END_TEST

START_TEST(bit_of_a_long_payload_is_not_looked_for)
{
	struct mend found;

	make_record(MEND_PAYLOAD_MAX);
	payload[START] ^= 1;
	ck_assert(mend_it(&record, &found));
	make_record(MEND_PAYLOAD_MAX + 1);
	payload[START] ^= 1;
	ck_assert(!mend_it(&record, &found));
}
END_TEST

/* Looped over seeds. */
START_TEST(two_bits_are_not_mended)
{
	struct mend found;

	make_record(BYTES);
	srandom((unsigned)_i);
	payload[START + random() % (BYTES / 2)] ^= 1;
	payload[START + BYTES / 2 + random() % (BYTES / 2)] ^= 128;
	ck_assert(!mend_it(&record, &found));
}
END_TEST

/* Looped over pairs of borders, near those of blocks. */
START_TEST(sum_of_a_part_is_that_of_its_bytes)
{
	static const uint64_t at[] = {
		0, 1, 1023, 1024, 1025, 2047, 2048, 4000
	};
	const uint64_t n = sizeof(at) / sizeof(*at);
	uint64_t from = at[(uint64_t)_i / n];
	uint64_t to = at[(uint64_t)_i % n];
	struct sums sums;
	uint32_t crc;

	make_record(BYTES);
	ck_assert_int_eq(sums_init(&sums, payload, 4000), 0);
	for (int again = 0; again < 2 && from <= to; again++) {
		ck_assert(sums_range(&sums, from, to, &crc));
		ck_assert_uint_eq(crc,
				  crc_extend(0, payload + from, to - from));
	}
	ck_assert(from <= to || !sums_range(&sums, from, to, &crc));
	ck_assert(!sums_range(&sums, from, 4001, &crc));
	sums_free(&sums);
}
END_TEST

/* Behind it all is where it was, in what is read and in what is not. */
START_TEST(page_that_cannot_be_read_spoils_no_other)
{
	struct sums sums;
	uint32_t crc;

	make_record(BYTES);
	ck_assert_int_eq(sums_init(&sums, payload, 4000), 0);
	/* The piece, then its second block. */
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	ck_assert(sums_range(&sums, 1024, 2048, &crc));
	sums_free(&sums);
	ck_assert_int_eq(sums_init(&sums, payload, 4000), 0);
	fault_set(CALL_ADVISE, 0, 2, EFAULT);
	ck_assert(!sums_range(&sums, 0, 2048, &crc));
	ck_assert(sums_range(&sums, 1025, 3000, &crc));
	ck_assert_uint_eq(crc, crc_extend(0, payload + 1025, 3000 - 1025));
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	ck_assert(!sums_range(&sums, 1025, 3000, &crc));
	sums_free(&sums);
}
END_TEST

START_TEST(nothing_is_mended_into_an_entry)
{
	const struct maplog_record nothing = { .end = 0 };
	struct mend found;

	make_record(BYTES);
	ck_assert(!mend_it(&nothing, &found));
	record.end = sizeof(payload) + 1;
	ck_assert(!mend_it(&record, &found));
}
END_TEST

static Suite *mend_suite(void)
{
	Suite *suite = suite_create("mend");
	TCase *mending = unit_case(suite, "mending");

	tcase_add_loop_test(mending, bit_of_a_record_is_found, 0, 192);
	tcase_add_loop_test(mending, bit_of_a_payload_is_found, 0, BYTES * 8);
	tcase_add_test(mending, bit_of_a_long_payload_is_not_looked_for);
	tcase_add_loop_test(mending, two_bits_are_not_mended, 0, 50);
	tcase_add_test(mending, nothing_is_mended_into_an_entry);
	tcase_add_loop_test(mending, sum_of_a_part_is_that_of_its_bytes, 0, 64);
	tcase_add_test(mending, page_that_cannot_be_read_spoils_no_other);
	return suite;
}

int main(void)
{
	return unit_run(mend_suite());
}
