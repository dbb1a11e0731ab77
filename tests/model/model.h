/* SPDX-License-Identifier: MIT */
/*
 * The reference model: what the services of xmem.h do, in the simplest form that is still exact.
 *
 * A segment is an array of pages, a process a list of regions, a descriptor a range with the
 * segments that held it at the attach.  Nothing is freed before the end of a program, nothing is
 * shared, nothing is fast.  The contract is the public header; where that leaves something open,
 * the model says so (`open`) and follows what the library did.
 *
 * The model makes no call of the library.  The `library` members are the runner's: what the
 * library calls the same thing.
 */
#ifndef XMEM_TEST_MODEL_H
#define XMEM_TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <xmem/xmem.h>

#define PAGE 4096u
#define REGION ((uint64_t)XMEM_REGION_SIZE)
#define PAGES_PER_REGION ((size_t)(REGION / PAGE))
#define SIZE_OF_64_BIT_SPACE (UINT64_C(1) << 60)

/* What a call is to return. */
struct expected {
    int error;                             /* 0 or errno */
    bool any_error;                        /* some failure, its number is left open */
    bool open;                             /* anything: the model follows the library */
    enum xmem_failure_class failure_class; /* NONE: not compared */
    uint64_t address;                      /* of the failure; 0: not compared */
    size_t done;
};

struct model_file {
    unsigned char *bytes; /* FILE_PAGES_MOST pages */
    size_t pages;         /* the file's size now */
    bool can_write;
    bool sealed;    /* cannot shrink */
    int descriptor; /* the runner's, for mapping */
    int truncator;  /* one that may change the size */
};
#define FILE_PAGES_MOST 24u

struct model_page {
    unsigned char *bytes; /* NULL: zero */
    struct model_file *file;
    uint32_t file_page;
    uint32_t pins;
    uint8_t authority; /* PROT_READ | PROT_WRITE */
    bool mapped;
    bool privileged_write; /* XMEM_KEY_ALL may write */
    bool pins_open;        /* unmapped while pinned: what an unpin finds is left open */
};

/* Most segments are almost empty: pages that may matter are in chunks that are marked. */
#define CHUNK_OF_PAGES 1024u
#define CHUNKS (PAGES_PER_REGION / CHUNK_OF_PAGES)

struct model_segment {
    struct model_segment *next;
    struct model_page *pages; /* PAGES_PER_REGION */
    bool touched[CHUNKS];
    size_t mapped; /* pages */
    unsigned holds;
    bool deleted;
    bool doomed; /* deleted as soon as the last hold is released */
    bool is_private;
    xmem_segment_t library;
};

struct model_region {
    uint64_t number;
    struct model_segment *segment; /* NULL: free entry */
    int key;
    bool attached; /* by xmem_region_attach*() */
};
#define REGIONS_MOST 40u
#define NOTES_MOST 12u

struct model_process {
    struct model_process *next;
    unsigned bits;
    bool is_kernel;
    bool closed;
    struct model_region regions[REGIONS_MOST];
    /* The kernel's own memory that the model knows: one run of pages. */
    uint64_t kernel_base;
    size_t kernel_pages;
    struct model_page *kernel_memory;
    /* Where something was mapped lately; the generator's. */
    struct {
        uint64_t address;
        uint64_t length;
    } notes[NOTES_MOST];
    unsigned noted;
    struct xmem_process *library;
};

/* What one xmem_attach() made; descriptors are slots that hold copies of it. */
#define ATTACH_REGIONS_MOST 8u
struct model_attach {
    struct model_attach *next;
    struct model_process *process;
    uint64_t base;
    uint64_t length;
    struct {
        struct model_segment *segment;
        int key;
    } regions[ATTACH_REGIONS_MOST];
    bool detached;
};

struct model_descriptor {
    struct model_attach *attach; /* NULL: not a descriptor */
    bool forged;                 /* a bit was changed: never valid */
    bool invalid;                /* detached through this very copy */
    struct xmem_descriptor library;
};

struct model_map_in {
    bool live;
    struct model_segment *segment; /* NULL: the kernel's own memory */
    struct model_process *process;
    uint64_t offset; /* in the segment, or address */
    uint64_t length;
    unsigned char *library;
};

struct model_hold {
    bool live;
    struct model_segment *segment;
    uint64_t address;
    xmem_handle_t library;
};

struct model_shared { /* what xmem_segment_create() made */
    struct model_segment *segment;
};

