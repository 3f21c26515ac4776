/* SPDX-License-Identifier: MIT */
/* Entries as JSON, one object a line. */
#include "jsonline.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base64.h"
#include "error.h"
#include "table.h"

/* ---- Writing ---- */

/* How many bytes the character has that begins there; 0 if it is no UTF-8. */
static size_t character(const uint8_t *at, size_t left)
{
	uint32_t code = at[0];
	size_t n = code < 0x80	 ? 1
		   : code < 0xc2 ? 0
		   : code < 0xe0 ? 2
		   : code < 0xf0 ? 3
		   : code < 0xf5 ? 4
				 : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (at[i] >> 6 != 2)
			return 0;
	}
	/* Written longer than need be, halves of pairs, past the last. */
	if ((code == 0xe0 && at[1] < 0xa0) || (code == 0xed && at[1] > 0x9f) ||
	    (code == 0xf0 && at[1] < 0x90) || (code == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(const uint8_t *at, size_t left)
{
	while (left) {
		size_t n = character(at, left);

		if (!n)
			return false;
		at += n;
		left -= n;
	}
	return true;
}

/* What cannot stand in a string as it is. */
static void escape(struct text *text, uint8_t byte)
{
	static const char named[] = "\n\t\r\\\"";
	static const char letters[] = "ntr\\\"";
	const char *found = byte ? strchr(named, byte) : NULL;

	if (found)
		text_print(text, "\\%c", letters[found - named]);
	else
		text_print(text, "\\u%04x", byte);
}

static bool is_plain(uint8_t byte)
{
	return byte >= ' ' && byte != '"' && byte != '\\' && byte != 0x7f;
}

void jsonline_string(struct text *text, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	const uint8_t *end = at + bytes;

	text_add(text, "\"", 1);
	while (at < end) {
		size_t n = character(at, (size_t)(end - at));

		if (!n)
			text_add(text, "?", 1);
		else if (n > 1 || is_plain(*at))
			text_add(text, at, n);
		else
			escape(text, *at);
		at += n ? n : 1;
	}
	text_add(text, "\"", 1);
}

void jsonline_add(struct text *text, const struct shown *shown)
{
	const struct maplog_info *info = &shown->info;
	char time[TEXT_TIME_SIZE];

	text_print(text,
		   "{\"index\":%" PRIu64 ",\"time\":\"%s\",\"tag\":%" PRIu64
		   ",\"length\":%" PRIu64 ",\"crc\":\"%08" PRIx32 "\",",
		   info->index, text_time(info->time, time), info->tag,
		   info->bytes, shown->crc);
	if (is_utf8(shown->data, info->bytes)) {
		text_print(text, "\"data\":");
		jsonline_string(text, shown->data, info->bytes);
	} else {
		text_print(text, "\"base64\":\"");
		base64_encode(text, shown->data, info->bytes);
		text_add(text, "\"", 1);
	}
	text_add(text, "}", 1);
}

/* ---- Reading ---- */

static const char *take_tag(struct json_object *object, uint64_t *tag)
{
	struct json_object *value;

	*tag = 0;
	if (!json_object_object_get_ex(object, "tag", &value))
		return NULL;
	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 0)
		return "its tag is not a number from 0 to 2^64-1";
	*tag = json_object_get_uint64(value);
	return NULL;
}

static const char *take_bytes(struct json_object *object, struct text *text)
{
	struct json_object *data;
	struct json_object *base64;
	bool has_data = json_object_object_get_ex(object, "data", &data);
	bool has_base64 = json_object_object_get_ex(object, "base64", &base64);

	if (has_data == has_base64)
		return "it has not one of data and base64";
	if (!json_object_is_type(has_data ? data : base64, json_type_string))
		return "its data or base64 is no string";
	if (has_data) {
		text_add(text, json_object_get_string(data),
			 (size_t)json_object_get_string_len(data));
		return NULL;
	}
	return base64_decode(text, json_object_get_string(base64),
			     (size_t)json_object_get_string_len(base64))
		       ? NULL
		       : "its base64 is none";
}

static struct json_object *parse(const char *line, size_t bytes)
{
	static struct json_tokener *tokener;
	struct json_object *object;

	if (!tokener)
		tokener = json_tokener_new();
	if (!tokener)
		error_no_memory();
	if (bytes > INT_MAX)
		return NULL;
	json_tokener_reset(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, line, (int)bytes);
	if (json_tokener_get_error(tokener) == json_tokener_success)
		return object;
	json_object_put(object);
	return NULL;
}

const char *jsonline_parse(const char *line, size_t bytes, struct text *text,
			   uint64_t *tag)
{
	struct json_object *object = parse(line, bytes);
	const char *wrong = "it is not a JSON object";

	if (json_object_is_type(object, json_type_object)) {
		wrong = take_tag(object, tag);
		if (!wrong)
			wrong = take_bytes(object, text);
	}
	json_object_put(object);
	return wrong;
}
