/* SPDX-License-Identifier: MIT */
/* Memory of every kind for tests; see kinds.h. */
#include "kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"

#define PARTS_MAX 8
#define KERNEL_RESERVATION (3 * REGION)
#define GUARD_BYTES 64u
#define GUARD_BYTE 0xA5u

/* Where a region boundary lies that the memory of a kind is placed around; the kernel's own is
 * found when it is reserved. */
static const uint64_t boundaries[KIND_COUNT] = {
    [KIND_EMBEDDED32] = UINT64_C(0x40000000),
    [KIND_EMBEDDED64] = UINT64_C(0x0ABCDE1230000000),
    [KIND_OPENED] = UINT64_C(0x0000123450000000),
    [KIND_IMPORTED] = UINT64_C(0x0000700230000000),
};

struct view_part {
    uint64_t address;
    size_t length;
    unsigned char *bytes;
};

struct memory {
    struct memory *next;
    struct xmem_process *process;
    enum kind kind;
    uint64_t base;
    size_t size;
    unsigned char present[MEMORY_PAGES_MAX];
    struct view_part parts[PARTS_MAX];
    size_t part_count;
    struct xmem_descriptor view_descriptor; /* embedded: what the view is mapped in through */
    int file;
    int socket;
    pid_t pid;
    unsigned char *reservation; /* kernel */
};

static struct memory *open_memories;

const char *kind_name(enum kind kind)
{
    static const char *const names[] = {"embedded32", "embedded64", "opened",
                                        "imported",   "kernel",     "-"};
    return names[kind];
}

enum kind memory_kind(const struct memory *memory)
{
    return memory->kind;
}

struct xmem_process *memory_process(const struct memory *memory)
{
    return memory->process;
}

uint64_t memory_base(const struct memory *memory)
{
    return memory->base;
}

size_t memory_size(const struct memory *memory)
{
    return memory->size;
}

pid_t memory_pid(const struct memory *memory)
{
    return memory->pid;
}

int memory_file(const struct memory *memory)
{
    return memory->file;
}

static int is_embedded(const struct memory *memory)
{
    return memory->kind == KIND_EMBEDDED32 || memory->kind == KIND_EMBEDDED64;
}

static void *own_address(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* ---------------------------------------------------------------- the view ------------- */

static void view_add(struct memory *memory, uint64_t address, size_t length, void *bytes)
{
    assert_true(memory->part_count < PARTS_MAX);
    memory->parts[memory->part_count++] =
        (struct view_part){.address = address, .length = length, .bytes = bytes};
}

static void view_map_in(struct memory *memory)
{
    must(xmem_attach(memory->process, memory->base, memory->size, &memory->view_descriptor));
    for (uint64_t done = 0; done < memory->size;) {
        size_t length;
        void *bytes;
        must(xmem_map_limit(&memory->view_descriptor, memory->base + done, &length));
        must(xmem_map_in(&memory->view_descriptor, memory->base + done, length, &bytes));
        view_add(memory, memory->base + done, length, bytes);
        done += length;
    }
}

static void view_map_out(struct memory *memory)
{
    for (size_t part = 0; part < memory->part_count; part++)
        must(xmem_map_out(memory->parts[part].bytes));
    memory->part_count = 0;
    if (memory->view_descriptor.kind != XMEM_DESCRIPTOR_INVALID)
        must(xmem_detach(&memory->view_descriptor));
}

static void view_map_file(struct memory *memory)
{
    void *bytes = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->file, 0);
    assert_true(bytes != MAP_FAILED);
    view_add(memory, memory->base, memory->size, bytes);
}

static void view_close(struct memory *memory)
{
    if (is_embedded(memory)) {
        view_map_out(memory);
        return;
    }
    for (size_t part = 0; part < memory->part_count; part++)
        munmap(memory->parts[part].bytes, memory->parts[part].length);
    memory->part_count = 0;
}

static const struct view_part *view_part_of(const struct memory *memory, uint64_t address)
{
    for (size_t index = 0; index < memory->part_count; index++) {
        const struct view_part *part = &memory->parts[index];
        if (address >= part->address && address - part->address < part->length)
            return part;
    }
    fail_msg("the test looks at 0x%llx, where the owner has nothing", (unsigned long long)address);
    return NULL;
}

volatile unsigned char *memory_view(const struct memory *memory, uint64_t address)
{
    const struct view_part *part = view_part_of(memory, address);
    return part->bytes + (address - part->address);
}

