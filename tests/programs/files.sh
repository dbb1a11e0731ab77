#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that copy, compare, sum up and pack: on a device they do what they do to a file of the
# same contents.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"

same 'cat' 'cat $T | cksum'
same 'cat to the device' 'cat other 1<>$T'
same 'cat of several' 'cat pattern $T other | cksum'
same 'cat -n' 'cat -n $T | cksum'
same 'cp from the device' 'cp $T copy && cksum copy'
same 'cp to the device' 'cp other $T'
same 'cp --sparse=always from the device' 'cp --sparse=always $T copy && cksum copy'
same 'cp --reflink=auto from the device' 'cp --reflink=auto $T copy && cksum copy'
same 'cmp, equal' 'cmp $T pattern'
same 'cmp, different' 'cmp $T other'
same 'cmp with offsets' 'cmp -i 100:100 -n 5000 $T pattern'
same 'cmp -l' 'cmp -l -n 100 $T other'
same 'diff, equal' 'diff -q $T pattern'
same 'sha256sum' 'sha256sum $T'
same 'sha256sum of its standard input' 'sha256sum <$T'
same 'sha256sum -c' 'sha256sum $T >sums && sha256sum -c sums'
same 'md5sum, sum and cksum' 'md5sum $T; sum $T; cksum $T'
same 'head -c' 'head -c 1000 $T'
same 'head -n' 'head -n 100 $T'
same 'head of its standard input leaves the rest' '(head -n 2 >/dev/null; head -c 100) <$T | cksum'
same 'tail -n' 'tail -n 3 $T'
same 'tail -c +N' 'tail -c +1048000 $T'
same 'od' 'od -A d -t x1 -j 4000 -N 300 $T'
same 'wc' 'wc $T'
same 'grep' 'grep -a -n -b "line 00012345" $T'
same 'sed' 'sed -n "100,103p" $T'
same 'awk' 'awk "NR == 4000" $T'
same 'sort' 'sort -r $T | head -n 3'
same 'split' 'split -b 300000 $T piece && cksum piece*; rm piece*'
same 'tee' 'tee 1<>$T <other >/dev/null; printf abc | tee -a /dev/null 1<>$T'
same 'gzip' 'gzip -c <$T | gunzip | cksum'
same 'tar to the target' 'tar -C /usr/include -cf $T linux/fs.h linux/fcntl.h && tar -tf $T'
same 'tar from the target' 'tar -cf archive pattern other && head -c 1000000 archive | dd of=$T conv=notrunc status=none
    tar -xOf $T pattern 2>/dev/null | head -c 500000 | cksum'
same 'tar and a blocking factor' 'tar -b 1 -C /usr/include -cf $T linux/fs.h && tar -b 1 -xOf $T linux/fs.h | cksum'
same 'tests of access' '[ -r $T ] && [ -w $T ] && [ ! -x $T ] && [ ! -d $T ]'

status_of_path() {
    [ -c $disk ] || return
    [ "$(stat -c %F $disk)" = 'character special file' ] || return
    [ "$(stat -c %F - <$disk)" = 'character special file' ] || return
    [ "$(stat -c %t:%T $disk)" = 2a:2 ] && [ "$(stat -c %t:%T - <$disk)" = 2a:2 ] || return
    [ "$(stat -c %a $disk)" = 666 ]
}
listed() {
    [[ "$(ls -l $disk)" =~ ^crw-rw-rw-.*42,\ *2 ]]
}
copy_as_device_is_not_possible_for_users() {
    cp -a $disk copied-device 2>&1 || return 0
    [ -c copied-device ] # root may
}
mapping() {
    fails_with 'No such device' python3 -c "
import mmap, os
mmap.mmap(os.open('$disk', os.O_RDWR), 4096)"
}
check 'stat' status_of_path
check 'ls -l' listed
check 'cp -a' copy_as_device_is_not_possible_for_users
check 'mmap' mapping
finish
