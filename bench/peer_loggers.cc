/* SPDX-License-Identifier: MIT */
/*
 * The two loggers that people write first, in the C++ that they write.
 *
 * OpenWriteClose opens its file for every batch, seeks, writes entry after
 * entry, and closes it. Mapping copies byte by byte into a sparse file of a
 * fixed 250 MiB that it has mapped. Both keep the positions of entries in a
 * vector, and guard it with a mutex.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness.h"
#include "peer.h"

namespace
{

class Logger
{
      public:
	virtual ~Logger() = default;
	virtual void append(const struct maplog_entry *entries, unsigned n) = 0;
	/* The bytes of @n entries, copied. */
	virtual std::string read(uint64_t index, unsigned n) = 0;

	size_t size(uint64_t index) const
	{
		return positions_[index + 1] - positions_[index];
	}

      protected:
	std::mutex mutex_;
	/* Where each entry begins, and where the next one will. */
	std::vector<size_t> positions_ = { 0 };
};

class OpenWriteClose : public Logger
{
      public:
	explicit OpenWriteClose(const std::string &path) : path_(path)
	{
	}

	void append(const struct maplog_entry *entries, unsigned n) override
	{
		std::lock_guard<std::mutex> lock(mutex_);
		int fd = open(O_WRONLY | O_CREAT, positions_.back());

		for (unsigned i = 0; i < n; i++) {
			must_call(write(fd, entries[i].data, entries[i].bytes),
				  "write");
			positions_.push_back(positions_.back() +
					     entries[i].bytes);
		}
		close(fd);
	}

	std::string read(uint64_t index, unsigned n) override
	{
		std::lock_guard<std::mutex> lock(mutex_);
		int fd = open(O_RDONLY, positions_[index]);
		std::string bytes(positions_[index + n] - positions_[index],
				  '\0');

		must_call(::read(fd, &bytes[0], bytes.size()), "read");
		close(fd);
		return bytes;
	}

      private:
	int open(int flags, size_t position)
	{
		int fd = (int)must_call(::open(path_.c_str(), flags, 0644),
					"open");

		must_call(lseek(fd, (off_t)position, SEEK_SET), "lseek");
		return fd;
	}

	std::string path_;
};

class Mapping : public Logger
{
      public:
	explicit Mapping(const std::string &path)
	{
		int fd = (int)must_call(
			::open(path.c_str(), O_RDWR | O_CREAT, 0644), "open");
		void *map;

		/* The last byte makes the file as long as it will be. */
		must_call(lseek(fd, size_, SEEK_SET), "lseek");
		must_call(write(fd, "", 1), "write");
		map = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
		if (map == MAP_FAILED)
			die("mmap", 0);
		map_ = static_cast<char *>(map);
		close(fd);
	}

	~Mapping() override
	{
		munmap(map_, size_);
	}

	void append(const struct maplog_entry *entries, unsigned n) override
	{
		std::lock_guard<std::mutex> lock(mutex_);

		for (unsigned i = 0; i < n; i++) {
			auto data = static_cast<const char *>(entries[i].data);
			size_t at = positions_.back();

			if (at + entries[i].bytes > size_)
				die("its 250 MiB are full", 0);
			for (size_t k = 0; k < entries[i].bytes; k++)
				map_[at + k] = data[k];
			positions_.push_back(at + entries[i].bytes);
		}
	}

	std::string read(uint64_t index, unsigned n) override
	{
		std::lock_guard<std::mutex> lock(mutex_);

		return std::string(map_ + positions_[index],
				   map_ + positions_[index + n]);
	}

      private:
	static constexpr size_t size_ = 250 << 20;
	char *map_;
};

std::unique_ptr<Logger> logger;
std::string last;

void open_logger(const struct peer *self, const struct setup *setup)
{
	std::string path = std::string(setup->dir) + "/log";

	if (self->flags)
		logger = std::make_unique<Mapping>(path);
	else
		logger = std::make_unique<OpenWriteClose>(path);
}

void append(const struct maplog_entry *entries, unsigned n)
{
	logger->append(entries, n);
}

void read_entries(uint64_t index, unsigned n, struct maplog_entry *out)
{
	const char *at;

	last = logger->read(index, n);
	at = last.data();
	for (unsigned i = 0; i < n; i++) {
		out[i].data = at;
		out[i].bytes = logger->size(index + i);
		at += out[i].bytes;
	}
}

const void *span(uint64_t index, unsigned n, size_t *bytes)
{
	last = logger->read(index, n);
	*bytes = last.size();
	return last.data();
}

void close_logger()
{
	logger.reset();
}

} /* namespace */

#define LOGGER(name, mapping)                                                  \
	{                                                                      \
		name, mapping, open_logger, append, nullptr, nullptr,          \
			read_entries, span, nullptr, close_logger                       \
	}

extern "C" const struct peer peers[] = {
	LOGGER("open-write-close", 0),
	LOGGER("mapping", 1),
	{},
};
