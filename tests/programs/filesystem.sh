#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that seek and rewrite: a file system is made on a device, checked, written to and read,
# and a program does thousands of small transfers at random places, on the device and on a file.
# shellcheck source=tests/programs/harness.sh
# shellcheck disable=SC2154 # set there
source "$(dirname "$0")/harness.sh"
PATH=$PATH:/sbin:/usr/sbin

for tool in mke2fs debugfs e2fsck; do
    command -v $tool >/dev/null || missing=$tool
done

make_file_system() {
    mke2fs -F -q -t ext2 -b 1024 $large 65536 && e2fsck -f -n $large
}

# The same commands to a device and a file make the same file system.
same_file_system() {
    local target
    : >image
    truncate -s 64M image
    dd if=/dev/zero of=$large bs=1M count=64 conv=notrunc status=none
    for target in $large image; do
        SOURCE_DATE_EPOCH=1 E2FSPROGS_FAKE_TIME=1 mke2fs -F -q -t ext2 -b 4096 \
            -U 12345678-1234-1234-1234-123456789abc \
            -E hash_seed=12345678-1234-1234-1234-123456789abc,root_owner=0:0,nodiscard,lazy_itable_init=0 $target 16384 || return
        E2FSPROGS_FAKE_TIME=1 debugfs -w -R 'write pattern name' $target || return
    done
    cmp $large image
}

write_and_dump() {
    mke2fs -F -q -t ext4 -b 4096 $large 16384 || return
    debugfs -w -f /dev/stdin $large <<END || return
mkdir directory
write pattern directory/pattern
write other other
symlink link directory/pattern
rm other
write other again
END
    e2fsck -f -n $large || return
    debugfs -R 'dump directory/pattern dumped' $large || return
    cmp pattern dumped || return
    debugfs -R 'dump again dumped' $large || return
    cmp other dumped
}

case_of_e2fsprogs() { # case_of_e2fsprogs NAME FUNCTION
    if [ -n "${missing:-}" ]; then
        skip "$1" "$missing is not installed (package e2fsprogs)"
    else
        check "$1" "$2"
    fi
}

cat >rewrite.py <<'END'
import hashlib, os, random, sys
file = os.open(sys.argv[1], os.O_RDWR)
random.seed(7)
size = 1 << 20
digest = hashlib.sha256()
for step in range(4000):
    place, length = random.randrange(size), random.choice((1, 7, 100, 512, 4096, 70000))
    length = min(length, size - place)
    kind = random.randrange(6)
    data = random.randbytes(length) if kind in (0, 2, 4) else b''
    if kind == 0:
        digest.update(b'%d' % os.pwrite(file, data, place))
    elif kind == 1:
        digest.update(os.pread(file, length, place))
    elif kind == 2:
        os.lseek(file, place, os.SEEK_SET)
        digest.update(b'%d' % os.write(file, data))
    elif kind == 3:
        digest.update(b'%d' % os.lseek(file, place, os.SEEK_SET))
        digest.update(os.read(file, length))
        digest.update(b'%d' % os.lseek(file, 0, os.SEEK_CUR))
    elif kind == 4:
        half = length // 2
        digest.update(b'%d' % os.pwritev(file, [data[:half], b'', data[half:]], place))
    else:
        buffers = [bytearray(length // 3), bytearray(length - length // 3)]
        digest.update(b'%d' % os.preadv(file, buffers, place))
        digest.update(buffers[0] + buffers[1])
print(digest.hexdigest())
END

case_of_e2fsprogs 'a file system' make_file_system
case_of_e2fsprogs 'the same file system' same_file_system
case_of_e2fsprogs 'files of a file system' write_and_dump
same 'thousands of transfers at random places' 'python3 rewrite.py $T'
finish
