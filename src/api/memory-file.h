/* Files in memory that pass over the bus: what is too large for a message. */
#pragma once

#include "base/error.h"

/* A file with this content that nobody can change any more, read from its beginning. *ret is the caller's. */
int memory_file_new(const char *name, const void *data, size_t size, int *ret);
/* The content of such a file from somebody else. fd is borrowed, and its position is not used. What could change or
 * shrink while it is read, what could block, and what is larger than max is refused. */
int memory_file_read(int fd, size_t max, GBytes **ret, Error *error);
