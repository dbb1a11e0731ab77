/* SPDX-License-Identifier: MIT */
/*
 * Which paths name devices; paths.h says what is promised.
 *
 * Two ways: a quick look has the Linux kernel follow the path and sees what is there; the walk goes
 * component by component.  The walk is for paths that may end at a device (a component has its
 * name), that end at a symbolic link, or that the quick look cannot tell about: those of a caller
 * with another root, and those through /proc, whose "self" is somebody else for us.
 */
#include "trapped/paths.h"

#include "host/memory.h"
#include "host/paths.h"
#include "host/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MOST 40 /* as Linux */
#define PROC_ROOT_INODE 1
#define NULL_MAJOR 1
#define NULL_MINOR 3

/* ---------------------------------------------------------------- names ---------------- */

struct name {
    struct name *next;
    bool deep; /* a path below it, or below a directory that does not exist, can be meant */
    bool suffixes;
    size_t last; /* where in path its last component begins */
    char path[];
};

static host_mutex names_lock = HOST_MUTEX_INITIALIZER;
static struct name *names;
static unsigned names_deep; /* how many are */
static unsigned names_count;

static bool plain_path(const char *path)
{
    if (*path != '/')
        return false;
    while (*path) {
        size_t length = strcspn(++path, "/");
        bool dots = (length == 1 && path[0] == '.') || (length == 2 && memcmp(path, "..", 2) == 0);
        if (length == 0 || length > NAME_MAX || dots)
            return false;
        path += length;
    }
    return true;
}

/* What is at the first `length` bytes of the path in our own view. */
static bool own_node(const struct name *name, size_t length, struct host_node *node)
{
    char text[PATH_MAX];
    memcpy(text, name->path, length);
    text[length] = '\0';
    return host_path_own_node(length ? text : "/", node) == 0 && S_ISDIR(node->mode);
}

/* Whether a path at or below `upper` is `lower`. */
static bool above(const struct name *upper, const struct name *lower)
{
    size_t length = strlen(upper->path);
    return upper->suffixes && strncmp(upper->path, lower->path, length) == 0 &&
           lower->path[length] == '/';
}

static bool names_collide(const struct name *new_name)
{
    for (const struct name *name = names; name; name = name->next)
        if (strcmp(name->path, new_name->path) == 0 || above(name, new_name) ||
            above(new_name, name))
            return true;
    return false;
}

int path_name_add(const char *path, bool suffixes)
{
    struct host_node node;
    size_t length = path ? strnlen(path, PATH_MAX) : 0;
    if (length == 0 || length == PATH_MAX || !plain_path(path))
        return EINVAL;
    struct name *name = host_allocate(sizeof(*name) + length + 1);
    if (!name)
        return ENOMEM;
    memcpy(name->path, path, length + 1);
    name->suffixes = suffixes;
    name->last = (size_t)(strrchr(name->path, '/') - name->path) + 1;
    name->deep = suffixes || !own_node(name, name->last - 1, &node);
    host_lock(&names_lock);
    bool taken = names_collide(name);
    if (!taken) {
        name->next = names;
        names = name;
        names_deep += name->deep;
        store_release(&names_count, names_count + 1);
    }
    host_unlock(&names_lock);
    if (taken)
        host_free(name);
    return taken ? EEXIST : 0;
}

void path_name_remove(const char *path)
{
    host_lock(&names_lock);
    struct name **place = &names;
    while (*place && strcmp((*place)->path, path) != 0)
        place = &(*place)->next;
    struct name *name = *place;
    if (name) {
        *place = name->next;
        names_deep -= name->deep;
        store_release(&names_count, names_count - 1);
    }
    host_unlock(&names_lock);
    host_free(name);
}

/* ---------------------------------------------------------------- what a text says ----- */

enum hint {
    HINT_NONE, /* no component has a device's name */
    HINT_DEEP, /* the same, but what does not exist may be below a device */
    HINT_NAMED /* one has */
};

static bool is_component(const char *text, size_t length, const char *name)
{
    return strncmp(text, name, length) == 0 && name[length] == '\0';
}

static bool any_name(const char *component, size_t length)
{
    for (const struct name *name = names; name; name = name->next)
        if (is_component(component, length, name->path + name->last))
            return true;
    return false;
}

static enum hint path_hint(const char *path)
{
    host_lock(&names_lock);
    enum hint hint = names_deep ? HINT_DEEP : HINT_NONE;
    while (*path && hint != HINT_NAMED) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length && any_name(path, length))
            hint = HINT_NAMED;
        path += length;
    }
    host_unlock(&names_lock);
    return hint;
}