static size_t view_rest(const struct memory *memory, uint64_t address, size_t n)
{
    const struct view_part *part = view_part_of(memory, address);
    size_t rest = part->length - (size_t)(address - part->address);
    return n < rest ? n : rest;
}

void owner_store(struct memory *memory, uint64_t address, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t length = view_rest(memory, address + done, n - done);
        memcpy((void *)(uintptr_t)memory_view(memory, address + done), (const char *)bytes + done,
               length);
        done += length;
    }
}

void owner_load(const struct memory *memory, uint64_t address, void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t length = view_rest(memory, address + done, n - done);
        memcpy((char *)bytes + done, (void *)(uintptr_t)memory_view(memory, address + done),
               length);
        done += length;
    }
}

void owner_fill(struct memory *memory, uint64_t address, unsigned char byte, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t length = view_rest(memory, address + done, n - done);
        memset((void *)(uintptr_t)memory_view(memory, address + done), byte, length);
        done += length;
    }
}

/* ---------------------------------------------------------------- what the owner does -- */

static void ask(struct memory *memory, enum peer_operation operation, uint64_t address,
                size_t length, int prot, uint64_t value)
{
    struct peer_command command = {
        .operation = operation, .prot = prot, .address = address, .length = length, .value = value};
    assert_int_equal(peer_ask(memory->socket, &command), 0);
}

static void set_present(struct memory *memory, uint64_t address, size_t length, int present)
{
    size_t first = (size_t)(address - memory->base) / PAGE;
    memset(memory->present + first, present, length / PAGE);
}

static int all_present(const struct memory *memory)
{
    return memchr(memory->present, 0, memory->size / PAGE) == NULL;
}

void memory_protect(struct memory *memory, uint64_t address, size_t length, int prot)
{
    if (memory->kind == KIND_OPENED)
        ask(memory, PEER_PROTECT, address, length, prot, 0);
    else if (memory->kind == KIND_KERNEL)
        assert_int_equal(mprotect(own_address(address), length, prot), 0);
    else
        must(xmem_process_protect(memory->process, address, length, prot));
}

void memory_unmap(struct memory *memory, uint64_t address, size_t length)
{
    if (memory->kind == KIND_OPENED)
        ask(memory, PEER_UNMAP, address, length, 0, 0);
    else if (memory->kind == KIND_KERNEL)
        assert_int_equal(munmap(own_address(address), length), 0);
    else
        must(xmem_process_unmap(memory->process, address, length));
    set_present(memory, address, length, 0);
}

static void map_pages(struct memory *memory, uint64_t address, size_t length, int prot)
{
    uint64_t offset = address - memory->base;
    switch (memory->kind) {
    case KIND_OPENED:
        ask(memory, PEER_MAP, address, length, prot, offset);
        break;
    case KIND_KERNEL:
        assert_ptr_equal(mmap(own_address(address), length, prot, MAP_SHARED | MAP_FIXED,
                              memory->file, (off_t)offset),
                         own_address(address));
        break;
    case KIND_IMPORTED:
        must(xmem_process_map_fd(memory->process, address, length, prot, memory->file, offset));
        break;
    default:
        must(xmem_process_map(memory->process, address, length, prot));
        break;
    }
    set_present(memory, address, length, 1);
}

void memory_map(struct memory *memory, uint64_t address, size_t length, int prot)
{
    map_pages(memory, address, length, prot);
    if (is_embedded(memory) && all_present(memory)) {
        view_map_out(memory);
        view_map_in(memory);
    }
}

void memory_truncate(struct memory *memory, size_t pages)
{
    assert_int_equal(ftruncate(memory->file, (off_t)(pages * PAGE)), 0);
}

static void reap(struct memory *memory)
{
    if (memory->pid <= 0)
        return;
    peer_end(memory->pid, memory->socket);
    memory->pid = 0;
    memory->socket = -1;
}

void memory_exit(struct memory *memory)
{
    assert_int_not_equal(memory->kind, KIND_KERNEL);
    if (memory->kind == KIND_OPENED) {
        reap(memory);
        return;
    }
    memory_forget_process(memory);
}

void memory_forget_process(struct memory *memory)
{
    must(xmem_process_close(memory->process));
    memory->process = NULL;
}

void memory_exec(struct memory *memory)
{
    ask(memory, PEER_EXEC, 0, 0, 0, 0);
}

