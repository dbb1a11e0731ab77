/* SPDX-License-Identifier: MIT */
/*
 * Making random steps.  Addresses come from a small pool, so that regions touch, ranges collide and
 * the ends of address spaces are met; most steps are about something that exists.
 */
#include "steps.h"

#include <stdio.h>

/* The thread sanitizer runs handlers with every signal blocked, where a fault ends the program
 * before anybody can recover from it: then nothing is interrupted. */
#ifdef __SANITIZE_THREAD__
#define HANDLERS_ARE_REAL 0
#else
#define HANDLERS_ARE_REAL 1
#endif

static const char *const names[OP_COUNT] = {
#define X(name) [OP_##name] = #name,
    OPERATIONS(X)
#undef X
};

const char *operation_name(enum operation operation)
{
    return names[operation];
}

void step_print(const struct step *step, unsigned number)
{
    printf("  %3u %-16s%s", number, names[step->operation], step->aix ? " aix" : "");
    if (step->priority >= 0)
        printf(" interrupt=%d", step->priority);
    printf(" process=%d slot=%d other=%d prot=%d key=%d seed=%u address=0x%llx length=0x%llx"
           " operand=0x%llx compare=0x%llx\n",
           step->process, step->slot, step->other, step->prot, step->key, step->seed,
           (unsigned long long)step->address, (unsigned long long)step->length,
           (unsigned long long)step->operand, (unsigned long long)step->compare);
}

/* ---- numbers ---- */

