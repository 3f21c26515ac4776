/* SPDX-License-Identifier: MIT */
/* Extended attributes: where the bytes of a file are from. */
#ifndef MAPLOG_FS_XATTR_H
#define MAPLOG_FS_XATTR_H

#include "server.h"

/* Large enough for each value. */
#define XATTR_VALUE_SIZE 64

/* Large enough for the list of all names. */
#define XATTR_LIST_SIZE 512

/**
 * xattr_list() - names of the attributes that a node has, each with a zero byte
 * @names: out: XATTR_LIST_SIZE bytes
 *
 * Return: how many bytes.
 */
size_t xattr_list(struct node *node, char *names);

/**
 * xattr_get() - the value of an attribute as text, without a zero byte
 * @value: out: XATTR_VALUE_SIZE bytes
 *
 * Return: its length; -ENODATA if the node does not have it; else an errno.
 */
int xattr_get(struct node *node, const char *name, char *value);

#endif