/* Only links of /proc to descriptors and processes end in numbers that mean something. */
static bool ends_in_number(const char *path)
{
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    size_t digits = 0;
    while (digits < length && path[length - 1 - digits] >= '0' && path[length - 1 - digits] <= '9')
        digits++;
    return digits && (digits == length || path[length - 1 - digits] == '/');
}

/* Where `path` goes on behind the components of `tail`; NULL: it has others. */
static const char *behind(const char *path, const char *tail)
{
    while (*tail) {
        size_t length = strcspn(tail, "/");
        path += strspn(path, "/");
        while (path[0] == '.' && (path[1] == '/' || path[1] == '\0') && path[1])
            path += 1 + strspn(path + 1, "/");
        if (strncmp(path, tail, length) != 0 || (path[length] && path[length] != '/'))
            return NULL;
        path += length;
        tail += length;
        tail += *tail == '/';
    }
    return path;
}

/* What the device makes of the rest of the path. */
static void take_device(const struct name *name, const char *rest, struct path_found *found)
{
    snprintf(found->device, sizeof(found->device), "%s", name->path);
    found->kind = PATH_DEVICE;
    found->rest[0] = '\0';
    if (*rest == '\0')
        return;
    if (!name->suffixes) {
        found->kind = PATH_REFUSED;
        found->error = ENOTDIR;
        return;
    }
    snprintf(found->rest, sizeof(found->rest), "%s", rest + strspn(rest, "/"));
}

/* Whether Linux has something under the component that the path begins with. */
static bool exists(int directory, const char *path)
{
    char component[NAME_MAX + 1];
    int fd;
    size_t length = strcspn(path, "/");
    memcpy(component, path, length);
    component[length] = '\0';
    if (host_path_step(directory, component, false, &fd))
        return false;
    host_close(fd);
    return true;
}

/* The directory may be any of those above the device: the one that holds it, or the deepest that
 * exists.  Compared without the mount, so that it counts wherever it is mounted. */
static bool name_matches(const struct name *name, int directory, const struct host_node *node,
                         const char *path, const char **rest)
{
    struct host_node own;
    for (size_t place = name->last; place > 0; place--) {
        if (name->path[place - 1] != '/')
            continue;
        *rest = behind(path, name->path + place);
        if (*rest && own_node(name, place - 1, &own) && own.device == node->device &&
            own.inode == node->inode)
            return place == name->last || !exists(directory, name->path + place);
    }
    return false;
}

/* The directory has been reached, with this much of the path left.  True: a device is there. */
static bool match(int directory, const struct host_node *node, const char *path,
                  struct path_found *found)
{
    const char *rest;
    bool matched = false;
    host_lock(&names_lock);
    for (const struct name *name = names; name && !matched; name = name->next) {
        matched = name_matches(name, directory, node, path, &rest);
        if (matched)
            take_device(name, rest, found);
    }
    host_unlock(&names_lock);
    return matched;
}

/* ---------------------------------------------------------------- the walk ------------- */

struct walk {
    const struct path_request *request;
    struct path_found *found;
    int root;
    int at; /* the directory reached */
    struct host_node root_node;
    struct host_node node; /* of `at` */
    unsigned links;
    int refusal;      /* not 0: the walk could not go on for want of something */
    const char *left; /* what is still to be followed, in one of the texts */
    unsigned text;
    char texts[2][2 * PATH_MAX]; /* a link's text with what is left goes to the other one */
};

static bool walk_to(struct walk *walk, int fd)
{
    host_close(walk->at);
    walk->at = fd;
    return host_path_node(fd, &walk->node) == 0;
}

/* A shortage here says nothing of the path: who opens a device must not be told that there is none,
 * or have Linux make a file of that name.  0: it is no shortage. */
static int refusal(int error)
{
    if (error == ENOMEM)
        return ENOMEM;
    return error == EMFILE || error == ENFILE ? ENFILE : 0;
}

static bool walk_can(struct walk *walk, int error)
{
    if (refusal(error))
        walk->refusal = refusal(error);
    return error == 0;
}

static bool walk_step(struct walk *walk, int directory, const char *name, bool jump, int *fd)
{
    return walk_can(walk, host_path_step(directory, name, jump, fd));
}