uint64_t number_next(struct numbers *numbers)
{
    uint64_t mixed = numbers->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

unsigned number_below(struct numbers *numbers, unsigned limit)
{
    return (unsigned)(number_next(numbers) % limit);
}

bool number_chance(struct numbers *numbers, unsigned one_in)
{
    return number_below(numbers, one_in) == 0;
}

static int pick(struct numbers *numbers, const int *choices, unsigned count)
{
    return choices[number_below(numbers, count)];
}
#define PICK(numbers, ...)                                                                         \
    pick(numbers, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* ---- addresses and lengths ---- */

/* Region boundaries worth meeting. */
static uint64_t pick_boundary(struct numbers *numbers, unsigned bits)
{
    uint64_t last = (bits == 32 ? UINT64_C(1) << 32 : SIZE_OF_64_BIT_SPACE) / REGION;
    switch (number_below(numbers, 8)) {
    case 0:
        return 0;
    case 1:
        return last * REGION;
    case 2:
        return (last - 1) * REGION;
    case 3:
        return bits == 32 ? 14 * REGION : 16 * REGION;
    case 4:
        return bits == 32 ? 12 * REGION : 15 * REGION;
    case 5:
        return 2 * REGION;
    default:
        return REGION;
    }
}

static uint64_t page_near(struct numbers *numbers, uint64_t boundary)
{
    int pages = (int)number_below(numbers, 12) - 6;
    return boundary + (uint64_t)(int64_t)pages * PAGE;
}

static const struct model_process *process_of(const struct model *model, int process)
{
    if (process == PROCESS_KERNEL)
        return model->kernel;
    return process == PROCESS_CURRENT ? model_current(model) : model->processes[process];
}

/* Bytes off a page boundary. */
static uint64_t pick_offset(struct numbers *numbers)
{
    static const int offsets[] = {0, 0, 0, 1, 2, 3, 4, 7, 8, 12, 16, 100, 2048, 4088, 4092, 4095};
    return (uint64_t)pick(numbers, offsets, sizeof(offsets) / sizeof(*offsets));
}

static bool is_mapped(const struct model_process *process, uint64_t address)
{
    for (unsigned at = 0; at < REGIONS_MOST; at++) {
        const struct model_region *region = &process->regions[at];
        if (region->segment && region->number == address / REGION)
            return !region->segment->deleted &&
                   region->segment->pages[address % REGION / PAGE].mapped;
    }
    return false;
}

/* Where something was mapped lately, and mostly still is. */
static unsigned pick_note(struct numbers *numbers, const struct model_process *process)
{
    unsigned count = process->noted < NOTES_MOST ? process->noted : NOTES_MOST;
    unsigned at = number_below(numbers, count);
    for (unsigned tries = 0; tries < 6 && !is_mapped(process, process->notes[at].address); tries++)
        at = number_below(numbers, count);
    return at;
}

static uint64_t pick_noted(struct numbers *numbers, const struct model_process *process)
{
    unsigned at = pick_note(numbers, process);
    uint64_t base = process->notes[at].address;
    uint64_t length = process->notes[at].length;
    switch (number_below(numbers, 6)) {
    case 0:
        return base;
    case 1:
        return base + length - 1 - number_below(numbers, 64);
    case 2:
        return base + length - PAGE;
    case 3:
        return base - 1 - number_below(numbers, 64);
    default:
        return base + (uint64_t)number_below(numbers, (unsigned)(length / PAGE)) * PAGE;
    }
}

static uint64_t pick_address(struct numbers *numbers, const struct model_process *process)
{
    if (number_chance(numbers, 60))
        return number_next(numbers);
    if (process && process->is_kernel)
        return process->kernel_base +
               number_below(numbers, (unsigned)process->kernel_pages) * PAGE + pick_offset(numbers);
    if (process && process->noted && !number_chance(numbers, 10)) {
        uint64_t address = pick_noted(numbers, process);
        return number_chance(numbers, 2) ? address + pick_offset(numbers) : address;
    }
    uint64_t boundary = pick_boundary(numbers, process ? process->bits : 64);
    return page_near(numbers, boundary) + pick_offset(numbers);
}

static uint64_t pick_length(struct numbers *numbers, uint64_t address)
{
    static const int lengths[] = {0,    1,    2,    3,    4,    7,     8,    9,
                                  16,   31,   64,   100,  511,  512,   1000, 4095,
                                  4096, 4097, 8192, 8191, 5000, 12288, 9000, 16384};
    switch (number_below(numbers, 40)) {
    case 0:
        return number_next(numbers) | UINT64_C(1) << 59;
    case 1:
        return 0 - address; /* up to the very end of 64 bits */
    case 2:
        return UINT64_MAX - number_below(numbers, 3);
    case 3:
        return (1u << 20) + number_below(numbers, 3u << 18);
    case 4:
        return (uint64_t)INT64_MAX;
    case 5:
        return (UINT64_C(1) << 31) - number_below(numbers, 2);
    case 6:
    case 7:
    case 8:
        return number_below(numbers, 20000);
    default:
        return (uint64_t)pick(numbers, lengths, sizeof(lengths) / sizeof(*lengths));
    }
}

/* A range of bytes: mostly one that is there. */
static void pick_range(struct numbers *numbers, const struct model_process *process,
                       struct step *step)
{
    step->address = pick_address(numbers, process);
    step->length = pick_length(numbers, step->address);
    if (!process || number_chance(numbers, 4))
        return;
    uint64_t base = process->kernel_base;
    uint64_t length = 4 * PAGE;
    if (!process->is_kernel && process->noted) {
        unsigned at = pick_note(numbers, process);
        base = process->notes[at].address;
        length = process->notes[at].length;
    }
    if (length > (1u << 21))
        length = 1u << 21;
    if (length == 0)
        return;
    uint64_t start = number_chance(numbers, 3) ? 0 : number_below(numbers, (unsigned)length);
    step->address = base + start;
    step->length = number_below(numbers, (unsigned)(length - start)) + 1;
    if (number_chance(numbers, 4))
        step->length = length - start;
    if (number_chance(numbers, 3) && step->length > 64)
        step->length = 1 + number_below(numbers, 64);
}

static uint64_t pick_pages(struct numbers *numbers)
{
    if (number_chance(numbers, 12))
        return (uint64_t)(260 + number_below(numbers, 60)) * PAGE; /* over 1 MiB */
    if (number_chance(numbers, 60))
        return REGION + (uint64_t)number_below(numbers, 4) * PAGE;
    return (uint64_t)(1 + number_below(numbers, number_chance(numbers, 4) ? 12 : 3)) * PAGE;
}

/* ---- arguments of the operations ---- */

static int pick_process(struct numbers *numbers, const struct model *model)
{
    if (number_chance(numbers, 8))
        return PROCESS_CURRENT;
    if (model->kernel && number_chance(numbers, 14))
        return PROCESS_KERNEL;
    int slot = (int)number_below(numbers, PROCESS_SLOTS);
    if (number_chance(numbers, 12))
        return slot;
    for (unsigned tries = 0; tries < 6; tries++, slot = (int)number_below(numbers, PROCESS_SLOTS))
        if (model->processes[slot] && model->processes[slot]->noted)
            return slot;
    return slot;
}

/* For mapping something: those that are empty, too. */
static int pick_any_process(struct numbers *numbers, const struct model *model)
{
    int slot = (int)number_below(numbers, PROCESS_SLOTS);
    for (unsigned tries = 0; tries < 6 && !model->processes[slot]; tries++)
        slot = (int)number_below(numbers, PROCESS_SLOTS);
    return slot;
}

static int pick_descriptor(struct numbers *numbers, const struct model *model)
{
    int slot = (int)number_below(numbers, DESCRIPTOR_SLOTS);
    if (number_chance(numbers, 12))
        return slot;
    for (unsigned tries = 0; tries < DESCRIPTOR_SLOTS;
         tries++, slot = (slot + 1) % DESCRIPTOR_SLOTS)
        if (model_descriptor_valid(&model->descriptors[slot]))
            return slot;
    return slot;
}

static int pick_free_descriptor(struct numbers *numbers, const struct model *model)
{
    int slot = (int)number_below(numbers, DESCRIPTOR_SLOTS);
    for (unsigned tries = 0; tries < DESCRIPTOR_SLOTS;
         tries++, slot = (slot + 1) % DESCRIPTOR_SLOTS)
        if (!model_descriptor_valid(&model->descriptors[slot]))
            return slot;
    return slot;
}

static int pick_map_in(struct numbers *numbers, const struct model *model)
{
    int slot = (int)number_below(numbers, MAP_IN_SLOTS);
    for (unsigned tries = 0; tries < 4 && !model->map_ins[slot].live; tries++)
        slot = (int)number_below(numbers, MAP_IN_SLOTS);
    return slot;
}

/* A range inside the attached bytes, mostly. */
static void pick_in_attach(struct numbers *numbers, const struct model *model, struct step *step)
{
    const struct model_attach *attach = model->descriptors[step->slot].attach;
    step->address = number_next(numbers);
    step->length = pick_length(numbers, step->address);
    if (!attach)
        return;
    if (number_chance(numbers, 12)) {
        step->address = pick_address(numbers, attach->process);
        return;
    }
    uint64_t most = attach->length < (UINT64_C(1) << 31) ? attach->length : UINT64_C(1) << 31;
    uint64_t offset = number_chance(numbers, 3) ? 0 : number_below(numbers, (unsigned)most);
    step->address = attach->base + offset;
    if (!number_chance(numbers, 4))
        step->length = number_below(numbers, (unsigned)(most - offset)) + 1;
    if (number_chance(numbers, 5))
        step->length = attach->length - offset;
}

/* Pages of something that was mapped lately: all of it, or a part. */
static void pick_mapped_pages(struct numbers *numbers, const struct model_process *process,
                              struct step *step)
{
    unsigned at = pick_note(numbers, process);
    unsigned pages = (unsigned)(process->notes[at].length / PAGE);
    unsigned first = number_chance(numbers, 2) ? 0 : number_below(numbers, pages);
    step->address = process->notes[at].address + (uint64_t)first * PAGE;
    step->length = (uint64_t)(pages - first) * PAGE;
    if (number_chance(numbers, 2))
        step->length = (uint64_t)(1 + number_below(numbers, pages - first)) * PAGE;
}

static void pick_mapping(struct numbers *numbers, const struct model *model, struct step *step)
{
    const struct model_process *process = process_of(model, step->process);
    unsigned bits = process ? process->bits : 64;
    bool changes = step->operation == OP_UNMAP || step->operation == OP_PROTECT;
    bool noted = process && process->noted && !process->is_kernel;
    step->length = pick_pages(numbers);
    step->prot = PICK(numbers, PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
                      PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
                      PROT_READ | PROT_EXEC);
    if (number_chance(numbers, 40))
        step->prot = PICK(numbers, 0x10, PROT_WRITE, -1);
    step->address = page_near(numbers, pick_boundary(numbers, bits));
    if (noted && changes && !number_chance(numbers, 6))
        pick_mapped_pages(numbers, process, step);
    else if (noted && number_chance(numbers, 4))
        step->address = pick_noted(numbers, process) & ~(uint64_t)(PAGE - 1);
    if (number_chance(numbers, 40))
        step->address += 1 + number_below(numbers, PAGE - 1);
    if (number_chance(numbers, 40))
        step->length = (uint64_t)(int64_t)PICK(numbers, 0, 1, 4095, 4097, -4096);
}

static void pick_region(struct numbers *numbers, const struct model *model, struct step *step)
{
    const struct model_process *process = process_of(model, step->process);
    step->address = pick_address(numbers, process);
    step->other = PICK(numbers, HANDLE_OF_SEGMENT, HANDLE_OF_REGION);
    if (number_chance(numbers, 12))
        step->other = HANDLE_NEVER;
    step->slot = (int)number_below(numbers, step->other == HANDLE_OF_SEGMENT ? SEGMENT_SLOTS
                                                                             : PROCESS_SLOTS);
    for (unsigned tries = 0;
         tries < 3 && step->other == HANDLE_OF_SEGMENT && !model->shared[step->slot].segment;
         tries++)
        step->slot = (int)number_below(numbers, SEGMENT_SLOTS);
    step->key = (int)number_below(numbers, 2);
    step->compare = 0;
    if (step->other != HANDLE_OF_REGION)
        return;
    for (unsigned tries = 0;
         tries < 4 && (!model->processes[step->slot] || !model->processes[step->slot]->noted);
         tries++)
        step->slot = (int)number_below(numbers, PROCESS_SLOTS);
    step->compare = pick_address(numbers, model->processes[step->slot]);
}

static void pick_atomic(struct numbers *numbers, struct step *step, unsigned width)
{
    if (!number_chance(numbers, 12))
        step->address &= ~(uint64_t)(width - 1);
    step->prot = (int)number_below(numbers, 7); /* the operation */
    if (number_chance(numbers, 40))
        step->prot = PICK(numbers, 7, -1, 1000);
    step->operand = number_next(numbers);
    step->compare = number_chance(numbers, 2) ? 0 : number_next(numbers);
}

static void pick_arguments(struct numbers *numbers, const struct model *model, struct step *step)
{
    const struct model_process *process = process_of(model, step->process);
    switch (step->operation) {
    case OP_CREATE:
        step->slot = (int)number_below(numbers, PROCESS_SLOTS);
        step->other = PICK(numbers, 32, 64);
        if (number_chance(numbers, 20))
            step->other = PICK(numbers, 0, 31, 128);
        break;
    case OP_MAP:
    case OP_PROTECT:
    case OP_UNMAP:
        pick_mapping(numbers, model, step);
        break;
    case OP_MAP_FD:
        pick_mapping(numbers, model, step);
        step->slot = (int)number_below(numbers, FILE_SLOTS);
        step->operand = (uint64_t)number_below(numbers, 10) * PAGE;
        if (number_chance(numbers, 20))
            step->operand += number_below(numbers, PAGE);
        break;
    case OP_TRUNCATE:
        step->slot = (int)number_below(numbers, FILE_SLOTS);
        step->length = number_below(numbers, FILE_PAGES_MOST + 1);
        break;
    case OP_COPY_IN:
    case OP_COPY_OUT:
    case OP_COPY_INV:
    case OP_COPY_OUTV:
    case OP_STRING_IN:
    case OP_FETCH_BYTE:
    case OP_FETCH_WORD:
    case OP_STORE_BYTE:
    case OP_STORE_WORD:
        pick_range(numbers, process, step);
        break;
    case OP_ATTACH:
        pick_range(numbers, process, step);
        step->slot = pick_free_descriptor(numbers, model);
        break;
    case OP_ATOMIC32:
    case OP_ATOMIC64:
        pick_range(numbers, process, step);
        pick_atomic(numbers, step, step->operation == OP_ATOMIC32 ? 4 : 8);
        break;
    case OP_MOVE_ATOMIC32:
    case OP_MOVE_ATOMIC64:
        step->slot = pick_descriptor(numbers, model);
        pick_in_attach(numbers, model, step);
        pick_atomic(numbers, step, step->operation == OP_MOVE_ATOMIC32 ? 4 : 8);
        break;
    case OP_MOVE_IN:
    case OP_MOVE_OUT:
    case OP_MOVE_INV:
    case OP_MOVE_OUTV:
    case OP_MOVE_ZERO:
    case OP_MAP_LIMIT:
    case OP_MAP_IN:
    case OP_PAGE_SIZE_OF:
    case OP_PIN:
    case OP_UNPIN:
        step->slot = pick_descriptor(numbers, model);
        pick_in_attach(numbers, model, step);
        step->other = (int)number_below(numbers, MAP_IN_SLOTS);
        if (step->operation == OP_UNPIN && !number_chance(numbers, 4)) {
            step->slot = model->last_pin.slot;
            step->address = model->last_pin.address;
            step->length = model->last_pin.length;
        }
        break;
    case OP_DETACH:
        step->slot = pick_descriptor(numbers, model);
        break;
    case OP_DOUBLE:
    case OP_FORGE:
        step->slot = pick_descriptor(numbers, model);
        step->other = (int)number_below(numbers, DESCRIPTOR_SLOTS);
        step->operand = number_below(numbers, 256); /* the bit */
        break;
    case OP_MAP_OUT:
    case OP_DIRECT_STORE:
        step->slot = pick_map_in(numbers, model);
        step->operand = number_next(numbers);
        step->length = 1 + number_below(numbers, 6000);
        break;
    case OP_SEGMENT_CREATE:
        step->slot = (int)number_below(numbers, SEGMENT_SLOTS);
        step->length = pick_pages(numbers) - number_below(numbers, PAGE);
        if (number_chance(numbers, 10))
            step->length = REGION;
        if (number_chance(numbers, 20))
            step->length = number_chance(numbers, 2) ? 0 : UINT64_MAX;
        break;
    case OP_SEGMENT_DELETE:
        pick_region(numbers, model, step);
        if (number_chance(numbers, 2))
            step->other = HANDLE_OF_SEGMENT;
        if (step->other == HANDLE_OF_SEGMENT)
            step->slot = (int)number_below(numbers, SEGMENT_SLOTS);
        break;
    case OP_REGION_ATTACH:
    case OP_REGION_ATTACH_AT:
    case OP_HANDLE_MAP:
        pick_region(numbers, model, step);
        if (step->operation == OP_HANDLE_MAP)
            step->prot = (int)number_below(numbers, MAP_IN_SLOTS);
        break;
    case OP_REGION_DETACH:
        step->address = pick_address(numbers, process);
        for (unsigned at = 0; process && at < REGIONS_MOST && !number_chance(numbers, 8); at++)
            if (process->regions[at].segment && process->regions[at].attached)
                step->address = process->regions[at].number * REGION + pick_offset(numbers);
        break;
    case OP_REGION_HANDLE:
        step->address = pick_address(numbers, process);
        step->slot = (int)number_below(numbers, HOLD_SLOTS);
        step->other = (int)number_below(numbers, 2); /* hold */
        break;
    case OP_REGION_RELEASE:
        step->slot = (int)number_below(numbers, HOLD_SLOTS);
        for (unsigned tries = 0; tries < 3 && !model->holds[step->slot].live; tries++)
            step->slot = (int)number_below(numbers, HOLD_SLOTS);
        break;
    case OP_CLOSE:
    case OP_MAP_EVERY:
    case OP_ENTER:
    case OP_LEAVE:
    case OP_COUNT:
        break;
    }
}

/* How often each operation comes, against a sum of all. */
static unsigned weight(enum operation operation)
{
    switch (operation) {
    case OP_MAP:
        return 9;
    case OP_MAP_FD:
    case OP_ATTACH:
        return 8;
    case OP_COPY_IN:
    case OP_COPY_OUT:
    case OP_MOVE_IN:
    case OP_MOVE_OUT:
        return 7;
    case OP_UNMAP:
    case OP_PROTECT:
    case OP_MAP_IN:
    case OP_REGION_ATTACH:
    case OP_REGION_ATTACH_AT:
    case OP_REGION_HANDLE:
        return 4;
    case OP_SEGMENT_CREATE:
    case OP_DIRECT_STORE:
    case OP_TRUNCATE:
    case OP_REGION_DETACH:
        return 3;
    case OP_MAP_EVERY:
    case OP_FORGE:
    case OP_FETCH_BYTE:
    case OP_FETCH_WORD:
    case OP_STORE_BYTE:
    case OP_STORE_WORD:
        return 1;
    default:
        return 2;
    }
}

static enum operation pick_operation(struct numbers *numbers)
{
    unsigned sum = 0;
    for (int operation = 0; operation < OP_COUNT; operation++)
        sum += weight((enum operation)operation);
    unsigned left = number_below(numbers, sum);
    int operation = 0;
    while (left >= weight((enum operation)operation))
        left -= weight((enum operation)operation++);
    return (enum operation)operation;
}

static unsigned count_processes(const struct model *model)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < PROCESS_SLOTS; slot++)
        count += model->processes[slot] != NULL;
    return count;
}

