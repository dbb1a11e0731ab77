#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs libraries, headers, the xmem command, pkg-config files and man pages below a prefix, from
# a build directory of its own (build-install/), and says how to use them.
#
#   [DESTDIR=directory] tools/install.sh PREFIX
set -eu
case $1 in
/*) prefix=$1 ;;
*) prefix=$PWD/$1 ;;
esac
cd "$(dirname "$0")/.."
build='build-install'

# lib, and not what Meson would guess: on a Debian without dpkg-dev it guesses lib64, where neither
# the loader nor pkg-config looks.
if [ -e $build/build.ninja ]; then
    meson configure $build --prefix="$prefix"
else
    meson setup $build --prefix="$prefix" --libdir=lib -Dparts=aix,man
fi
ninja -C $build
meson install -C $build --no-rebuild

if [ -n "${DESTDIR:-}" ]; then
    echo "Installed into $DESTDIR for $prefix."
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    /sbin/ldconfig || echo 'install: ldconfig failed; the loader may not find the libraries' >&2
fi

path=
pkg-config --exists xmem 2>/dev/null || path="PKG_CONFIG_PATH=$prefix/lib/pkgconfig "
run_path=
/sbin/ldconfig -p | grep -q "$prefix/lib/libxmem\.so" || run_path=" -Wl,-rpath,$prefix/lib"
cat <<END

Installed to $prefix.  To build a program with it:
  native API    cc program.c \$(${path}pkg-config --cflags --libs xmem)$run_path
  AIX services  cc program.c \$(${path}pkg-config --cflags --libs xmem-aix)$run_path
Programs run with the devices of kernel extensions by $prefix/bin/xmem run.
Manual pages: man 3 xmem_attach, man 3 xmemin, man 1 xmem-run
END
