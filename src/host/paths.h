/* SPDX-License-Identifier: MIT */
/*
 * Directories and names as another process sees them.
 *
 * A process's root and working directory are reached through /proc, so that a name is followed in
 * its mounts and below its root, with this program's rights.  Nothing is opened for use: all
 * descriptors are O_PATH ones, which neither wake a device nor wait for one.  They end by
 * host_close().
 */
#ifndef XMEM_HOST_PATHS_H
#define XMEM_HOST_PATHS_H

#include "host/platform.h"

#include <sys/types.h>
#include <sys/vfs.h>

/* What a name leads to.  Mounts have numbers of their own, so that the same directory in two places
 * is told apart where that matters. */
struct host_node {
    uint64_t device;
    uint64_t inode;
    uint64_t mount;
    unsigned mode;
    unsigned major; /* of a device node */
    unsigned minor;
};

/* Descriptors on the thread's root, on its working directory, and on what its descriptor `number`
 * stands for.  0 or errno. */
int host_view_root(pid_t thread, int *fd);
int host_view_directory(pid_t thread, int *fd);
int host_view_descriptor(pid_t thread, int number, int *fd);

/* What is at an absolute path in this program's own view.  0 or errno. */
int host_view_own(const char *path, int *fd);

/* Whether the thread's root is this program's. */
bool host_view_same_root(pid_t thread);

/* One component below the directory; jump: a symbolic link there is followed.  0 or errno. */
int host_path_step(int directory, const char *name, bool jump, int *fd);

/* A whole path below the directory; its last link only if `follow`, and no link of /proc that leads
 * elsewhere than its text says (ELOOP).  0 or errno. */
int host_path_look(int directory, const char *path, bool follow, int *fd);

int host_path_node(int fd, struct host_node *node);
int host_path_own_node(const char *path, struct host_node *node);

/* The text of the symbolic link, with a null byte.  0 or errno; ENAMETOOLONG. */
int host_path_link(int fd, char *text, size_t size);

/* The path of the descriptor in this program's view, as far as the Linux kernel tells. */
int host_path_name(int fd, char *text, size_t size);

/* The file system that holds what is at a path in this program's own view.  0 or errno. */
struct host_file_system {
    struct statfs native;
    uint64_t type;
    uint64_t block_size;
    uint64_t blocks;
    uint64_t blocks_free;
    uint64_t blocks_available;
    uint64_t files;
    uint64_t files_free;
    uint32_t id[2];
    uint64_t name_length;
    uint64_t fragment_size;
    uint64_t flags;
};
int host_file_system(const char *path, struct host_file_system *system);

/* Whether it lies on a proc file system. */
bool host_path_in_proc(int fd);

/* A thread's effective identity as far as permission checks need it. */
struct host_identity {
    unsigned user;
    unsigned group;
    unsigned group_count;
    unsigned groups[64];  /* the first ones of the supplementary groups */
    bool override_access; /* CAP_DAC_OVERRIDE */
};
/* real: as access(2) wants it, not the one for files.  0 or errno. */
int host_identity(pid_t thread, bool real, struct host_identity *identity);

#endif
