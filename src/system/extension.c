/* SPDX-License-Identifier: MIT */
/*
 * Kernel extensions: a table of loaded shared objects with the counts of their loads.
 *
 *   1. An entry in use refers once to its object, however often that was loaded; `loads` is how
 *      often, at least 1.
 *   2. A number is an entry's place and how often the place was used, so that the number of an
 *      extension that is gone is nobody's.
 *   3. The mutex covers the table and the words of a failure.  It nests inside nothing, and is not
 *      held while the dynamic linker works: constructors may load extensions themselves.
 */
#include "xmem/extensions.h"

#include "engine/failure.h"
#include "engine/thread.h"
#include "host/objects.h"
#include "host/threads.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EXTENSIONS_MOST 256u
#define PATH_SIZE 4096
#define WHY_SIZE 320

struct extension {
    void *object; /* NULL: the entry is free */
    uint32_t loads;
    uint32_t uses; /* of the place */
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct extension table[EXTENSIONS_MOST];

static uint32_t number_of(const struct extension *extension)
{
    return (uint32_t)(extension - table) + 1 + (extension->uses << 9);
}

/* Mutex held. */
static struct extension *find_number(uint32_t number)
{
    uint32_t place = (number & 511) - 1;
    if (place >= EXTENSIONS_MOST || !table[place].object || number_of(&table[place]) != number)
        return NULL;
    return &table[place];
}

/* Mutex held.  object NULL: a free entry. */
static struct extension *find_object(const void *object)
{
    for (uint32_t place = 0; place < EXTENSIONS_MOST; place++)
        if (table[place].object == object)
            return &table[place];
    return NULL;
}

/* The words are this function's until they stand in the thread's record. */
static int fail_in_words(const char *operation, enum xmem_failure_class cause, int error,
                         const char *path, const char *why)
{
    static char words[WORDS_SIZE];
    host_lock(&mutex);
    snprintf(words, sizeof(words), "%.*s: %s", WORDS_SIZE - WHY_SIZE - 3, path, why);
    fail(operation, outcome_failure(cause, error, words));
    error = xmem_last_failure()->error;
    host_unlock(&mutex);
    return error;
}

static int fail_number(const char *operation)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_ARGUMENT, EINVAL,
                                           "no loaded extension has this number"));
}

/* The name of the file: path itself, or path in the first of the directories that has it. */
static int find_file(const char *operation, const char *path, const char *directories, char *file)
{
    if (!path || !*path || strlen(path) >= PATH_SIZE)
        return fail_argument(operation, "the path is missing, or too long");
    strcpy(file, path);
    if (!directories && !strchr(path, '/'))
        return 0; /* the dynamic linker looks for it */
    if (!directories || strchr(path, '/')) {
        int error = host_object_look(file);
        return error ? fail_in_words(operation, XMEM_FAILURE_PERMISSION, error, path,
                                     error == ENOENT ? "there is no such file"
                                                     : "the file cannot be read")
                     : 0;
    }
    while (*directories) {
        size_t length = strcspn(directories, ":");
        int size = snprintf(file, PATH_SIZE, "%.*s/%s", (int)length, directories, path);
        if (length > 0 && size < PATH_SIZE && host_object_look(file) == 0)
            return 0;
        directories += length + (directories[length] == ':');
    }
    return fail_in_words(operation, XMEM_FAILURE_PERMISSION, ENOENT, path,
                         "none of the directories has a file of this name that can be read");
}

/* Mutex held.  The entry for an object that was just referred to; NULL: all are in use. */
static struct extension *count_load(void *object, bool *known)
{
    struct extension *extension = find_object(object);
    *known = extension != NULL;
    if (!extension)
        extension = find_object(NULL);
    if (!extension)
        return NULL;
    if (!*known) {
        extension->object = object;
        extension->loads = 0;
        extension->uses++;
    }
    extension->loads++;
    return extension;
}

EXPORT int xmem_extension_load(const char *path, const char *directories, uint32_t *number)
{
    static const char operation[] = "xmem_extension_load";
    char file[PATH_SIZE], why[WHY_SIZE];
    void *object;
    bool known;
    *number = 0;
    int error = thread_process_only(operation);
    if (!error)
        error = find_file(operation, path, directories, file);
    if (error)
        return error;
    error = host_object_open(file, &object, why, sizeof(why));
    if (error)
        return fail_in_words(operation, XMEM_FAILURE_ARGUMENT, error, path, why);
    host_lock(&mutex);
    struct extension *extension = count_load(object, &known);
    if (extension)
        *number = number_of(extension);
    host_unlock(&mutex);
    if (!extension || known)
        host_object_close(object);
    return extension ? 0
                     : fail(operation, outcome_failure(XMEM_FAILURE_NO_SPACE, ENOSPC,
                                                       "256 extensions are loaded already"));
}