static bool anything_mapped(const struct model *model)
{
    for (unsigned slot = 0; slot < PROCESS_SLOTS; slot++)
        if (model->processes[slot] && model->processes[slot]->noted)
            return true;
    return false;
}

static bool anything_attached(const struct model *model)
{
    for (unsigned slot = 0; slot < DESCRIPTOR_SLOTS; slot++)
        if (model_descriptor_valid(&model->descriptors[slot]))
            return true;
    return false;
}

/* What there must be something of before anything else is of interest. */
static enum operation pick_need(struct numbers *numbers, const struct model *model)
{
    if (count_processes(model) < 2)
        return OP_CREATE;
    if (!anything_mapped(model))
        return number_chance(numbers, 4) ? OP_MAP_FD : OP_MAP;
    return anything_attached(model) ? OP_COUNT : OP_ATTACH;
}

struct step step_generate(struct numbers *numbers, const struct model *model)
{
    struct step step = {.operation = pick_need(numbers, model), .priority = -1};
    if (step.operation == OP_COUNT || number_chance(numbers, 3))
        step.operation = pick_operation(numbers);
    step.aix = number_chance(numbers, 3);
    if (number_chance(numbers, 12)) {
        int priority = (int)number_below(numbers, XMEM_INTBASE);
        if (HANDLERS_ARE_REAL)
            step.priority = priority;
    }
    step.process = pick_process(numbers, model);
    if (step.process >= 0 && (step.operation == OP_MAP || step.operation == OP_MAP_FD ||
                              step.operation == OP_REGION_ATTACH))
        step.process = pick_any_process(numbers, model);
    step.seed = (unsigned)number_next(numbers) & 0xffff;
    pick_arguments(numbers, model, &step);
    return step;
}
