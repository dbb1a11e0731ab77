/* SPDX-License-Identifier: MIT */
/* Shows the documented panics: each in a process of its own, with the hook and without. */
#include <string.h>

#include "services.h"

static void attach_nothing(void)
{
    vm_att(0, NULL);
}

static void attach_no_handle(void)
{
    vm_att(INVLSID, NULL);
}

static void detach_nothing(void)
{
    char byte;
    vm_det(&byte);
}

static void detach_twice(void)
{
    xmem_segment_t segment;
    if (xmem_segment_create(PAGE, &segment) != 0)
        return;
    caddr_t mapped = vm_att(vm_handle(segment, 0), NULL);
    vm_det(mapped);
    vm_det(mapped);
}

static void map_out_nothing(void)
{
    struct xmem descriptor;
    char byte;
    garbage_descriptor(&descriptor, 0);
    xm_det(&byte, &descriptor);
}

static void asked_for(void)
{
    xmem_panic("asked for");
}

static void vm_services(enum kind kind)
{
    must_panic(attach_nothing);
    must_panic(attach_no_handle);
    must_panic(detach_nothing);
    must_panic(detach_twice);
    must_panic(map_out_nothing);
    must_panic(asked_for);
    covers("vm_att.panic", kind);
    covers("vm_det.panic", kind);
    covers("xm_det.panic", kind);
}

int main(void)
{
    static const struct test_case cases[] = {BARE(vm_services)};
    return RUN_CASES("panics", cases);
}
