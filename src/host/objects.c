/* SPDX-License-Identifier: MIT */
/*
 * Shared objects, by the dynamic linker.
 *
 * The entry point stands in the header of the file, which the object's first loadable part holds in
 * memory as linkers lay objects out; an object without its header in memory has no entry point for
 * us.
 */
#include "host/objects.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The dynamic linker orders its work by a lock of its own.  Sanitizers do not see that one, but
 * this, at the beginning and the end of what changes its lists. */
static void in_order(void)
{
    static uint32_t steps;
    add_fetch(&steps, 1);
}

int host_object_look(const char *path)
{
    return access(path, R_OK) == 0 ? 0 : errno;
}

int host_object_open(const char *path, void **object, char *words, size_t size)
{
    in_order();
    *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    in_order();
    if (*object)
        return 0;
    const char *why = dlerror();
    snprintf(words, size, "%s", why ? why : "the dynamic linker does not say why");
    return ENOEXEC;
}

int host_object_refer(const char *path, void **object)
{
    in_order();
    *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    in_order();
    if (*object)
        return 0;
    (void)dlerror();
    return ENOENT;
}

int host_object_refer_to(const void *address, void **object)
{
    Dl_info info;
    struct link_map *map;
    *object = NULL;
    if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || !map || !*map->l_name)
        return 0;
    return host_object_refer(map->l_name, object) == 0 ? 0 : ENOMEM;
}

void host_object_close(void *object)
{
    in_order();
    if (dlclose(object) != 0)
        (void)dlerror();
    in_order();
}

int host_object_find(void *object, const char *name, void **address)
{
    *address = dlsym(object, name);
    if (*address)
        return 0;
    (void)dlerror();
    return ENOENT;
}

struct header_search {
    const struct link_map *map;
    const ElfW(Ehdr) * header;
    uintptr_t from, to; /* of all parts */
};

static void widen(struct header_search *search, uintptr_t from, uintptr_t to)
{
    if (search->to == 0 || from < search->from)
        search->from = from;
    if (to > search->to)
        search->to = to;
}

/* The parts in memory, and which has the beginning of the file. */
static int find_header(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct header_search *search = argument;
    (void)size;
    if (info->dlpi_addr != search->map->l_addr || strcmp(info->dlpi_name, search->map->l_name) != 0)
        return 0;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        uintptr_t address = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD)
            continue;
        widen(search, address, address + part->p_memsz);
        if (part->p_offset != 0 || part->p_filesz < sizeof(ElfW(Ehdr)))
            continue;
        search->header = (const ElfW(Ehdr) *)address;
    }
    return 1;
}

static struct header_search look_at(void *object)
{
    struct header_search search = {.map = NULL};
    if (dlinfo(object, RTLD_DI_LINKMAP, &search.map) == 0)
        dl_iterate_phdr(find_header, &search);
    else
        (void)dlerror();
    return search;
}

void host_object_bounds(void *object, uintptr_t *from, uintptr_t *to)
{
    struct header_search search = look_at(object);
    *from = search.from;
    *to = search.to;
}

int host_object_entry(void *object, void **address)
{
    struct header_search search = look_at(object);
    const ElfW(Ehdr) *header = search.header;
    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_entry == 0)
        return ENOENT;
    uintptr_t entry = search.map->l_addr + header->e_entry;
    *address = (void *)entry;
    return 0;
}
