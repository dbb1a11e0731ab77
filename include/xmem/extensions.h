/* SPDX-License-Identifier: MIT */
/*
 * xmem: kernel extensions, shared objects that a kernel program loads while it runs.
 *
 * An extension is known by a number; 0 is none.  Each successful load has its unload; the object
 * goes with the last.  Names of an extension are seen by nobody else, and those that it lacks are
 * found in the program and the libraries that both name.
 *
 * The rules at the top of <xmem/xmem.h> hold here too.  All are for the process environment, may
 * block and allocate, and do not need a started xmem.
 */
#ifndef XMEM_EXTENSIONS_H
#define XMEM_EXTENSIONS_H

#include <xmem/xmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Loads a shared object, or counts one load more of one that is loaded.
 * path: with a slash a file; without, a file in one of the directories.
 * directories: names with colons in between, looked through in their order; NULL: none, and the
 * dynamic linker looks in its own ones.
 * *extension becomes its number; 0 on failure.
 * Returns 0; EINVAL: no path, or too long; ENOENT, EACCES, ENOTDIR ...: it cannot be found or read;
 * ENOEXEC: it is no shared object for this machine, or something that it needs is missing, and the
 * words of the failure say what; ENOSPC: 256 extensions are loaded; ENOMEM; EPERM.
 */
int xmem_extension_load(const char *path, const char *directories, uint32_t *extension);

/* The number of an extension that is loaded, by the same names; counts nothing.
 * Returns 0; ENOENT: it is not loaded (*extension is 0); EINVAL; EPERM. */
int xmem_extension_query(const char *path, const char *directories, uint32_t *extension);

/* Undoes one load.  Whoever still runs or refers to code of an object that goes is lost.
 * Returns 0; EINVAL: no extension has that number; EPERM. */
int xmem_extension_unload(uint32_t extension);

/*
 * The same, unless that is the last load and one of these addresses lies in the object.
 * Returns as that does; EBUSY: one does.
 */
int xmem_extension_unload_unused(uint32_t extension, void *const *addresses, size_t count);

/*
 * Keeps the object that has the address, code as a rule, in memory until the hold is released, even
 * if it is unloaded meanwhile; its number is then nobody's all the same.
 * *hold becomes what is to be released: NULL if the program itself has the address, or nothing.
 * Returns 0; ENOMEM; EPERM.
 */
int xmem_extension_hold(const void *address, void **hold);

/* Releases a hold; NULL is none.  The caller must not be code of the object. */
void xmem_extension_release(void *hold);

/* The address of its entry point, which the linker's option -e NAME set.
 * Returns 0; EINVAL: no extension has that number; ENOENT: it has no entry point; EPERM. */
int xmem_extension_entry(uint32_t extension, void **address);

/* The address of a function or variable that it exports.
 * Returns 0; EINVAL: no extension has that number; ENOENT: nothing has that name; EPERM. */
int xmem_extension_find(uint32_t extension, const char *name, void **address);

#ifdef __cplusplus
}
#endif

#endif
