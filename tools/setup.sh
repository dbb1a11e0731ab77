#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes sure that what a level of work needs is installed; silent when it is.
#
#   tools/setup.sh build | test | ci | check
#
# Each need is tested for as such (a command, a header, a pkg-config file), so a tool from another
# source than Debian counts.  Missing Debian packages are installed with apt-get, as root or by
# sudo without a password.  Where that is not allowed (or XMEM_NO_INSTALL is set) the line to type
# is printed and the exit status is 1.  Never reads standard input.
set -u
level=${1:-build}
apt_options="-y --no-install-recommends"
missing=

say() {
    printf 'setup: %s\n' "$*" >&2
}

need() { # need PACKAGE TEST...: notes the package when the test fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

need_command() { # need_command PACKAGE COMMAND
    need "$1" command -v "$2"
}

header() { # the C compiler finds the header
    printf '#include <%s>\n' "$1" | "${CC:-cc}" -E -x c -
}

in_sbin() { # where users' PATH does not lead
    test -x "/sbin/$1" || test -x "/usr/sbin/$1"
}

clang_sanitizer() {
    test -e "$(clang --print-file-name=libclang_rt.asan-x86_64.a)" ||
        test -e "$(clang --print-file-name=libclang_rt.asan-aarch64.a)"
}

needs_of_build() {
    need_command make make
    need_command gcc "${CC:-cc}"
    need libc6-dev header stdio.h
    need_command meson meson
    need_command ninja-build ninja
    need_command pkg-config pkg-config
    need liburcu-dev pkg-config --exists liburcu-memb
}

needs_of_test() {
    need libcmocka-dev pkg-config --exists cmocka
    need e2fsprogs in_sbin mke2fs
    need_command python3 python3
}

needs_of_ci() {
    need_command clang clang
    need_command g++ g++
    need_command gcovr gcovr
    need_command mandoc mandoc
}

needs_of_check() {
    need libclang-rt-14-dev clang_sanitizer
    need_command clang-tidy clang-tidy
    need_command clang-tools scan-build
    need_command cppcheck cppcheck
    need_command valgrind valgrind
}

look() {
    missing=
    needs_of_build
    case $level in
    build) ;;
    test) needs_of_test ;;
    ci)
        needs_of_test
        needs_of_ci
        ;;
    check)
        needs_of_test
        needs_of_ci
        needs_of_check
        ;;
    *)
        say "unknown level '$level' (build, test, ci or check)"
        exit 2
        ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    [ -z "${XMEM_NO_INSTALL:-}" ] || return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true </dev/null >/dev/null 2>&1
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1
    status=$?
    [ $status = 0 ] || cat "$log" >&2
    return $status
}

give_up() {
    say "$1"
    if command -v sudo >/dev/null 2>&1; then
        say "type this, then try again:"
        say "  sudo apt-get update && sudo apt-get install $apt_options$missing"
    else
        say "type this as root, then try again:"
        say "  apt-get update && apt-get install $apt_options$missing"
    fi
    exit 1
}

look
[ -n "$missing" ] || exit 0
may_install || give_up "these Debian packages are missing and may not be installed from here:$missing"

say "installing$missing"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
apt update || say "apt-get update failed; going on with the package lists that are there"
# shellcheck disable=SC2086 # words on purpose
apt install $apt_options $missing || give_up "apt-get could not install:$missing"
look
[ -z "$missing" ] || give_up "installed, but still not usable:$missing"
