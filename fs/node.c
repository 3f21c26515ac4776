/* SPDX-License-Identifier: MIT */
/* Nodes: what the kernel knows of the tree. */
#include "node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "store.h"

#define SIZE_MIN 256

int tree_init(struct tree *tree)
{
	*tree = (struct tree){ .size = SIZE_MIN };
	tree->buckets = calloc(tree->size, sizeof(*tree->buckets));
	if (!tree->buckets)
		return -ENOMEM;
	tree->root.key.kind = NODE_ROOT;
	tree->root.lookups = 1;
	pthread_mutex_init(&tree->lock, NULL);
	pthread_mutex_init(&tree->root.lock, NULL);
	return 0;
}

static void free_node(struct node *node)
{
	pthread_mutex_destroy(&node->lock);
	if (node->key.book)
		book_put(node->key.book);
	free(node);
}

void tree_destroy(struct tree *tree)
{
	struct node *next;

	for (struct node *node = tree->loose; node; node = next) {
		next = node->next_loose;
		free_node(node);
	}
	for (size_t i = 0; i < tree->size; i++) {
		struct node *node;

		while ((node = tree->buckets[i])) {
			tree->buckets[i] = node->chain;
			free_node(node);
		}
	}
	free(tree->buckets);
	pthread_mutex_destroy(&tree->root.lock);
	pthread_mutex_destroy(&tree->lock);
}

fuse_ino_t node_number(const struct tree *tree, const struct node *node)
{
	return node == &tree->root ? FUSE_ROOT_ID : (fuse_ino_t)node;
}

struct node *node_of(struct tree *tree, fuse_ino_t number)
{
	return number == FUSE_ROOT_ID ? &tree->root : (struct node *)number;
}

static size_t bucket_of(const struct tree *tree, const struct node_key *key)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = (uintptr_t)key->book;

	hash = (hash ^ key->kind) * odd;
	hash = (hash ^ hash >> 32 ^ key->first) * odd;
	hash = (hash ^ hash >> 32 ^ key->next) * odd;
	return (hash >> 32) & (tree->size - 1);
}

static bool same(const struct node_key *a, const struct node_key *b)
{
	return a->kind == b->kind && a->book == b->book &&
	       a->first == b->first && a->next == b->next;
}

static struct node *find_locked(const struct tree *tree,
				const struct node_key *key)
{
	struct node *node = tree->buckets[bucket_of(tree, key)];

	while (node && !same(&node->key, key))
		node = node->chain;
	return node;
}

static void hash(struct tree *tree, struct node *node)
{
	struct node **bucket = &tree->buckets[bucket_of(tree, &node->key)];

	node->chain = *bucket;
	*bucket = node;
	node->hashed = true;
}

static void leave_bucket(struct tree *tree, struct node *node)
{
	struct node **at = &tree->buckets[bucket_of(tree, &node->key)];

	assert(node->hashed);
	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	node->chain = NULL;
	node->hashed = false;
	tree->count--;
}

static void leave_loose(struct node *node)
{
	*node->loose_link = node->next_loose;
	if (node->next_loose)
		node->next_loose->loose_link = node->loose_link;
}

/* The kernel does not forget it before it is unmounted, if at all. */
static void unhash(struct tree *tree, struct node *node)
{
	leave_bucket(tree, node);
	node->next_loose = tree->loose;
	node->loose_link = &tree->loose;
	if (node->next_loose)
		node->next_loose->loose_link = &node->next_loose;
	tree->loose = node;
}

static void grow(struct tree *tree)
{
	size_t size = tree->size;
	struct node **old = tree->buckets;
	struct node **buckets = calloc(size * 2, sizeof(*buckets));

	/* Without memory the chains get longer, that is all. */
	if (!buckets)
		return;
	tree->buckets = buckets;
	tree->size = size * 2;
	for (size_t i = 0; i < size; i++) {
		struct node *node;

		while ((node = old[i])) {
			old[i] = node->chain;
			hash(tree, node);
		}
	}
	free(old);
}

static struct node *make(struct tree *tree, const struct node_key *key)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->key = *key;
	node->fd = -1;
	pthread_mutex_init(&node->lock, NULL);
	if (key->book)
		book_hold(key->book);
	if (tree->count >= tree->size)
		grow(tree);
	hash(tree, node);
	tree->count++;
	return node;
}

struct node *node_look_up(struct tree *tree, const struct node_key *key)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = find_locked(tree, key);
	if (!node)
		node = make(tree, key);
	if (node)
		node->lookups++;
	pthread_mutex_unlock(&tree->lock);
	return node;
}

struct node *node_find(struct tree *tree, const struct node_key *key)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = find_locked(tree, key);
	if (node)
		node->holders++;
	pthread_mutex_unlock(&tree->lock);
	return node;
}

/* Takes a node that nobody needs out of the tree. */
static bool is_done(struct tree *tree, struct node *node)
{
	if (node->lookups || node->holders || node == &tree->root)
		return false;
	if (node->hashed)
		leave_bucket(tree, node);
	else
		leave_loose(node);
	return true;
}

void node_forget(struct tree *tree, struct node *node, uint64_t lookups)
{
	bool done;

	pthread_mutex_lock(&tree->lock);
	assert(lookups <= node->lookups || node == &tree->root);
	if (node != &tree->root)
		node->lookups -= lookups;
	done = is_done(tree, node);
	pthread_mutex_unlock(&tree->lock);
	if (done)
		free_node(node);
}

void node_hold(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node->holders++;
	pthread_mutex_unlock(&tree->lock);
}

void node_put(struct tree *tree, struct node *node)
{
	bool done;

	pthread_mutex_lock(&tree->lock);
	assert(node->holders);
	node->holders--;
	done = is_done(tree, node);
	pthread_mutex_unlock(&tree->lock);
	if (done)
		free_node(node);
}

void node_unhash(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	if (node->hashed)
		unhash(tree, node);
	pthread_mutex_unlock(&tree->lock);
}

bool node_cut(struct tree *tree,
	      bool (*select)(const struct node *node, const void *arg),
	      const void *arg)
{
	size_t before;
	bool any;

	pthread_mutex_lock(&tree->lock);
	before = tree->count;
	for (size_t i = 0; i < tree->size; i++) {
		struct node *next;

		for (struct node *n = tree->buckets[i]; n; n = next) {
			next = n->chain;
			if (select(n, arg))
				unhash(tree, n);
		}
	}
	any = tree->count < before;
	pthread_mutex_unlock(&tree->lock);
	return any;
}

static size_t collect_locked(const struct tree *tree, struct node **nodes,
			     bool (*select)(const struct node *node,
					    const void *arg),
			     const void *arg)
{
	size_t found = 0;

	for (size_t i = 0; i < tree->size; i++) {
		for (struct node *n = tree->buckets[i]; n; n = n->chain) {
			if (!select(n, arg))
				continue;
			n->holders++;
			nodes[found++] = n;
		}
	}
	return found;
}

struct node **node_collect(struct tree *tree,
			   bool (*select)(const struct node *node,
					  const void *arg),
			   const void *arg)
{
	struct node **nodes;

	pthread_mutex_lock(&tree->lock);
	nodes = calloc(tree->count + 1, sizeof(*nodes));
	if (nodes)
		(void)collect_locked(tree, nodes, select, arg);
	pthread_mutex_unlock(&tree->lock);
	return nodes;
}
