#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Checks the rules of CONTRIBUTING.md that a search can check, over the whole tree; prints what
# breaks them as file:line: text, and fails then.
#
#   tools/check-style.sh [TREE]
#
#   1. every source file says its licence in its first two lines, and what it is for in a comment
#      right behind;
#   2. nothing is left to be done later: a file holds no such reminders;
#   3. the engine and the AIX services include no Linux or POSIX header and no other header of
#      the C library than the freestanding ones and <string.h>, <limits.h> and <errno.h>;
#   4. the engine and the AIX services reach Linux through src/host only: no direct system calls;
#   5. no file has more than 900 lines, and no line of C more than 100 columns;
#   6. no tabs in C, no blanks at line ends, a newline at the end of the file.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
export LC_ALL=C.UTF-8
most_lines=900
most_columns=100
bad=0

report() { # report RULE LINES: LINES break it
    [ -n "$2" ] || return 0
    printf '%s\n%s\n' "$1" "$2"
    bad=1
}

without_licence() {
    local file
    for file in "${sources[@]}"; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
    done
}

without_opening_comment() {
    local file
    for file in "${sources[@]}"; do
        awk '/^#!/ || /SPDX-License-Identifier/ || /^[[:space:]]*$/ || /^#$/ { next }
            { exit !/^(\/\*|\/\/|# |""")/ }' "$file" || echo "$file"
    done
}

foreign_headers() {
    local allowed='stdarg|stdbool|stddef|stdint|stdalign|stdnoreturn|limits|string|errno' line header
    grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' "${portable[@]}" |
        grep -vE "<($allowed)\.h>|<xmem/[a-z_]+\.h>" |
        while IFS= read -r line; do
            header=$(sed -E 's/.*<([^>]*)>.*/\1/' <<<"$line")
            # A header of ours under an AIX name is no system header.
            [ -e "include/aix/$header" ] || printf '%s\n' "$line"
        done
}

foreign_calls() {
    grep -nP '^(?!\s*/?\*).*(?<![\w.>])(syscall|mmap|munmap|mprotect|ioctl|pthread_\w+)\s*\(' \
        "${portable[@]}"
}

long_files() {
    local file lines
    for file in "${sources[@]}"; do
        lines=$(wc -l <"$file")
        [ "$lines" -le $most_lines ] || echo "$file: $lines lines"
    done
}

wide_lines() {
    awk -v most=$most_columns \
        'length($0) > most { print FILENAME ":" FNR ": " length($0) " columns" }' "${c_sources[@]}"
}

without_newline() {
    local file
    for file in "${sources[@]}"; do
        [ -z "$(tail -c 1 "$file")" ] || echo "$file"
    done
}

mapfile -t sources < <(find . \( -name '.git' -o -name 'build*' -type d \) -prune -o -type f \
    \( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -path './.ci/run' \) -print | sort)
mapfile -t c_sources < <(printf '%s\n' "${sources[@]}" | grep '\.[ch]$')
mapfile -t portable < <(printf '%s\n' "${c_sources[@]}" | grep -E '^\./src/(engine|aix)/')
if [ ${#c_sources[@]} = 0 ]; then
    echo "no sources in $PWD"
    exit 1
fi

report "no licence line:" "$(without_licence)"
report "no opening comment:" "$(without_opening_comment)"
report "left to be done:" "$(grep -nwE 'TO''DO|FIX''ME|XX''X' "${sources[@]}")"
if [ ${#portable[@]} != 0 ]; then
    report "header not allowed in src/engine and src/aix:" "$(foreign_headers)"
    report "call not allowed in src/engine and src/aix:" "$(foreign_calls)"
fi
report "longer than $most_lines lines:" "$(long_files)"
report "wider than $most_columns columns:" "$(wide_lines)"
report "tab:" "$(grep -nP '\t' "${c_sources[@]}")"
report "blanks at the end of a line:" "$(grep -nP '[ \t]+$' "${sources[@]}")"
report "no newline at the end:" "$(without_newline)"

[ $bad = 0 ] && echo "style: ${#sources[@]} files"
exit $bad
