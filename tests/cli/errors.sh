#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every class of error: its message says what can be done, and the status is 1.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Others must reach the test's files and the command itself, too.
chmod 755 "$work"
cp "$maplog" bin
maplog=$work/bin

"$maplog" create -p s/l -o segment-size=1M
seq 0 9 | "$maplog" append s/l >out

# Both are used by their names.
# shellcheck disable=SC2034
readers=('read %s 0-' 'follow %s --from 0' 'status %s')
# shellcheck disable=SC2034
writers=('append %s' 'truncate %s 5' 'trim %s 5' 'sync %s' 'seal %s'
    'set %s sync manual')

# all KIND LOG TEXT...: each command of a kind fails with these texts.
all() {
    local -n kind=$1
    local log=$2 command words
    shift 2
    for command in "${kind[@]}"; do
        # shellcheck disable=SC2059
        read -ra words < <(printf "$command\n" "$log")
        expect 1 "${as[@]}" "$maplog" "${words[@]}" </dev/null
        [ "${words[0]}" = append ] || [ "$(wc -l <err)" = 1 ] || fail "lines"
        says err "maplog: $log: " "$@"
    done
}
as=(timeout 60)

# No log, or something else.
for kind in readers writers; do
    all $kind s/none 'there is no such log' 'maplog ls' 'maplog create s/none'
    all $kind none/l 'there is no such log'
    all $kind s 'is a store, not a log' 'maplog ls s'
    mkdir -p plain
    all $kind plain 'a directory but no log'
    touch file
    all $kind file 'is not a log'
    ln -sfn l s/link
    all $kind s/link 'is a symbolic link'
    rm s/link
done
expect 1 "$maplog" ls none
expect 1 "$maplog" verify none

# Another writer: its pid, its name, and what to do about it.
mkfifo pipe
"$maplog" append s/l <pipe >out &
children+=($!)
pid=$!
exec 3>pipe
live() { "$maplog" status s/l | grep -qx 'state: live'; }
eventually live
all writers s/l "is being written by process $pid (bin)" 'stop it' \
    'wait until it has ended'
exec 3>&-
wait "$pid"
expect 1 "$maplog" create s/l

# A mount, as its own files show it, whose store is somewhere else.
mkdir -p mount/.maplog mount/l/segments
for store in '' 'store: relative' 'store: /none' "store: $work/plain"; do
    echo "$store" >mount/.maplog/status
    for path in mount/l mount; do
        [ "$store" = "store: $work/plain" ] && [ $path = mount ] && continue
        all readers $path 'is in a mount of maplogfs' 'path of the store'
        all writers $path 'there is no such log in the mount'
    done
    expect 1 "$maplog" ls mount/l
    says err 'mount of maplogfs'
done
rm -r mount

# A head that is gone or damaged: the first writer rebuilds it.
for damage in 'rm' 'truncate -s 0' 'truncate -s 100' \
    'dd if=/dev/zero bs=4096 count=1 conv=notrunc status=none of='; do
    case $damage in
        *of=) eval "${damage}s/l/head" ;;
        *) $damage s/l/head ;;
    esac
    all readers s/l 'head is damaged or missing' 'maplog sync s/l'
    expect 0 "$maplog" sync s/l
    is out 'ok durable=10'
    says err 's/l: its damaged head was rebuilt'
    expect 0 "$maplog" read s/l 0-
    seq 0 9 | cmp - out
done

# Options that are damaged are told of, and taken for none of them.
cp s/l/log.ini kept
sed -i 's/^retain-bytes = 0/retain-bytes = 8/' s/l/log.ini
expect 1 "$maplog" verify s/l
is out "s/l: its log.ini is damaged: all options are at their defaults
s/l: DAMAGED entries=10 bytes=20 damaged=0"
expect 0 "$maplog" status s/l
says out 'damaged: log.ini' 'retain-bytes: 0'
expect 0 "$maplog" set s/l retain-bytes 1G
expect 0 "$maplog" verify s/l
mv kept s/l/log.ini

