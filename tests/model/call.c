/* SPDX-License-Identifier: MIT */
/*
 * Calling the library; call.h says what a call is.
 */
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/adspace.h>
#include <sys/seg.h>
#include <sys/uio.h>
#include <sys/vmuser.h>
#include <sys/xmem.h>

#include "call.h"

#include <limits.h>

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static struct xmem *aix(struct xmem_descriptor *descriptor)
{
    return (struct xmem *)(void *)descriptor;
}

bool call_at_interrupt(const struct step *step)
{
    switch (step->operation) {
    case OP_DETACH:
    case OP_MOVE_IN:
    case OP_MOVE_OUT:
    case OP_MOVE_INV:
    case OP_MOVE_OUTV:
    case OP_MOVE_ZERO:
    case OP_MOVE_ATOMIC32:
    case OP_MOVE_ATOMIC64:
    case OP_MAP_LIMIT:
    case OP_MAP_IN:
    case OP_MAP_OUT:
    case OP_PAGE_SIZE_OF:
    case OP_HANDLE_MAP:
        return true;
    case OP_REGION_HANDLE:
        return step->other == 0; /* without a hold */
    default:
        return false;
    }
}

int call_aix_error(enum result_family family, int error)
{
    if (error == 0 || family == RESULT_ERRNO)
        return error;
    if (family == RESULT_AIX_FAIL)
        return error == EAGAIN ? EAGAIN : XMEM_FAIL;
    return error == EIO || error == ENOMEM || error == ENOSPC || error == E2BIG ? error : EFAULT;
}

/* ---- AIX names; false: there is none for it ---- */

/* Through descriptors: one for each piece, all the same here. */
static void uio_move(struct call *call, enum uio_rw direction)
{
    struct iovec pieces[PIECES_MOST];
    struct xmem descriptors[PIECES_MOST];
    ssize_t total = 0;
    for (size_t piece = 0; piece < call->range_count; piece++) {
        pieces[piece].iov_base = at(call->ranges[piece].address);
        pieces[piece].iov_len = call->ranges[piece].length;
        total += (ssize_t)call->ranges[piece].length;
        if (call->descriptor)
            descriptors[piece] = *aix(call->descriptor);
    }
    struct uio uio = {.uio_iov = pieces,
                      .uio_iovcnt = (int)call->range_count,
                      .uio_resid = total,
                      .uio_xmem = descriptors,
                      .uio_segflg = call->descriptor ? UIO_XMEM : UIO_USERSPACE};
    call->family = RESULT_AIX_ERRNO;
    call->error = uiomove(call->kernel, (int)call->n, direction, &uio);
    call->done = (size_t)(total - uio.uio_resid);
    call->has_done = true;
}

static bool call_aix_user(struct call *call)
{
    const struct step *step = call->step;
    bool wide = step->seed & 1;
    unsigned actual = 0;
    int count = (int)call->n;
    call->family = RESULT_AIX_ERRNO;
    switch (step->operation) {
    case OP_COPY_IN:
        call->error = wide ? copyin64(step->address, call->kernel, count)
                           : copyin(at(step->address), call->kernel, count);
        return true;
    case OP_COPY_OUT:
        call->error = wide ? copyout64(call->kernel, step->address, count)
                           : copyout(call->kernel, at(step->address), count);
        return true;
    case OP_COPY_INV:
    case OP_MOVE_INV:
        uio_move(call, UIO_WRITE);
        return true;
    case OP_COPY_OUTV:
    case OP_MOVE_OUTV:
        uio_move(call, UIO_READ);
        return true;
    case OP_STRING_IN:
        call->error = wide ? copyinstr64(step->address, call->kernel, (uint)call->n, &actual)
                           : copyinstr(at(step->address), call->kernel, (uint)call->n, &actual);
        call->done = actual;
        call->has_done = true;
        return true;
    default:
        return false;
    }
}

/* fubyte and its like return a value or -1. */
static bool call_aix_words(struct call *call)
{
    const struct step *step = call->step;
    bool wide = step->seed & 1;
    int result;
    switch (step->operation) {
    case OP_FETCH_BYTE:
        result = wide ? fubyte64(step->address) : fubyte(at(step->address));
        break;
    case OP_FETCH_WORD:
        result = wide ? fuword64(step->address) : fuword(at(step->address));
        break;
    case OP_STORE_BYTE:
        result = wide ? subyte64(step->address, (char)step->seed)
                      : subyte(at(step->address), (uchar)step->seed);
        break;
    case OP_STORE_WORD:
        result = wide ? suword64(step->address, (int)(step->seed * 65537u))
                      : suword(at(step->address), (int)(step->seed * 65537u));
        break;
    default:
        return false;
    }
    call->family = RESULT_AIX_FAIL;
    call->value = (uint64_t)(int64_t)result;
    call->error = result == -1 ? XMEM_FAIL : 0;
    return true;
}

static void take_map_in(struct call *call, char *mapped)
{
    if (call->error == 0)
        call->pointer = mapped;
}

