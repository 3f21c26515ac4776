/* SPDX-License-Identifier: MIT */
/* Tests of the page `head`: identity, checkpoints, and the durable mark. */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc.h"
#include "files.h"
#include "fixture.h"

static struct head head;
static bool is_open;

static void open_head(void)
{
	ck_assert_int_eq(head_open(store, true, &head), 0);
	is_open = true;
}

static void make_head(void)
{
	ck_assert_int_eq(head_write_new(store, 0644), 0);
	open_head();
}

static void close_head(void)
{
	if (is_open)
		head_close(&head);
	is_open = false;
}

static struct maplog_checkpoint checkpoint(void)
{
	struct maplog_checkpoint newest;

	head_checkpoint(head.page, &newest);
	return newest;
}

static void set_checkpoint(uint64_t durable)
{
	struct maplog_checkpoint next = { .durable = durable };

	ck_assert_int_eq(head_set_checkpoint(&head, &next), 0);
}

START_TEST(new_head_is_closed_and_empty)
{
	ck_assert_uint_eq(head.page->state, MAPLOG_CLOSED);
	ck_assert_uint_eq(head.page->next, 0);
	ck_assert_uint_eq(checkpoint().sequence, 1);
	ck_assert_uint_eq(checkpoint().durable, 0);
	ck_assert_uint_eq(checkpoint().flags, 0);
	ck_assert_int_eq(access(HEAD_NAME ".new", F_OK), -1);
}
END_TEST

START_TEST(two_heads_are_two_logs)
{
	uint8_t uuid[16];

	memcpy(uuid, head.page->uuid, 16);
	close_head();
	make_head();
	ck_assert_int_ne(memcmp(uuid, head.page->uuid, 16), 0);
}
END_TEST

START_TEST(no_randomness_is_an_error)
{
	fault_set(CALL_RANDOM, 0, 1, ENOSYS);
	ck_assert_int_eq(head_write_new(store, 0644), -EIO);
}
END_TEST

/* Looped over every bit of the identity and its checksum. */
START_TEST(flipped_identity_is_damage)
{
	close_head();
	flip_bit(HEAD_NAME, (uint64_t)_i / 8, (unsigned)_i % 8);
	ck_assert_int_eq(head_open(store, false, &head), -EUCLEAN);
}
END_TEST

/* What a head of another version would be. */
static void make_version(uint32_t version, uint32_t size)
{
	uint32_t crc;

	head.page->version = version;
	head.page->size = size;
	crc = crc_extend(0, head.page, offsetof(struct maplog_head, crc));
	head.page->crc = crc;
	close_head();
}

START_TEST(other_version_is_not_supported)
{
	static const uint32_t versions[] = { 0, 2, UINT32_MAX };

	make_version(versions[_i], MAPLOG_HEAD_SIZE);
	ck_assert_int_eq(head_open(store, false, &head), -ENOTSUP);
}
END_TEST

START_TEST(other_byte_order_is_not_supported)
{
	head.page->version = __builtin_bswap32(MAPLOG_FORMAT_VERSION);
	close_head();
	ck_assert_int_eq(head_open(store, false, &head), -ENOTSUP);
}
END_TEST

START_TEST(other_size_is_not_supported)
{
	make_version(MAPLOG_FORMAT_VERSION, 2 * MAPLOG_HEAD_SIZE);
	ck_assert_int_eq(head_open(store, false, &head), -ENOTSUP);
}
END_TEST

START_TEST(file_of_another_length_is_damage)
{
	static const uint64_t sizes[] = { 0, 1, 4095, 4097, 8192 };

	close_head();
	shorten_file(HEAD_NAME, sizes[_i]);
	ck_assert_int_eq(head_open(store, false, &head), -EUCLEAN);
}
END_TEST

START_TEST(what_is_no_file_is_not_opened)
{
	close_head();
	ck_assert_int_eq(unlinkat(store, HEAD_NAME, 0), 0);
	ck_assert_int_eq(head_open(store, true, &head), -ENOENT);
	ck_assert_int_eq(symlinkat("elsewhere", store, HEAD_NAME), 0);
	ck_assert_int_eq(head_open(store, true, &head), -ELOOP);
	ck_assert_int_eq(unlinkat(store, HEAD_NAME, 0), 0);
	ck_assert_int_eq(mkdirat(store, HEAD_NAME, 0755), 0);
	ck_assert_int_eq(head_open(store, true, &head), -EUCLEAN);
	ck_assert_int_eq(unlinkat(store, HEAD_NAME, AT_REMOVEDIR), 0);
	ck_assert_int_eq(mkfifoat(store, HEAD_NAME, 0644), 0);
	ck_assert_int_eq(head_open(store, false, &head), -EUCLEAN);
}
END_TEST

