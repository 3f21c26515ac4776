/* SPDX-License-Identifier: MIT */
/* The page `head`. */
#include "head.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "io.h"

#define IDENTITY_SIZE	offsetof(struct maplog_head, crc)
#define CHECKPOINT_SIZE offsetof(struct maplog_checkpoint, crc)

static uint32_t checkpoint_crc(const uint8_t uuid[16],
			       const struct maplog_checkpoint *checkpoint)
{
	return crc_extend(crc_seed(uuid), checkpoint, CHECKPOINT_SIZE);
}

static uint32_t mark_crc(const struct maplog_head *page, uint64_t generation,
			 uint64_t durable)
{
	const uint64_t covered[2] = { generation, durable };

	return crc_extend(crc_seed(page->uuid), covered, sizeof(covered));
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void page_init(struct maplog_head *page, const uint8_t uuid[16],
		      const struct maplog_checkpoint *state)
{
	memset(page, 0, sizeof(*page));
	memcpy(page->magic, MAPLOG_HEAD_MAGIC, sizeof(page->magic));
	page->version = MAPLOG_FORMAT_VERSION;
	page->size = MAPLOG_HEAD_SIZE;
	memcpy(page->uuid, uuid, sizeof(page->uuid));
	page->created = now();
	page->crc = crc_extend(0, page, IDENTITY_SIZE);

	page->generation = state->generation;
	page->first = state->first;
	page->next = state->durable;
	page->durable = state->durable;
	page->mark_crc = mark_crc(page, state->generation, state->durable);

	page->checkpoint0 = *state;
	page->checkpoint0.sequence = 1;
	page->checkpoint0.crc = checkpoint_crc(uuid, &page->checkpoint0);
}

int head_rebuild(int dirfd, mode_t mode, const uint8_t uuid[16],
		 const struct maplog_checkpoint *state)
{
	struct maplog_head page;

	page_init(&page, uuid, state);
	return io_replace(dirfd, HEAD_NAME, &page, sizeof(page), mode);
}

int head_write_new(int dirfd, mode_t mode)
{
	const struct maplog_checkpoint empty = { 0 };
	uint8_t uuid[16];

	if (getrandom(uuid, sizeof(uuid), 0) != sizeof(uuid))
		return -EIO;
	return head_rebuild(dirfd, mode, uuid, &empty);
}

static int check_identity(const struct maplog_head *page)
{
	struct maplog_head copy;

	memcpy(&copy, page, IDENTITY_SIZE + sizeof(copy.crc));
	if (memcmp(copy.magic, MAPLOG_HEAD_MAGIC, sizeof(copy.magic)) != 0)
		return -EUCLEAN;
	/* Written by a machine of the other byte order. */
	if (copy.version == __builtin_bswap32(MAPLOG_FORMAT_VERSION))
		return -ENOTSUP;
	if (copy.crc != crc_extend(0, &copy, IDENTITY_SIZE))
		return -EUCLEAN;
	if (copy.version != MAPLOG_FORMAT_VERSION ||
	    copy.size != MAPLOG_HEAD_SIZE)
		return -ENOTSUP;
	return 0;
}

static int map_page(int fd, bool writable, struct maplog_head **page)
{
	void *at;
	int ret;

	ret = io_map(fd, 0, MAPLOG_HEAD_SIZE, writable, &at);
	if (ret)
		return ret;
	ret = io_populate(at, MAPLOG_HEAD_SIZE, false);
	if (!ret)
		ret = check_identity(at);
	if (ret) {
		munmap(at, MAPLOG_HEAD_SIZE);
		return ret;
	}
	*page = at;
	return 0;
}

int head_open(int dirfd, bool writable, struct head *head)
{
	uint64_t size;
	int ret;
	int fd;

	ret = io_open(dirfd, HEAD_NAME, writable ? O_RDWR : O_RDONLY, 0, &fd,
		      &size);
	if (ret)
		return ret;
	ret = size == MAPLOG_HEAD_SIZE ? 0 : -EUCLEAN;
	if (!ret)
		ret = map_page(fd, writable, &head->page);
	if (ret) {
		close(fd);
		return ret;
	}
	assert(fd >= 0);
	head->fd = fd;
	head->writable = writable;
	head->in_place = io_rewrites_in_place(fd);
	return 0;
}

static int map_over(struct maplog_head *page, int fd)
{
	void *at = mmap(page, MAPLOG_HEAD_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, fd, 0);

	return at == MAP_FAILED ? -errno : 0;
}

int head_make_writable(struct head *head, int dirfd)
{
	struct head new;
	int ret;

	assert(head->page);

	ret = head_open(dirfd, true, &new);
	if (ret)
		return ret;
	/* It may have been rebuilt, but not by another log. */
	if (memcmp(new.page->uuid, head->page->uuid, sizeof(new.page->uuid)))
		ret = -EUCLEAN;
	/* In the same place: readers go on while it is replaced. */
	if (!ret)
		ret = map_over(head->page, new.fd);
	munmap(new.page, MAPLOG_HEAD_SIZE);
	if (ret) {
		close(new.fd);
		return ret;
	}
	close(head->fd);
	head->fd = new.fd;
	head->writable = true;
	return 0;
}

void head_close(struct head *head)
{
	assert(head->page && head->fd >= 0);

	munmap(head->page, MAPLOG_HEAD_SIZE);
	close(head->fd);
	head->page = NULL;
	head->fd = -1;
}

/* No log gets that far: what is beyond would overflow. */
static bool in_range(uint64_t number)
{
	return number <= DIR_BASE_MAX;
}

/* A truncation made all durable that is left, and took nothing of what was
 * trimmed away before it. */
static bool truncation_valid(const struct maplog_checkpoint *checkpoint)
{
	return checkpoint->truncate_to <= checkpoint->durable &&
	       (checkpoint->first <= checkpoint->truncate_to ||
		!(checkpoint->flags & MAPLOG_TRUNCATING));
}

static bool checkpoint_valid(const struct maplog_head *page,
			     const struct maplog_checkpoint *checkpoint)
{
	return checkpoint->sequence && in_range(checkpoint->sequence) &&
	       in_range(checkpoint->durable) &&
	       in_range(checkpoint->generation) &&
	       checkpoint->first <= checkpoint->durable &&
	       truncation_valid(checkpoint) &&
	       checkpoint->crc == checkpoint_crc(page->uuid, checkpoint);
}

bool head_checkpoint(const struct maplog_head *page,
		     struct maplog_checkpoint *checkpoint)
{
	const struct maplog_checkpoint slot[2] = { page->checkpoint0,
						   page->checkpoint1 };

	memset(checkpoint, 0, sizeof(*checkpoint));
	for (int i = 0; i < 2; i++) {
		if (checkpoint_valid(page, &slot[i]) &&
		    slot[i].sequence > checkpoint->sequence)
			*checkpoint = slot[i];
	}
	return checkpoint->sequence;
}

int head_prepare(const struct head *head)
{
	return head->in_place ? 0 : head_reach(head);
}

int head_reach(const struct head *head)
{
	int ret;

	assert(head->writable);

	ret = io_populate(head->page, MAPLOG_HEAD_SIZE, true);
	/* A byte of the magic, which is what it is. */
	return ret == -ENOSPC ? io_refusal(head->fd, 0) : ret;
}

int head_set_checkpoint(struct head *head, struct maplog_checkpoint *checkpoint)
{
	struct maplog_checkpoint old;
	int ret;

	assert(head->writable);
	assert(checkpoint->first <= checkpoint->durable);
	assert(checkpoint->truncate_to <= checkpoint->durable);

	ret = head_prepare(head);
	if (ret)
		return ret;
	head_checkpoint(head->page, &old);
	checkpoint->sequence = old.sequence + 1;
	checkpoint->crc = checkpoint_crc(head->page->uuid, checkpoint);

	/* Never over the newest one: a torn write must leave it whole. */
	if (checkpoint->sequence % 2)
		head->page->checkpoint0 = *checkpoint;
	else
		head->page->checkpoint1 = *checkpoint;
	ret = io_sync(head->fd);
	/* A full disk means that nothing was written: here that is not sure. */
	return ret == -ENOSPC ? -EIO : ret;
}

void head_set_durable(struct head *head, uint64_t durable)
{
	uint64_t generation = head->page->generation;

	assert(head->writable);

	head_store(&head->page->durable, durable);
	head_store(&head->page->mark_crc,
		   mark_crc(head->page, generation, durable));
}

uint64_t head_durable(const struct maplog_head *page,
		      const struct maplog_checkpoint *checkpoint)
{
	uint64_t generation = head_load(&page->generation);
	uint64_t durable = head_load(&page->durable);

	if (generation == checkpoint->generation &&
	    durable > checkpoint->durable && in_range(durable) &&
	    head_load(&page->mark_crc) == mark_crc(page, generation, durable))
		return durable;
	return checkpoint->durable;
}