"$maplog" create s/lost
rm s/lost/head
all writers s/lost 'damaged beyond'
rm -r s/lost

# change CODE: edits the page head of s/l, and its checksums.
change() {
    python3 - s/l/head "$1" <<'END'
import struct, sys

def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

def put(form, at, *values):
    struct.pack_into(form, page, at, *values)

with open(sys.argv[1], "r+b") as file:
    page = bytearray(file.read())
    slots = [struct.unpack_from("<Q", page, at)[0] for at in (512, 1024)]
    slot = (512, 1024)[slots[1] > slots[0]]
    exec(sys.argv[2])
    put("<I", 40, crc32c(page[:40]))
    put("<I", slot + 60, crc32c(page[16:32] + page[slot:slot + 60]))
    file.seek(0)
    file.write(page)
END
}

if command -v python3 >/dev/null; then
    # Another version of the format.
    cp s/l/head head
    change 'put("<I", 8, 2)'
    all readers s/l 'version 2' 'knows version 1'
    all writers s/l 'version 2' 'knows version 1'
    cp head s/l/head
    # A crash has left a truncation to be finished: readers see it done.
    change 'put("<I", 132, 1); put("<QQQQQ", slot + 8, 5, 0, 1, 5, 1)'
    sha256sum s/l/* >before
    expect 0 "$maplog" read s/l 0-
    seq 0 4 | cmp - out
    expect 0 "$maplog" verify s/l
    says out entries=5
    sha256sum s/l/* | cmp -s - before || fail "changed by reading"
    expect 0 "$maplog" sync s/l
    says err 'truncation that a crash had interrupted was finished'
    is out 'ok durable=5'
    "$maplog" read s/l 0- | cmp - <(seq 0 4)
    seq 5 9 | "$maplog" append s/l >out
else
    echo "SKIP: python3 is not installed: no head of another version"
fi

# Somebody else's log: to be read if its mode says so, never changed.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    as=(timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups)
    all writers s/l 'permission denied to user' 'it belongs to root' \
        'mode 0755'
    expect 1 "${as[@]}" "$maplog" create s/new
    says err 'permission denied'
    expect 1 "${as[@]}" "$maplog" create -p new/new
    "$maplog" sync s/l >out
    chmod -R a-w s
    sha256sum s/l/* >before
    expect 0 "${as[@]}" "$maplog" read s/l 0-
    seq 0 9 | cmp - out
    expect 0 "${as[@]}" "$maplog" verify s
    expect 0 "${as[@]}" "$maplog" ls s
    expect 0 "${as[@]}" "$maplog" status s/l
    sha256sum s/l/* | cmp -s - before || fail "changed by reading"
    chmod 700 s/l
    all readers s/l 'permission denied to user' 'mode 0700'
    chmod -R u+w,a+rX s
else
    echo "SKIP: not root, or no setpriv(1): no log of somebody else"
fi
as=(timeout 60)

# A full disk: refused, nothing is lost, and it goes on when there is room.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    head -c 20000000 /dev/urandom | base64 >text
    export -f fail expect says is
    export maplog
    unshare -m bash -eu -o pipefail <<'END' || fail "on a full disk"
mkdir full
mount -t tmpfs -o size=16m none full
"$maplog" create full/l -o segment-size=1M
expect 1 "$maplog" append full/l text
says err 'full/l: the disk is full' 'first=0 next=' 'were appended'
next=$(grep -o 'next=[0-9]*' err)
next=${next#next=}
[ "$next" -gt 0 ]
"$maplog" read full/l 0- | cmp - <(head -n "$next" text)
"$maplog" verify full >out
mount -o remount,size=64m full
tail -n "+$((next + 1))" text | expect 0 "$maplog" append full/l
"$maplog" read full/l 0- | cmp - text
mount -o remount,ro full
expect 1 "$maplog" append full/l </dev/null
says err 'read-only'
expect 0 "$maplog" verify full
expect 1 "$maplog" create full/new
says err 'read-only'
END
else
    echo "SKIP: not root, or no mount namespace: no disk to fill"
fi