static bool call_aix_cross(struct call *call)
{
    const struct step *step = call->step;
    struct xmem *dp = aix(call->descriptor);
    size_t length = 0;
    char *mapped = NULL;
    call->family = RESULT_AIX_FAIL;
    switch (step->operation) {
    case OP_ATTACH: {
        int flag = step->process == PROCESS_KERNEL ? SYS_ADSPACE : USER_ADSPACE;
        call->error = step->seed & 1 ? xmattach64(step->address, (int)call->n, dp, flag)
                                     : xmattach(at(step->address), (int)call->n, dp, flag);
        return true;
    }
    case OP_DETACH:
        call->error = xmdetach(dp);
        return true;
    case OP_MOVE_IN:
        call->error = xmemin(at(step->address), call->kernel, (int)call->n, dp);
        return true;
    case OP_MOVE_OUT:
        call->error = xmemout(call->kernel, at(step->address), (int)call->n, dp);
        return true;
    case OP_MOVE_ZERO:
        call->error = xmemzero(dp, at(step->address), (long)call->n);
        return true;
    case OP_MAP_LIMIT:
        call->error = xm_maxmap(dp, at(step->address), &length);
        call->value = length;
        return true;
    case OP_MAP_IN:
        call->error = xm_mapin(dp, at(step->address), step->length, &mapped);
        take_map_in(call, mapped);
        return true;
    case OP_PAGE_SIZE_OF: {
        long long size = xmempsize(dp, at(step->address), step->length);
        call->error = size == XMEM_FAIL ? XMEM_FAIL : 0;
        call->value = (uint64_t)size;
        return true;
    }
    default:
        return false;
    }
}

static bool call_aix_regions(struct call *call)
{
    const struct step *step = call->step;
    call->family = RESULT_AIX_FAIL;
    switch (step->operation) {
    case OP_REGION_ATTACH:
        call->value = as_att64(call->handle, 0);
        call->error = call->value == 0 ? XMEM_FAIL : 0;
        return true;
    case OP_REGION_ATTACH_AT:
        call->error = as_seth64(step->address, call->handle) == 0 ? 0 : XMEM_FAIL;
        return true;
    case OP_REGION_DETACH:
        call->error = as_det64(step->address) == 0 ? 0 : XMEM_FAIL;
        return true;
    case OP_REGION_HANDLE:
        call->value = step->other ? as_geth64(step->address) : as_getsrval64(step->address);
        call->error = call->value == INVLSID ? XMEM_FAIL : 0;
        return true;
    case OP_REGION_RELEASE:
        call->error = as_puth64(step->address, call->handle) == 0 ? 0 : XMEM_FAIL;
        return true;
    default:
        return false;
    }
}

/* Those that panic instead of failing are called only where they succeed. */
static bool call_aix_mapping(struct call *call)
{
    call->family = RESULT_AIX_FAIL;
    switch (call->step->operation) {
    case OP_MAP_OUT:
        if (call->descriptor)
            xm_det(call->pointer, aix(call->descriptor));
        else
            vm_det(call->pointer);
        call->error = 0;
        return true;
    case OP_HANDLE_MAP:
        call->error = 0;
        call->pointer = vm_att(call->handle, NULL);
        return true;
    default:
        return false;
    }
}

/* ---- native names ---- */

static void call_processes(struct call *call)
{
    const struct step *step = call->step;
    switch (step->operation) {
    case OP_CREATE:
        call->error = xmem_process_create((unsigned)step->other, &call->created);
        break;
    case OP_CLOSE:
        call->error = xmem_process_close(call->process);
        break;
    case OP_MAP:
        call->error = xmem_process_map(call->process, step->address, step->length, step->prot);
        break;
    case OP_MAP_FD:
        call->error = xmem_process_map_fd(call->process, step->address, step->length, step->prot,
                                          call->descriptor_of_file, step->operand);
        break;
    case OP_PROTECT:
        call->error = xmem_process_protect(call->process, step->address, step->length, step->prot);
        break;
    case OP_UNMAP:
        call->error = xmem_process_unmap(call->process, step->address, step->length);
        break;
    case OP_ENTER:
        xmem_enter(call->process);
        break;
    case OP_LEAVE:
        xmem_leave();
        break;
    default:
        break;
    }
}