EXPORT int xmem_extension_query(const char *path, const char *directories, uint32_t *number)
{
    static const char operation[] = "xmem_extension_query";
    char file[PATH_SIZE];
    void *object;
    *number = 0;
    int error = thread_process_only(operation);
    if (!error)
        error = find_file(operation, path, directories, file);
    if (error)
        return error;
    if (host_object_refer(file, &object) == 0) {
        host_lock(&mutex);
        const struct extension *extension = find_object(object);
        if (extension)
            *number = number_of(extension);
        host_unlock(&mutex);
        host_object_close(object);
    }
    return *number ? 0
                   : fail_in_words(operation, XMEM_FAILURE_ARGUMENT, ENOENT, path,
                                   "it is not loaded as an extension");
}

/* What an extension's last unload would take with it; NULL: it is not the last, or none. */
static void *find_last(uint32_t number)
{
    host_lock(&mutex);
    const struct extension *extension = find_number(number);
    void *object = extension && extension->loads == 1 ? extension->object : NULL;
    host_unlock(&mutex);
    return object;
}

static bool any_inside(void *object, void *const *addresses, size_t count)
{
    uintptr_t from, to;
    host_object_bounds(object, &from, &to);
    for (size_t index = 0; index < count; index++)
        if ((uintptr_t)addresses[index] - from < to - from)
            return true;
    return false;
}

static int unload(const char *operation, uint32_t number)
{
    void *object = NULL;
    host_lock(&mutex);
    struct extension *extension = find_number(number);
    if (extension && --extension->loads == 0) {
        object = extension->object;
        extension->object = NULL;
    }
    host_unlock(&mutex);
    if (!extension)
        return fail_number(operation);
    if (object)
        host_object_close(object);
    return 0;
}

EXPORT int xmem_extension_unload(uint32_t number)
{
    static const char operation[] = "xmem_extension_unload";
    int error = thread_process_only(operation);
    return error ? error : unload(operation, number);
}

EXPORT int xmem_extension_unload_unused(uint32_t number, void *const *addresses, size_t count)
{
    static const char operation[] = "xmem_extension_unload_unused";
    int error = thread_process_only(operation);
    if (error)
        return error;
    void *object = find_last(number);
    if (object && any_inside(object, addresses, count))
        return fail(operation,
                    outcome_failure(XMEM_FAILURE_BUSY, EBUSY,
                                    "routines of the extension are still in use; take them out of "
                                    "the tables that name them first"));
    return unload(operation, number);
}

/* ---- holds ---- */

EXPORT int xmem_extension_hold(const void *address, void **hold)
{
    static const char operation[] = "xmem_extension_hold";
    *hold = NULL;
    int error = thread_process_only(operation);
    if (error)
        return error;
    return host_object_refer_to(address, hold) == 0 ? 0 : fail_no_memory(operation);
}

EXPORT void xmem_extension_release(void *hold)
{
    if (thread_process_only("xmem_extension_release") == 0 && hold)
        host_object_close(hold);
}

/* The object stays as long as its loads do, which are the caller's business. */
static int find_loaded(const char *operation, uint32_t number, void **object)
{
    int error = thread_process_only(operation);
    if (error)
        return error;
    host_lock(&mutex);
    const struct extension *extension = find_number(number);
    *object = extension ? extension->object : NULL;
    host_unlock(&mutex);
    return extension ? 0 : fail_number(operation);
}

EXPORT int xmem_extension_entry(uint32_t number, void **address)
{
    static const char operation[] = "xmem_extension_entry";
    void *object;
    *address = NULL;
    int error = find_loaded(operation, number, &object);
    if (error)
        return error;
    error = host_object_entry(object, address);
    return error ? fail(operation, outcome_failure(XMEM_FAILURE_ARGUMENT, error,
                                                   "the extension has no entry point; link it with "
                                                   "-Wl,-e,NAME"))
                 : 0;
}

EXPORT int xmem_extension_find(uint32_t number, const char *name, void **address)
{
    static const char operation[] = "xmem_extension_find";
    void *object;
    *address = NULL;
    int error = find_loaded(operation, number, &object);
    if (error)
        return error;
    error = host_object_find(object, name, address);
    return error ? fail_in_words(operation, XMEM_FAILURE_ARGUMENT, error, name,
                                 "the extension exports nothing of this name")
                 : 0;
}