START_TEST(newest_checkpoint_counts)
{
	for (uint64_t i = 1; i < 10; i++) {
		set_checkpoint(i);
		ck_assert_uint_eq(checkpoint().durable, i);
		ck_assert_uint_eq(checkpoint().sequence, i + 1);
	}
}
END_TEST

/* Looped over every byte of the slot that is written: as long as it is not
 * whole, the other one counts. */
START_TEST(torn_checkpoint_leaves_the_one_before)
{
	uint64_t at = checkpoint().sequence % 2 ? 1024 : 512;
	uint64_t from = at + (uint64_t)_i;

	set_checkpoint(1);
	set_checkpoint(2);
	at = checkpoint().sequence % 2 ? 512 : 1024;
	from = at + (uint64_t)_i;
	close_head();
	zero_file(HEAD_NAME, from, at + sizeof(struct maplog_checkpoint));
	open_head();
	ck_assert_uint_eq(checkpoint().durable, 1);
	set_checkpoint(3);
	ck_assert_uint_eq(checkpoint().durable, 3);
}
END_TEST

START_TEST(checkpoint_of_another_log_does_not_count)
{
	struct maplog_checkpoint newest;

	set_checkpoint(5);
	head.page->uuid[3] ^= 1;
	ck_assert(!head_checkpoint(head.page, &newest));
	ck_assert_uint_eq(newest.durable, 0);
	ck_assert_uint_eq(newest.sequence, 0);
}
END_TEST

/* Looped over its numbers: intact, but no log gets that far. */
START_TEST(checkpoint_out_of_range_does_not_count)
{
	struct maplog_checkpoint bad = { .sequence = 2, .durable = 5 };
	uint64_t *const numbers[] = { &bad.sequence, &bad.durable, &bad.first,
				      &bad.generation, &bad.truncate_to };

	*numbers[_i] = UINT64_MAX - 1;
	bad.crc = crc_extend(crc_seed(head.page->uuid), &bad,
			     offsetof(struct maplog_checkpoint, crc));
	head.page->checkpoint1 = bad;
	ck_assert_uint_eq(checkpoint().sequence, 1);
}
END_TEST

START_TEST(checkpoint_that_is_not_synced_is_an_error)
{
	struct maplog_checkpoint next = { .durable = 1 };

	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(head_set_checkpoint(&head, &next), -EIO);
	/* A full disk would mean that nothing was written. */
	fault_set(CALL_SYNC, 0, 1, ENOSPC);
	ck_assert_int_eq(head_set_checkpoint(&head, &next), -EIO);
}
END_TEST

START_TEST(full_disk_writes_no_checkpoint)
{
	struct maplog_checkpoint next = { .durable = 1 };

	head.in_place = false;
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	ck_assert_int_eq(head_set_checkpoint(&head, &next), -ENOSPC);
	ck_assert_uint_eq(checkpoint().durable, 0);
}
END_TEST

START_TEST(page_that_cannot_be_reached_any_more_is_no_full_disk)
{
	struct maplog_checkpoint next = { .durable = 1 };

	head.in_place = false;
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	fault_set(CALL_WRITE, 0, 1, EIO);
	ck_assert_int_eq(head_set_checkpoint(&head, &next), -EIO);
	/* A quota is one. */
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	fault_set(CALL_WRITE, 0, 1, EDQUOT);
	ck_assert_int_eq(head_set_checkpoint(&head, &next), -ENOSPC);
	ck_assert_uint_eq(checkpoint().durable, 0);
}
END_TEST

START_TEST(live_mark_counts_where_it_is_higher)
{
	set_checkpoint(5);
	head_set_durable(&head, 9);
	ck_assert_uint_eq(
		head_durable(head.page,
			     &(struct maplog_checkpoint){ .durable = 5 }),
		9);
	head_set_durable(&head, 3);
	ck_assert_uint_eq(
		head_durable(head.page,
			     &(struct maplog_checkpoint){ .durable = 5 }),
		5);
}
END_TEST