static bool walk_to_root(struct walk *walk)
{
    int fd;
    return walk_step(walk, walk->root, ".", false, &fd) && walk_to(walk, fd);
}

static bool walk_up(struct walk *walk)
{
    int fd;
    if (walk->node.device == walk->root_node.device && walk->node.inode == walk->root_node.inode &&
        walk->node.mount == walk->root_node.mount)
        return true;
    return walk_step(walk, walk->at, "..", false, &fd) && walk_to(walk, fd);
}

/* The link's text, and then what is left. */
static bool walk_splice(struct walk *walk, int link)
{
    char *text = walk->texts[walk->text ^= 1];
    if (host_path_link(link, text, PATH_MAX) || *text == '\0')
        return false;
    size_t length = strlen(text);
    if (length + 1 + strlen(walk->left) >= sizeof(walk->texts[0]))
        return false;
    snprintf(text + length, sizeof(walk->texts[0]) - length, "%s%s", *walk->left ? "/" : "",
             walk->left);
    walk->left = text;
    return *text != '/' || walk_to_root(walk);
}

/* /proc/self and /proc/thread-self are the caller there. */
static bool walk_to_self(struct walk *walk, bool thread)
{
    char path[64];
    int fd;
    int length = snprintf(path, sizeof(path), "/proc/%d", (int)walk->request->process);
    if (thread)
        snprintf(path + length, sizeof(path) - (size_t)length, "/task/%d",
                 (int)walk->request->thread);
    return walk_can(walk, host_view_own(path, &fd)) && walk_to(walk, fd);
}

/* /proc/PID/fd/N or /proc/PID/task/TID/fd/N, N being open on a null device.  True: it is one. */
static bool find_descriptor(const struct walk *walk, const char *name)
{
    char directory[PATH_MAX];
    struct host_node target = {0};
    struct path_found *found = walk->found;
    int fd;
    int owner = 0;
    int thread = 0;
    int end = 0;
    if (host_path_step(walk->at, name, true, &fd))
        return false;
    bool null_device = host_path_node(fd, &target) == 0 && S_ISCHR(target.mode) &&
                       target.major == NULL_MAJOR && target.minor == NULL_MINOR;
    host_close(fd);
    if (!null_device || host_path_name(walk->at, directory, sizeof(directory)))
        return false;
    if (sscanf(directory, "/proc/%d/task/%d/fd%n", &owner, &thread, &end) == 2 && end > 0)
        owner = thread;
    else if (sscanf(directory, "/proc/%d/fd%n", &owner, &end) != 1 || end == 0)
        return false;
    if (directory[end] != '\0')
        return false;
    found->kind = PATH_DESCRIPTOR;
    found->owner = owner;
    found->descriptor = atoi(name);
    return true;
}

/* A link of /proc: not its text but what it stands for.  False: the walk ends. */
static bool walk_jump(struct walk *walk, const char *name, bool last)
{
    int fd;
    if (walk->node.inode == PROC_ROOT_INODE) {
        bool thread = strcmp(name, "thread-self") == 0;
        if (thread || strcmp(name, "self") == 0)
            return walk_to_self(walk, thread);
        bool spliced = walk_step(walk, walk->at, name, false, &fd) && walk_splice(walk, fd);
        if (spliced)
            host_close(fd);
        return spliced;
    }
    if (last && find_descriptor(walk, name))
        return false;
    return walk_step(walk, walk->at, name, true, &fd) && walk_to(walk, fd) &&
           S_ISDIR(walk->node.mode);
}

static bool walk_link(struct walk *walk, int link, const char *name)
{
    bool ends_here = walk->left[0] == '\0';
    enum path_last how = walk->request->last;
    if (ends_here && how == PATH_STAY_FD && host_path_in_proc(link))
        find_descriptor(walk, name);
    if (ends_here && how != PATH_FOLLOW)
        return false;
    if (++walk->links > LINKS_MOST)
        return false;
    if (host_path_in_proc(link))
        return walk_jump(walk, name, ends_here);
    return walk_splice(walk, link);
}

