#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shows that each public header compiles alone, twice, and before and after every other one, without
# a warning: as gnu89, c99, c11 and c17, with gcc and clang where they are installed, with and
# without _NO_PROTO; the native header as C++17 too.  The callers in callers.c, which do what
# extensions of three decades do, compile as well.
#
# usage: run.sh SOURCE-DIRECTORY        exit status: 0 passed, 1 failed, 77 no compiler
# environment: CC_LIST, compilers to use; XMEM_TEST_JOBS, how many at a time; XMEM_TEST_ROUNDS above
# 1: every pair of headers by itself in every mode, where otherwise two modes have the pairs and the
# others all headers in one file, in some order and in its reverse.

set -eu

source=${1:?usage: run.sh SOURCE-DIRECTORY}
source=$(cd "$source" && pwd)
here=$source/tests/headers
jobs=${XMEM_TEST_JOBS:-$(getconf _NPROCESSORS_ONLN)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

compilers=
for compiler in ${CC_LIST:-gcc clang}; do
    if command -v "$compiler" >/dev/null 2>&1; then
        compilers="$compilers $compiler"
    fi
done
if [ -z "$compilers" ]; then
    echo "skipped: neither gcc nor clang is installed"
    exit 77
fi

aix_headers=$(cd "$source/include/aix" && ls sys/*.h)
native_headers=$(cd "$source/include" && ls xmem/*.h)

# "Twice" has "alone" in it.  The declaration keeps a pedantic compiler from calling a file empty.
first=0
for one in $aix_headers $native_headers; do
    first=$((first + 1))
    printf '#include <%s>\n' "$one" "$one" >"$work/twice-$first.c"
    printf '#include <%s>\n' "$one" >>"$work/all-forward.c"
    printf '#include <%s>\n' "$one" | cat - "$work/all-backward.c" >"$work/more" 2>/dev/null || :
    mv "$work/more" "$work/all-backward.c"
    second=0
    for other in $aix_headers $native_headers; do
        second=$((second + 1))
        [ $first = $second ] || printf '#include <%s>\n' "$one" "$other" \
            >"$work/pair-$first-$second.c"
    done
done
for file in "$work"/*.c; do
    echo 'int nothing(void);' >>"$file"
done
for one in $native_headers; do
    printf '#include <%s>\n#include <%s>\nint nothing();\n' "$one" "$one" \
        >"$work/native-$(basename "$one" .h).cpp"
done

warnings='-Wall -Wextra -Werror'
paths="-I$source/include/aix -I$source/include"

# Each line is one compiler run; files are handed over in batches, since a start costs more than a
# small file.
commands=$work/commands
for compiler in $compilers; do
    for standard in gnu89 c99 c11 c17; do
        # long long is the one thing that our headers need and C89 has not.
        pedantic=-pedantic
        [ $standard = gnu89 ] && pedantic='-pedantic -Wno-long-long'
        for prototypes in '' -D_NO_PROTO; do
            files='twice-*.c all-*.c'
            case ${XMEM_TEST_ROUNDS:-1}:$compiler:$standard:$prototypes in
            1:gcc:c17: | 1:clang:gnu89: | [!1]*) files='*.c' ;;
            esac
            flags="-std=$standard $pedantic $warnings $prototypes $paths -fsyntax-only"
            (cd "$work" && ls $files) | xargs -n 24 echo "$compiler $flags" >>"$commands"
            echo "$compiler -std=$standard -D_GNU_SOURCE $warnings $prototypes $paths" \
                "-fsyntax-only $here/callers.c" >>"$commands"
        done
    done
    flags="-std=c++17 -pedantic $warnings -I$source/include -fsyntax-only"
    (cd "$work" && ls ./*.cpp) | xargs -n 24 echo "$compiler $flags" >>"$commands"
done

files=$(ls "$work"/*.c "$work"/*.cpp | wc -l)
echo "$(wc -l <"$commands") compiler runs over $files files:$compilers"
if (cd "$work" && xargs -P "$jobs" -d '\n' -n 1 sh -c '$0 || { echo "failed: $0"; exit 255; }' \
    <"$commands") >"$work/output" 2>&1; then
    echo passed
else
    cat "$work/output"
    echo failed
    exit 1
fi