START_TEST(live_mark_that_is_not_intact_does_not_count)
{
	const struct maplog_checkpoint checkpoint = { .durable = 5 };

	head_set_durable(&head, 9);
	head.page->durable = 10;
	ck_assert_uint_eq(head_durable(head.page, &checkpoint), 5);
	head_set_durable(&head, 9);
	head.page->mark_crc ^= 1;
	ck_assert_uint_eq(head_durable(head.page, &checkpoint), 5);
	/* There can be no such entry. */
	head_set_durable(&head, UINT64_MAX);
	ck_assert_uint_eq(head_durable(head.page, &checkpoint), 5);
}
END_TEST

START_TEST(live_mark_of_another_generation_does_not_count)
{
	head_set_durable(&head, 9);
	ck_assert_uint_eq(head_durable(head.page,
				       &(struct maplog_checkpoint){
					       .durable = 5, .generation = 1 }),
			  5);
}
END_TEST

START_TEST(readers_may_map_it_read_only)
{
	struct head reader;

	ck_assert_int_eq(head_open(store, false, &reader), 0);
	head_store(&head.page->next, 7);
	ck_assert_uint_eq(head_load(&reader.page->next), 7);
	ck_assert_int_eq(head_make_writable(&reader, store), 0);
	head_store(&reader.page->next, 8);
	ck_assert_uint_eq(head_load(&head.page->next), 8);
	head_close(&reader);
}
END_TEST

START_TEST(head_is_not_made_writable_if_it_has_become_bad)
{
	struct head reader;

	ck_assert_int_eq(head_open(store, false, &reader), 0);
	if (_i == 0)
		shorten_file(HEAD_NAME, 0);
	if (_i == 1)
		flip_bit(HEAD_NAME, 0, 0);
	if (_i == 2)
		ck_assert_int_eq(head_write_new(store, 0644), 0);
	ck_assert_int_eq(head_make_writable(&reader, store), -EUCLEAN);
	ck_assert(!reader.writable);
	head_close(&reader);
}
END_TEST

static Suite *head_suite(void)
{
	Suite *suite = suite_create("head");
	TCase *identity = unit_case(suite, "identity");
	TCase *marks = unit_case(suite, "marks");

	tcase_add_checked_fixture(identity, make_head, close_head);
	tcase_add_checked_fixture(marks, make_head, close_head);
	tcase_add_test(identity, new_head_is_closed_and_empty);
	tcase_add_test(identity, two_heads_are_two_logs);
	tcase_add_test(identity, no_randomness_is_an_error);
	tcase_add_loop_test(identity, flipped_identity_is_damage, 0, 44 * 8);
	tcase_add_loop_test(identity, other_version_is_not_supported, 0, 3);
	tcase_add_test(identity, other_byte_order_is_not_supported);
	tcase_add_test(identity, other_size_is_not_supported);
	tcase_add_loop_test(identity, file_of_another_length_is_damage, 0, 5);
	tcase_add_test(identity, what_is_no_file_is_not_opened);
	tcase_add_test(identity, readers_may_map_it_read_only);
	tcase_add_loop_test(
		identity, head_is_not_made_writable_if_it_has_become_bad, 0, 3);
	tcase_add_test(marks, newest_checkpoint_counts);
	tcase_add_loop_test(marks, torn_checkpoint_leaves_the_one_before, 0,
			    60);
	tcase_add_test(marks, checkpoint_of_another_log_does_not_count);
	tcase_add_loop_test(marks, checkpoint_out_of_range_does_not_count, 0,
			    5);
	tcase_add_test(marks, checkpoint_that_is_not_synced_is_an_error);
	tcase_add_test(marks, full_disk_writes_no_checkpoint);
	tcase_add_test(marks,
		       page_that_cannot_be_reached_any_more_is_no_full_disk);
	tcase_add_test(marks, live_mark_counts_where_it_is_higher);
	tcase_add_test(marks, live_mark_that_is_not_intact_does_not_count);
	tcase_add_test(marks, live_mark_of_another_generation_does_not_count);
	return suite;
}

int main(void)
{
	return unit_run(head_suite());
}