/* One component.  False: the walk has ended; found->kind says how. */
static bool walk_on(struct walk *walk)
{
    char name[NAME_MAX + 1];
    struct host_node node;
    int fd;
    walk->left += strspn(walk->left, "/");
    size_t length = strcspn(walk->left, "/");
    if (length == 0 || length > NAME_MAX || match(walk->at, &walk->node, walk->left, walk->found))
        return false;
    memcpy(name, walk->left, length);
    name[length] = '\0';
    walk->left += length;
    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0)
        return walk_up(walk);
    if (!walk_step(walk, walk->at, name, false, &fd))
        return false;
    if (host_path_node(fd, &node) || (!S_ISLNK(node.mode) && !S_ISDIR(node.mode))) {
        host_close(fd);
        return false;
    }
    if (S_ISDIR(node.mode))
        return walk_to(walk, fd);
    bool on = walk_link(walk, fd, name);
    host_close(fd);
    return on;
}

/* A descriptor on where the path begins. */
static int open_beginning(const struct path_request *request, int *fd)
{
    if (request->path[0] == '/')
        return host_view_root(request->thread, fd);
    if (request->directory == AT_FDCWD)
        return host_view_directory(request->thread, fd);
    return host_view_descriptor(request->thread, request->directory, fd);
}

static void walk_all(const struct path_request *request, struct path_found *found)
{
    struct walk *walk = host_allocate(sizeof(*walk));
    if (!walk) {
        found->kind = PATH_REFUSED;
        found->error = ENOMEM;
        return;
    }
    walk->request = request;
    walk->found = found;
    walk->links = 0;
    walk->refusal = 0;
    walk->text = 0;
    walk->left = request->path;
    if (walk_can(walk, host_view_root(request->thread, &walk->root))) {
        if (walk_can(walk, open_beginning(request, &walk->at))) {
            if (host_path_node(walk->root, &walk->root_node) == 0 &&
                host_path_node(walk->at, &walk->node) == 0 && S_ISDIR(walk->node.mode))
                while (walk_on(walk))
                    ;
            host_close(walk->at);
        }
        host_close(walk->root);
    }
    if (found->kind == PATH_OTHER && walk->refusal) {
        found->kind = PATH_REFUSED;
        found->error = walk->refusal;
    }
    host_free(walk);
}

/* ---------------------------------------------------------------- the quick look ------- */

/* Without slashes at the end, which would have Linux follow the last link.  True: there were
 * some. */
static bool without_slashes(const char *path, char *text, size_t size)
{
    size_t length = strnlen(path, size - 1);
    size_t kept = length;
    while (kept > 1 && path[kept - 1] == '/')
        kept--;
    memcpy(text, path, kept);
    text[kept] = '\0';
    return kept != length;
}

/* A link at the end that leads to something Linux has, and not under a device's name, is that. */
static bool leads_elsewhere(int beginning, const char *path)
{
    char name[PATH_MAX];
    int fd;
    if (host_path_look(beginning, path, true, &fd))
        return false;
    bool named = host_path_name(fd, name, sizeof(name)) == 0;
    host_close(fd);
    return named && path_hint(name) != HINT_NAMED;
}

static bool ends_in_link(int fd)
{
    struct host_node node;
    return host_path_node(fd, &node) == 0 && S_ISLNK(node.mode);
}

/* The same from where the path begins. */
static bool quick_look_from(const struct path_request *request, int beginning, enum hint hint)
{
    int fd;
    char text[PATH_MAX];
    bool slashes = without_slashes(request->path, text, sizeof(text));
    int error = host_path_look(beginning, text, false, &fd);
    if (error)
        return error == ELOOP || hint == HINT_DEEP;
    bool link = ends_in_link(fd);
    host_close(fd);
    if (!link || (!slashes && request->last != PATH_FOLLOW))
        return false;
    return !leads_elsewhere(beginning, text);
}

/* Whether the walk has to be gone. */
static bool quick_look(const struct path_request *request, enum hint hint)
{
    int beginning = AT_FDCWD;
    if (ends_in_number(request->path) || !host_view_same_root(request->thread))
        return true;
    if (request->path[0] == '/')
        return quick_look_from(request, beginning, hint);
    if (open_beginning(request, &beginning))
        return false;
    bool walk = quick_look_from(request, beginning, hint);
    host_close(beginning);
    return walk;
}

int path_unseen(const char *path, int error)
{
    bool named = load_acquire(&names_count) != 0 && path_hint(path) == HINT_NAMED;
    return named ? refusal(error) : 0;
}

void path_find(const struct path_request *request, struct path_found *found)
{
    found->kind = PATH_OTHER;
    found->error = 0;
    if (load_acquire(&names_count) == 0 || request->path[0] == '\0')
        return;
    enum hint hint = path_hint(request->path);
    if (hint != HINT_NAMED && !quick_look(request, hint))
        return;
    walk_all(request, found);
}
