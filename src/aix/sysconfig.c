/* SPDX-License-Identifier: MIT */
/*
 * sysconfig: loading kernel extensions and calling their entry points.
 *
 * It is a subroutine of user mode: addresses are the current process's, from which the structures
 * are copied and to which they go back.  A thread without a current process is the kernel program
 * itself, and so are its addresses.
 */
#include "aix/device_switch.h"
#include "aix/errors.h"
#include "aix/funnel.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/sysconfig.h>
#include <xmem/extensions.h>

#define PATH_SIZE 1024u

typedef int module_routine(int cmd, struct uio *uiop);

static struct xmem_process *caller(void)
{
    struct xmem_process *process = xmem_current();

    return process == NULL ? xmem_process_kernel() : process;
}

static int take_in(const void *from, void *to, size_t size, int given)
{
    if (given < 0 || (size_t)given < size)
        return EINVAL;
    return error_number(xmem_copy_in(caller(), address_of(from), to, size, NULL));
}

static int give_back(const void *from, void *to, size_t size)
{
    return error_number(xmem_copy_out(caller(), from, address_of(to), size, NULL));
}

/* ---- loading ---- */

/* NULL stays NULL, which *text tells. */
static int take_string(const char *from, char *to, const char **text)
{
    int error;

    *text = NULL;
    if (from == NULL)
        return 0;
    *text = to;
    error = xmem_string_in(caller(), address_of(from), to, PATH_SIZE, NULL);
    return error == E2BIG ? ENAMETOOLONG : error_number(error);
}

/* *loaded: it is loaded once more now. */
static int load(int cmd, const char *path, const char *directories, uint32_t *extension,
                bool *loaded)
{
    int error = ENOENT;

    *loaded = false;
    if (cmd != SYS_KLOAD)
        error = xmem_extension_query(path, directories, extension);
    if (cmd == SYS_QUERYLOAD)
        return error == ENOENT ? 0 : error;
    if (error == ENOENT) {
        error = xmem_extension_load(path, directories, extension);
        *loaded = error == 0;
    }
    return error;
}

/* Refused while the switch table has routines of it. */
static int unload(mid_t kmid)
{
    size_t most, count = device_routines(NULL, 0);
    void **routines = NULL;
    int error;

    if (kmid > UINT32_MAX)
        return EINVAL;
    do {
        if (routines != NULL)
            (void)xmem_aix_xmfree(routines, kernel_heap);
        most = count + 1;
        routines = (void *)xmem_aix_xmalloc((int)(most * sizeof *routines), 0, kernel_heap);
        if (routines == NULL)
            return ENOMEM;
        count = device_routines(routines, most);
    } while (count > most);
    error = xmem_extension_unload_unused((uint32_t)kmid, routines, count);
    (void)xmem_aix_xmfree(routines, kernel_heap);
    return error;
}

static int configure_load(int cmd, void *parameters, int length)
{
    struct cfg_load cfg;
    char path[PATH_SIZE], directories[PATH_SIZE];
    const char *path_text, *directories_text;
    uint32_t extension = 0;
    bool loaded;
    int error = take_in(parameters, &cfg, sizeof cfg, length);

    if (error != 0)
        return error;
    if (cmd == SYS_KULOAD)
        return unload(cfg.kmid);
    error = take_string(cfg.path, path, &path_text);
    if (error == 0)
        error = take_string(cfg.libpath, directories, &directories_text);
    if (error != 0)
        return error;
    error = load(cmd, path_text, directories_text, &extension, &loaded);
    if (error != 0)
        return error;
    cfg.kmid = extension;
    error = give_back(&cfg, parameters, sizeof cfg);
    if (error != 0 && loaded)
        (void)xmem_extension_unload(extension); /* nobody knows its number */
    return error;
}

/* ---- calling ---- */

/* The data of the caller as an entry point gets them. */
struct described {
    struct uio uio;
    struct iovec piece;
};

static struct uio *describe(struct described *data, void *address, int length)
{
    data->piece = (struct iovec){.iov_base = address, .iov_len = (size_t)length};
    data->uio = (struct uio){.uio_iov = &data->piece,
                             .uio_iovcnt = 1,
                             .uio_resid = length,
                             .uio_segflg = xmem_current() == NULL ? UIO_SYSSPACE : UIO_USERSPACE};
    return &data->uio;
}

static int find_entry(mid_t kmid, void **entry)
{
    uint32_t extension = (uint32_t)kmid;
    int error;

    if (kmid > UINT32_MAX)
        return EINVAL;
    error = xmem_extension_entry(extension, entry);
    if (error == ENOENT)
        error = xmem_extension_find(extension, "ddconfig", entry);
    return error == ENOENT ? ENODEV : error;
}

/* The extension stays until the hold is released. */
static int hold_entry(mid_t kmid, void **entry, void **hold)
{
    int error = find_entry(kmid, entry);

    return error != 0 ? error : xmem_extension_hold(*entry, hold);
}

static int configure_module(void *parameters, int length)
{
    struct cfg_kmod cfg;
    struct described data;
    void *entry, *hold;
    int error = take_in(parameters, &cfg, sizeof cfg, length);

    if (error == 0)
        error = cfg.mdilen < 0 ? EINVAL : hold_entry(cfg.kmid, &entry, &hold);
    if (error != 0)
        return error;
    funnel_enter();
    error = ((module_routine *)entry)(
        cfg.cmd, cfg.mdiptr == NULL ? NULL : describe(&data, cfg.mdiptr, cfg.mdilen));
    funnel_leave();
    xmem_extension_release(hold);
    return error;
}

static int hold_config(const struct cfg_dd *cfg, void **entry, void **hold)
{
    if (cfg->kmid != 0)
        return hold_entry(cfg->kmid, entry, hold);
    *entry = device_routine(cfg->devno, ROUTINE_CONFIG);
    return xmem_extension_hold(*entry, hold);
}

static int configure_device(void *parameters, int length)
{
    struct cfg_dd cfg;
    struct described data;
    void *entry, *hold;
    bool alone;
    int error = take_in(parameters, &cfg, sizeof cfg, length);

    if (error == 0)
        error = cfg.ddslen < 0 ? EINVAL : hold_config(&cfg, &entry, &hold);
    if (error != 0)
        return error;
    alone = !device_is_mpsafe(cfg.devno);
    if (alone)
        funnel_enter();
    error = ((config_routine *)entry)(cfg.devno, cfg.cmd, describe(&data, cfg.ddsptr, cfg.ddslen));
    if (alone)
        funnel_leave();
    xmem_extension_release(hold);
    return error;
}

static int query_switch(void *parameters, int length)
{
    struct qry_devsw query;
    int error = take_in(parameters, &query, sizeof query, length);

    if (error == 0)
        error = devswqry(query.devno, &query.status, NULL);
    return error != 0 ? error : give_back(&query, parameters, sizeof query);
}

static int configure(int cmd, void *parameters, int length)
{
    switch (cmd) {
    case SYS_CFGKMOD:
        return configure_module(parameters, length);
    case SYS_CFGDD:
        return configure_device(parameters, length);
    case SYS_QDVSW:
        return query_switch(parameters, length);
    default:
        break;
    }
    cmd &= ~SYS_64BIT;
    if (cmd < SYS_KLOAD || cmd > SYS_KULOAD)
        return EINVAL;
    return configure_load(cmd, parameters, length);
}

EXPORT int sysconfig(int Cmd, void *Parmp, int Parmlen)
{
    int error = refused_at_interrupt_level() ? EPERM : configure(Cmd, Parmp, Parmlen);

    if (error == 0)
        return 0;
    errno = error;
    return -1;
}
