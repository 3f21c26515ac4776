/* SPDX-License-Identifier: MIT */
/* What a file held at one moment: its size, and its pages that are not zero. */
#include "content.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

#define PAGES 16

static const unsigned char zeros[CONTENT_PAGE];

static struct page *add_page(struct content *content, uint64_t at)
{
	struct page *page;

	if (content->count == content->room) {
		content->room = content->room ? content->room * 2 : 4;
		content->page = realloc(content->page,
					content->room * sizeof(*content->page));
		must(content->page);
	}
	page = &content->page[content->count++];
	page->at = at;
	return page;
}

/* So many pages at once: a call for each would take most of the time. */
static void load_pages(struct content *content, int fd, off_t from, off_t to)
{
	static unsigned char bytes[PAGES * CONTENT_PAGE];
	size_t wanted = to - from < (off_t)sizeof(bytes) ? (size_t)(to - from)
							 : sizeof(bytes);
	ssize_t n = pread(fd, bytes, wanted, from);

	must(n >= 0);
	/* Whatever is not read is zero. */
	memset(bytes + n, 0, sizeof(bytes) - (size_t)n);
	for (size_t i = 0; i < wanted; i += CONTENT_PAGE) {
		if (memcmp(bytes + i, zeros, CONTENT_PAGE) != 0)
			memcpy(add_page(content, (uint64_t)from + i)->byte,
			       bytes + i, CONTENT_PAGE);
	}
}

void content_load(struct content *content, int fd)
{
	struct stat st;
	off_t at = 0;

	must(!fstat(fd, &st));
	content->size = (uint64_t)st.st_size;
	content->count = 0;
	while (at < st.st_size) {
		off_t data = lseek(fd, at, SEEK_DATA);

		if (data < 0)
			break;
		at = lseek(fd, data, SEEK_HOLE);
		data -= data % CONTENT_PAGE;
		for (; data < at; data += PAGES * CONTENT_PAGE)
			load_pages(content, fd, data, at);
	}
}

void content_store(const struct content *content, int fd)
{
	for (size_t i = 0; i < content->count; i++) {
		const struct page *page = &content->page[i];
		size_t n = CONTENT_PAGE;

		if (page->at >= content->size)
			break;
		if (n > content->size - page->at)
			n = content->size - page->at;
		must(pwrite(fd, page->byte, n, (off_t)page->at) == (ssize_t)n);
	}
	must(!ftruncate(fd, (off_t)content->size));
}

static void tear_page(unsigned char *to, const unsigned char *new,
		      bool (*toss)(void))
{
	for (int i = 0; i < CONTENT_PAGE; i += CONTENT_SECTOR) {
		if (memcmp(to + i, new + i, CONTENT_SECTOR) != 0 && toss())
			memcpy(to + i, new + i, CONTENT_SECTOR);
	}
}

void content_tear(struct content *torn, const struct content *old,
		  const struct content *new, bool (*toss)(void))
{
	size_t i = 0;
	size_t j = 0;

	torn->count = 0;
	torn->size = new->size != old->size &&toss() ? new->size : old->size;
	while (i < old->count || j < new->count) {
		uint64_t a = i < old->count ? old->page[i].at : UINT64_MAX;
		uint64_t b = j < new->count ? new->page[j].at : UINT64_MAX;
		struct page *page = add_page(torn, a < b ? a : b);

		memcpy(page->byte, a <= b ? old->page[i++].byte : zeros,
		       CONTENT_PAGE);
		tear_page(page->byte, b <= a ? new->page[j++].byte : zeros,
			  toss);
	}
}

void content_copy(struct content *to, const struct content *from)
{
	*to = *from;
	to->room = from->count;
	to->page = calloc(from->count + 1, sizeof(*to->page));
	must(to->page);
	if (from->count)
		memcpy(to->page, from->page, from->count * sizeof(*to->page));
}

void content_free(struct content *content)
{
	free(content->page);
	memset(content, 0, sizeof(*content));
}
