#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library and the named parts (aix, tests, bench, examples, man) in build/.
#
#   tools/build.sh PART...
#
# The build directory is configured when there is none, and widened when it lacks a part; parts
# that it has already stay.
set -eu
cd "$(dirname "$0")/.."
build=build
every="aix tests bench examples man"
lacking=
wanted=

has_part() {
    case $1 in
    aix) [ -d $build/src/aix ] ;;
    examples) grep -qs '^build examples/peek:' $build/build.ninja ;; # some are tests' as well
    *) [ -d "$build/$1" ] ;;
    esac
}

for part in $every; do
    case " $* " in
    *" $part "*) has_part "$part" || lacking="$lacking $part" ;;
    *) has_part "$part" || continue ;;
    esac
    wanted="${wanted:+$wanted,}$part"
done

if [ ! -e $build/build.ninja ]; then
    meson setup $build -Dparts="$wanted"
elif [ -n "$lacking" ]; then
    meson configure $build -Dparts="$wanted"
fi
ninja -C $build