#define PROCESS_SLOTS 4
#define DESCRIPTOR_SLOTS 8
#define SEGMENT_SLOTS 3
#define HOLD_SLOTS 3
#define MAP_IN_SLOTS 6
#define FILE_SLOTS 3
#define NESTING_MOST 4

struct model {
    struct model_segment *segments;
    struct model_process *all_processes;
    struct model_attach *attaches;
    struct model_process *kernel; /* NULL: not known here */
    struct model_process *processes[PROCESS_SLOTS];
    struct model_descriptor descriptors[DESCRIPTOR_SLOTS];
    struct model_shared shared[SEGMENT_SLOTS];
    struct model_hold holds[HOLD_SLOTS];
    struct model_map_in map_ins[MAP_IN_SLOTS];
    struct model_file files[FILE_SLOTS];
    struct model_process *nesting[NESTING_MOST];
    unsigned nested;
    struct { /* the generator's */
        int slot;
        uint64_t address;
        uint64_t length;
    } last_pin;
};

struct model *model_new(void);
void model_free(struct model *model);
struct model_process *model_kernel_new(struct model *model, uint64_t base, size_t pages);

/* The process that this thread runs under; NULL: none. */
struct model_process *model_current(const struct model *model);

/* ---- processes ---- */
struct model_process *model_process_new(struct model *model, unsigned bits);
void model_process_close(struct model_process *process);
struct expected model_map(struct model *model, struct model_process *process, uint64_t address,
                          uint64_t length, int prot);
struct expected model_map_fd(struct model *model, struct model_process *process, uint64_t address,
                             uint64_t length, int prot, struct model_file *file, uint64_t offset);
struct expected model_protect(struct model_process *process, uint64_t address, uint64_t length,
                              int prot);
struct expected model_unmap(struct model_process *process, uint64_t address, uint64_t length);
void model_file_resize(struct model_file *file, size_t pages);

/* ---- moving bytes ---- */
/* Memory as a process or a descriptor shows it; exactly one member is set. */
struct view {
    struct model_process *process;
    struct model_attach *attach;
};

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_BOTH };

/* n bytes from user memory to `kernel`, or from it.  kernel NULL: nothing is moved, only the
 * outcome computed.  did: what the library says it moved; used where a range that can never be
 * right may have been begun or not. */
struct expected model_move(const struct view *view, uint64_t address, unsigned char *kernel,
                           size_t n, enum access access, size_t did);
struct expected model_zero(const struct view *view, uint64_t address, size_t n, size_t did);
struct expected model_string(const struct view *view, uint64_t address, unsigned char *to,
                             size_t most);
struct expected model_atomic(const struct view *view, uint64_t address, size_t width,
                             enum xmem_atomic operation, uint64_t operand, uint64_t compare,
                             uint64_t *before);

/* ---- descriptors ---- */
struct expected model_attach(struct model *model, struct model_process *process, uint64_t address,
                             uint64_t n, struct model_attach **attach);
/* Whether moves through the slot are refused because it is no descriptor. */
bool model_descriptor_valid(const struct model_descriptor *descriptor);
struct expected model_map_limit(const struct model_attach *attach, uint64_t address, size_t *n);
struct expected model_map_in(const struct model_attach *attach, uint64_t address, uint64_t n,
                             struct model_map_in *map_in);
struct expected model_page_size(const struct model_attach *attach, uint64_t address, uint64_t n);
struct expected model_pin(struct model_attach *attach, uint64_t address, uint64_t n, bool commit);
struct expected model_unpin(struct model_attach *attach, uint64_t address, uint64_t n);

/* ---- segments ---- */
struct model_segment *model_segment_new(struct model *model, bool is_private);
struct expected model_segment_create(struct model *model, uint64_t length,
                                     struct model_segment **segment);
struct expected model_segment_delete(struct model_segment *segment);
/* Whether the library may have chosen this address. */
bool model_region_free(const struct model_process *process, uint64_t address);
bool model_regions_left(const struct model_process *process);
void model_region_attach(struct model_process *process, struct model_segment *segment, int key,
                         uint64_t address);
struct expected model_region_detach(struct model_process *process, uint64_t address);
struct model_region *model_region_of(struct model_process *process, uint64_t address);
void model_release(struct model_segment *segment);

/* ---- looking ---- */
bool model_page_present(const struct model_page *page); /* its storage can be touched */
unsigned char *model_page_bytes(struct model_page *page);
struct model_page *model_segment_page(struct model_segment *segment, uint64_t offset);
/* The first page from `page` on that may matter; PAGES_PER_REGION: none. */
size_t model_next_page(const struct model_segment *segment, size_t page);
uint64_t model_space_size(const struct model_process *process);

#endif
