/* SPDX-License-Identifier: MIT */
/*
 * Idiom 18: an extension of the 1990s declares services itself, with its own pointer types, after
 * the headers; _NO_PROTO makes room for that.  It compiles, links, and calls with old-style types.
 */
#define _NO_PROTO
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/uio.h>
#include <sys/xmem.h>
#include <sys/adspace.h>
#include <sys/vmuser.h>

#include "../support/check.h"

extern int copyin(void *, void *, int);
extern int copyout(char *, char *, int);
extern int copyinstr(caddr_t, caddr_t, uint, uint *);
extern int xmattach(char *, int, struct xmem *, int);
extern int xmemin(caddr_t *, caddr_t *, int, struct xmem *);
extern int xmemout(caddr_t *, caddr_t *, int, struct xmem *);
extern int xmdetach(struct xmem *);

static void old_declarations(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    caddr_t address = (caddr_t)(uintptr_t)memory_base(memory);
    char bytes[8] = "seven..", seen[8];
    uint actual = 0;
    struct xmem descriptor;
    descriptor.aspace_id = XMEM_INVAL;
    xmem_enter(memory_process(memory));
    assert_int_equal(copyout(bytes, address, 8), 0);
    assert_int_equal(copyin(address, seen, 8), 0);
    assert_string_equal(seen, bytes);
    assert_int_equal(copyinstr(address, seen, 8, &actual), 0);
    assert_int_equal(actual, 8);
    assert_int_equal(xmattach(address, 8, &descriptor, USER_ADSPACE), XMEM_SUCC);
    xmem_leave();
    assert_int_equal(xmemout((caddr_t *)bytes, (caddr_t *)(void *)address, 8, &descriptor),
                     XMEM_SUCC);
    assert_int_equal(xmemin((caddr_t *)(void *)address, (caddr_t *)seen, 8, &descriptor),
                     XMEM_SUCC);
    assert_string_equal(seen, bytes);
    assert_int_equal(xmdetach(&descriptor), XMEM_SUCC);
    covers("idiom.18", kind);
}

int main(void)
{
    static const struct test_case cases[] = {EACH(old_declarations, USER_KINDS)};
    return RUN_CASES("redeclared", cases);
}