/* ---------------------------------------------------------------- open and close ------- */

static int new_file(size_t size)
{
    int file = memfd_create("memory of a test", MFD_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, (off_t)size), 0);
    return file;
}

static uint64_t reserve_kernel(struct memory *memory)
{
    void *start = mmap(NULL, KERNEL_RESERVATION, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(start != MAP_FAILED);
    memory->reservation = start;
    return ((uintptr_t)start + 2 * REGION - 1) & ~(REGION - 1);
}

static uint64_t boundary_of(struct memory *memory)
{
    return memory->kind == KIND_KERNEL ? reserve_kernel(memory) : boundaries[memory->kind];
}

static void make_process(struct memory *memory)
{
    switch (memory->kind) {
    case KIND_OPENED:
        memory->pid = peer_start(memory->file, &memory->socket);
        must(xmem_process_open(memory->pid, &memory->process));
        break;
    case KIND_KERNEL:
        memory->process = xmem_process_kernel();
        break;
    default:
        must(xmem_process_create(kind_bits(memory->kind), &memory->process));
        break;
    }
}

struct memory *memory_open_at(enum kind kind, size_t pages, int64_t offset)
{
    assert_in_range(pages, 1, MEMORY_PAGES_MAX);
    struct memory *memory = calloc(1, sizeof *memory);
    assert_non_null(memory);
    memory->kind = kind;
    memory->size = pages * PAGE;
    memory->socket = -1;
    memory->view_descriptor.kind = XMEM_DESCRIPTOR_INVALID;
    memory->file = is_embedded(memory) ? -1 : new_file(memory->size);
    memory->base = boundary_of(memory) + (uint64_t)offset;
    memory->next = open_memories;
    open_memories = memory;
    make_process(memory);
    map_pages(memory, memory->base, memory->size, PROT_READ | PROT_WRITE);
    if (is_embedded(memory))
        view_map_in(memory);
    else
        view_map_file(memory);
    return memory;
}

struct memory *memory_open(enum kind kind, size_t pages)
{
    return memory_open_at(kind, pages, (int64_t)(16 * PAGE));
}

static void forget(struct memory *memory)
{
    struct memory **link = &open_memories;
    while (*link != memory)
        link = &(*link)->next;
    *link = memory->next;
}

void memory_close(struct memory *memory)
{
    forget(memory);
    view_close(memory);
    if (memory->kind != KIND_KERNEL && memory->process)
        must(xmem_process_close(memory->process));
    reap(memory);
    if (memory->reservation)
        munmap(memory->reservation, KERNEL_RESERVATION);
    if (memory->file >= 0)
        close(memory->file);
    free(memory);
}

void memory_close_all(void)
{
    while (open_memories)
        memory_close(open_memories);
}

/* ---------------------------------------------------------------- bytes ---------------- */

unsigned char pattern_byte(size_t index, unsigned seed)
{
    size_t mixed = index * 7 + (index / PAGE) * 13 + (index >> 8) * 3 + seed * 31;
    return (unsigned char)(mixed % 255 + 1);
}

void pattern_fill(void *bytes, size_t n, unsigned seed)
{
    for (size_t index = 0; index < n; index++)
        ((unsigned char *)bytes)[index] = pattern_byte(index, seed);
}

/* A guarded block: its length, guard bytes, the bytes, guard bytes. */
unsigned char *guarded_new(size_t n)
{
    unsigned char *block = malloc(sizeof n + 2 * GUARD_BYTES + n);
    assert_non_null(block);
    memcpy(block, &n, sizeof n);
    memset(block + sizeof n, GUARD_BYTE, 2 * GUARD_BYTES + n);
    return block + sizeof n + GUARD_BYTES;
}

void guarded_check(const unsigned char *bytes)
{
    size_t n;
    memcpy(&n, bytes - GUARD_BYTES - sizeof n, sizeof n);
    for (size_t index = 0; index < GUARD_BYTES; index++) {
        if (bytes[index - GUARD_BYTES] != GUARD_BYTE)
            fail_msg("a byte %zu before the range was written", GUARD_BYTES - index);
        if (bytes[n + index] != GUARD_BYTE)
            fail_msg("a byte %zu behind the range was written", index);
    }
}

void guarded_free(unsigned char *bytes)
{
    guarded_check(bytes);
    free(bytes - GUARD_BYTES - sizeof(size_t));
}
