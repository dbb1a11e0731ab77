/* SPDX-License-Identifier: MIT */
/*
 * Shared objects that are loaded while the program runs.  None is called at interrupt level, nor
 * under a lock: objects have constructors and destructors, which may call anything.
 */
#ifndef XMEM_HOST_OBJECTS_H
#define XMEM_HOST_OBJECTS_H

#include "host/platform.h"

/* Whether a file is there to be read.  0 or errno. */
int host_object_look(const char *path);

/* Loads an object with all that it needs, or refers once more to one that is loaded; its names stay
 * its own.  0; ENOEXEC: words (of `size` bytes) become what the dynamic linker says. */
int host_object_open(const char *path, void **object, char *words, size_t size);

/* Refers to an object if it is loaded.  0 or ENOENT. */
int host_object_refer(const char *path, void **object);

/* The same for the object that has the address; *object becomes NULL if that is the program itself
 * or none, which nobody can unload.  0 or ENOMEM. */
int host_object_refer_to(const void *address, void **object);

/* Where the object begins and ends in memory; both 0 if that cannot be told. */
void host_object_bounds(void *object, uintptr_t *from, uintptr_t *to);

/* Ends one reference. */
void host_object_close(void *object);

/* The address of a name, or of the entry point of its file.  0 or ENOENT. */
int host_object_find(void *object, const char *name, void **address);
int host_object_entry(void *object, void **address);

#endif