static void call_copies(struct call *call)
{
    const struct step *step = call->step;
    call->done = 77777; /* must be set, on failure too */
    call->has_done = true;
    switch (step->operation) {
    case OP_COPY_IN:
        call->error =
            xmem_copy_in(call->process, step->address, call->kernel, call->n, &call->done);
        break;
    case OP_COPY_OUT:
        call->error =
            xmem_copy_out(call->process, call->kernel, step->address, call->n, &call->done);
        break;
    case OP_COPY_INV:
        call->error = xmem_copy_inv(call->process, call->ranges, call->range_count, call->vectors,
                                    call->vector_count, &call->done);
        break;
    case OP_COPY_OUTV:
        call->error = xmem_copy_outv(call->process, call->vectors, call->vector_count, call->ranges,
                                     call->range_count, &call->done);
        break;
    case OP_STRING_IN:
        call->error = xmem_string_in(call->process, step->address, (char *)call->kernel, call->n,
                                     &call->done);
        break;
    case OP_MOVE_IN:
        call->error =
            xmem_move_in(call->descriptor, step->address, call->kernel, call->n, &call->done);
        break;
    case OP_MOVE_OUT:
        call->error =
            xmem_move_out(call->descriptor, call->kernel, step->address, call->n, &call->done);
        break;
    case OP_MOVE_INV:
        call->error = xmem_move_inv(call->descriptor, call->ranges, call->range_count,
                                    call->vectors, call->vector_count, &call->done);
        break;
    case OP_MOVE_OUTV:
        call->error = xmem_move_outv(call->descriptor, call->vectors, call->vector_count,
                                     call->ranges, call->range_count, &call->done);
        break;
    case OP_MOVE_ZERO:
        call->error = xmem_move_zero(call->descriptor, step->address, call->n, &call->done);
        break;
    default:
        call->has_done = false;
        break;
    }
}

static void call_atomics(struct call *call)
{
    const struct step *step = call->step;
    enum xmem_atomic operation = (enum xmem_atomic)step->prot;
    uint32_t word = 0;
    switch (step->operation) {
    case OP_ATOMIC32:
        call->error = xmem_atomic32(call->process, step->address, operation,
                                    (uint32_t)step->operand, (uint32_t)step->compare, &word);
        call->value = word;
        break;
    case OP_MOVE_ATOMIC32:
        call->error = xmem_move_atomic32(call->descriptor, step->address, operation,
                                         (uint32_t)step->operand, (uint32_t)step->compare, &word);
        call->value = word;
        break;
    case OP_ATOMIC64:
        call->error = xmem_atomic64(call->process, step->address, operation, step->operand,
                                    step->compare, &call->value);
        break;
    case OP_MOVE_ATOMIC64:
        call->error = xmem_move_atomic64(call->descriptor, step->address, operation, step->operand,
                                         step->compare, &call->value);
        break;
    default:
        break;
    }
}

static void call_descriptors(struct call *call)
{
    const struct step *step = call->step;
    size_t size = 0;
    switch (step->operation) {
    case OP_ATTACH:
        call->error = xmem_attach(call->process, step->address, call->n, call->descriptor);
        break;
    case OP_DETACH:
        call->error = xmem_detach(call->descriptor);
        break;
    case OP_MAP_LIMIT:
        call->error = xmem_map_limit(call->descriptor, step->address, &size);
        call->value = size;
        break;
    case OP_MAP_IN:
        call->error = xmem_map_in(call->descriptor, step->address, step->length, &call->pointer);
        break;
    case OP_MAP_OUT:
        call->error = xmem_map_out(call->pointer);
        break;
    case OP_PAGE_SIZE_OF:
        call->error = xmem_page_size(call->descriptor, step->address, step->length, &size);
        call->value = size;
        break;
    case OP_PIN:
        call->error = xmem_pin(call->descriptor, step->address, step->length);
        break;
    case OP_UNPIN:
        call->error = xmem_unpin(call->descriptor, step->address, step->length);
        break;
    default:
        break;
    }
}

static void call_segments(struct call *call)
{
    const struct step *step = call->step;
    switch (step->operation) {
    case OP_SEGMENT_CREATE:
        call->error = xmem_segment_create(step->length, &call->segment);
        break;
    case OP_SEGMENT_DELETE:
        call->error = xmem_segment_delete(call->segment);
        break;
    case OP_REGION_ATTACH:
        call->error = xmem_region_attach(call->process, call->handle, &call->value);
        break;
    case OP_REGION_ATTACH_AT:
        call->error = xmem_region_attach_at(call->process, call->handle, step->address);
        break;
    case OP_REGION_DETACH:
        call->error = xmem_region_detach(call->process, step->address);
        break;
    case OP_REGION_HANDLE:
        call->error = xmem_region_handle(call->process, step->address, step->other, &call->value);
        break;
    case OP_REGION_RELEASE:
        call->error = xmem_region_release(step->address, call->handle);
        break;
    case OP_HANDLE_MAP:
        call->error = xmem_handle_map(call->handle, &call->pointer);
        break;
    default:
        break;
    }
}

void call_make(struct call *call)
{
    if (call->aix && (call_aix_user(call) || call_aix_words(call) || call_aix_cross(call) ||
                      call_aix_regions(call) || call_aix_mapping(call)))
        return;
    call->family = RESULT_ERRNO;
    call_processes(call);
    call_copies(call);
    call_atomics(call);
    call_descriptors(call);
    call_segments(call);
    if (call->error)
        call->failure = *xmem_last_failure();
}

static void handler(void *argument)
{
    call_make(argument);
}

int call_make_at_interrupt(struct call *call, int priority)
{
    return xmem_interrupt(priority, handler, call);
}
