#!/bin/bash
# SPDX-License-Identifier: MIT
#
# dd on a device: what it does to a file, with all its ways to seek, skip and cut, and what is
# different at the end of a device.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"

for block in 1 13 511 512 513 4095 4096 65536 100000 $size; do
    count=$((65536 / block + 1))
    [ $count -le 500 ] || count=500
    same "reads with blocks of $block" "dd if=\$T bs=$block count=$count status=none | cksum"
    same "writes with blocks of $block" "dd if=other of=\$T bs=$block count=$count conv=notrunc status=none"
done
same 'counts what it did' 'dd if=other of=$T bs=4096 count=7 conv=notrunc 2>&1 | head -n 2'
same 'seek=' 'dd if=other of=$T bs=512 seek=100 count=3 conv=notrunc status=none'
same 'skip=' 'dd if=$T bs=512 skip=1000 count=5 status=none'
same 'seek= and skip= in bytes' \
    'dd if=other of=$T bs=1000 skip=77B seek=12345B count=2 conv=notrunc status=none'
same 'seek= within blocks of 1000' 'dd if=other of=$T bs=1000 seek=13 count=9 conv=notrunc status=none'
same 'ibs= and obs= differ' 'dd if=other of=$T ibs=700 obs=9000 count=50 conv=notrunc status=none'
same 'conv=sync pads' 'printf short | dd of=$T bs=512 conv=sync,notrunc status=none'
same 'conv=swab' 'dd if=$T conv=swab bs=1k count=3 status=none'
same 'conv=ucase' 'dd if=$T of=$T conv=ucase,notrunc bs=1k count=3 status=none'
same 'oflag=sync, dsync' 'dd if=other of=$T oflag=sync bs=8k count=4 conv=notrunc status=none &&
    dd if=other of=$T oflag=dsync bs=8k seek=9 count=4 conv=notrunc status=none'
same 'conv=fsync, fdatasync' 'dd if=other of=$T bs=64k count=2 conv=notrunc,fsync status=none &&
    dd if=other of=$T bs=64k seek=2 count=2 conv=notrunc,fdatasync status=none'
same 'oflag=nonblock' 'dd if=other of=$T oflag=nonblock iflag=nonblock bs=4k count=3 conv=notrunc status=none'
same 'iflag=fullblock' 'dd if=$T iflag=fullblock bs=300000 count=2 status=none | cksum'
same 'count=0' 'dd if=$T of=/dev/null count=0 status=noxfer'
same 'conv=nocreat' 'dd if=other of=$T conv=nocreat,notrunc bs=4k count=1 status=none'
same 'conv=excl refuses what exists' 'dd if=other of=$T conv=excl bs=4k count=1 status=none'
same 'from its standard input' 'dd bs=777 count=3 status=none <$T'
same 'to its standard output' 'dd if=other bs=777 count=3 status=none 1<>$T'
same 'the last bytes' "dd if=\$T bs=1 skip=$((size - 3)) status=none"
same 'a read across the end is short' "dd if=\$T bs=4096 skip=$((size - 100))B status=none"
same 'a read at the end finds nothing' "dd if=\$T bs=4096 skip=${size}B status=none"

# Where a file would grow.
past_the_end() {
    fails_with 'No such device or address' dd if=other of=$disk bs=4096 seek=$((size / 4096)) \
        count=1 conv=notrunc status=none
}
across_the_end() {
    fails_with 'No such device or address' dd if=other of=$disk bs=1000 seek=$((size - 1500))B \
        count=3 conv=notrunc status=none
    cmp -i 0:$((size - 1500)) -n 1500 other $disk
}
reads_past_the_end() {
    fails_with 'No such device or address' dd if=$disk bs=1 skip=$((size + 1))B count=1 status=none
}
whole_disk() { # as much as there is, and then the error
    fails_with 'No such device or address' dd if=/dev/zero of=$disk bs=64K status=none || return
    cmp -n $size /dev/zero $disk
}
raw() {
    dd if=other of=/dev/rrd0 bs=64K conv=notrunc status=none || return
    dd if=/dev/rrd0 bs=8192 count=$((size / 8192)) status=none | cmp - other || return
    cmp -n $size other $large
}
raw_wants_blocks() {
    fails_with 'Invalid argument' dd if=/dev/rrd0 bs=100 count=1 status=none
}
one_at_a_time() {
    exec 3<$exclusive
    fails_with 'Device or resource busy' dd if=$exclusive count=1 status=none || return
    exec 3<&-
    dd if=$exclusive of=/dev/null count=1 status=none
}
check 'a write past the end' past_the_end
check 'a write across the end' across_the_end
check 'a read past the end' reads_past_the_end
check 'a write of more than there is' whole_disk
check 'the raw device' raw
check 'the raw device wants whole blocks' raw_wants_blocks
check 'a second open of an exclusive device' one_at_a_time
finish
