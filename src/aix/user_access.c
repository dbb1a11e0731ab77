/* SPDX-License-Identifier: MIT */
/*
 * copyin, copyout and the services for single bytes and words of user memory.
 *
 * Nothing here looks at the environment or at the current process: the native copies do, and refuse
 * with EPERM (counted) or EINVAL.
 */
#include "aix/errors.h"
#include "aix/service.h"

#include <sys/user_access.h>

static ALWAYS_INLINE int user_to_kernel(uint64_t from, void *to, int count)
{
    if (UNLIKELY(count < 0))
        return EFAULT;
    return error_number(xmem_copy_in(NULL, from, to, (size_t)count, NULL));
}

static ALWAYS_INLINE int kernel_to_user(const void *from, uint64_t to, int count)
{
    if (UNLIKELY(count < 0))
        return EFAULT;
    return error_number(xmem_copy_out(NULL, from, to, (size_t)count, NULL));
}

EXPORT int copyin(void *uaddr, void *kaddr, int count)
{
    return user_to_kernel(address_of(uaddr), kaddr, count);
}

EXPORT int copyin64(unsigned long long uaddr64, void *kaddr, int count)
{
    return user_to_kernel(uaddr64, kaddr, count);
}

EXPORT int copyout(void *kaddr, void *uaddr, int count)
{
    return kernel_to_user(kaddr, address_of(uaddr), count);
}

EXPORT int copyout64(void *kaddr, unsigned long long uaddr64, int count)
{
    return kernel_to_user(kaddr, uaddr64, count);
}

static ALWAYS_INLINE int fetch_byte(uint64_t address)
{
    uchar byte;

    return LIKELY(xmem_copy_in(NULL, address, &byte, sizeof byte, NULL) == 0) ? byte : -1;
}

EXPORT int fubyte(void *uaddr)
{
    return fetch_byte(address_of(uaddr));
}

EXPORT int fubyte64(unsigned long long uaddr64)
{
    return fetch_byte(uaddr64);
}

static ALWAYS_INLINE int fetch_word(uint64_t address)
{
    int word;

    return LIKELY(xmem_copy_in(NULL, address, &word, sizeof word, NULL) == 0) ? word : -1;
}

EXPORT int fuword(void *uaddr)
{
    return fetch_word(address_of(uaddr));
}

EXPORT int fuword64(unsigned long long uaddr64)
{
    return fetch_word(uaddr64);
}

static ALWAYS_INLINE int store(uint64_t address, const void *from, size_t n)
{
    return LIKELY(xmem_copy_out(NULL, from, address, n, NULL) == 0) ? 0 : -1;
}

EXPORT int subyte(void *uaddr, uchar c)
{
    return store(address_of(uaddr), &c, sizeof c);
}

EXPORT int subyte64(unsigned long long uaddr64, char c)
{
    return store(uaddr64, &c, sizeof c);
}

/*
 * A word across two pages.  Copies stop at the first bad page, so it is the second one that has to
 * be known good before anything is stored: an atomic OR of nothing with its first word asks for
 * just the authority that the store needs.  Memory without atomics takes the second part of the
 * word first instead.
 */
static COLD int store_across_pages(uint64_t address, int word, size_t in_first_page)
{
    uint64_t second_page = address + in_first_page;
    int error = xmem_atomic32(NULL, second_page, XMEM_ATOMIC_OR, 0, 0, NULL);

    if (error == ENOTSUP) {
        const char *bytes = (const char *)&word;
        if (store(second_page, bytes + in_first_page, sizeof word - in_first_page) != 0)
            return -1;
        return store(address, bytes, in_first_page);
    }
    return error == 0 ? store(address, &word, sizeof word) : -1;
}

static ALWAYS_INLINE int store_word(uint64_t address, int word)
{
    size_t in_first_page = XMEM_PAGE_SIZE - (address & (XMEM_PAGE_SIZE - 1));

    if (UNLIKELY(in_first_page < sizeof word))
        return store_across_pages(address, word, in_first_page);
    return store(address, &word, sizeof word);
}

EXPORT int suword(void *uaddr, int w)
{
    return store_word(address_of(uaddr), w);
}

EXPORT int suword64(unsigned long long uaddr64, int w)
{
    return store_word(uaddr64, w);
}
