#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Verifying: what is good is said to be, what is damaged is named exactly.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Ten entries of 100 bytes in each of three segments.
make() {
    rm -rf s
    "$maplog" create -p s/l -o segment-size=1M
    for base in 0 10 20; do
        for i in $(seq "$base" $((base + 9))); do
            printf '%099d\n' "$i"
        done | "$maplog" append s/l >out
        "$maplog" seal s/l >out
    done
}

make
expect 0 "$maplog" verify s/l
is out 's/l: ok entries=30 bytes=3000 damaged=0'
empty err
"$maplog" create s/empty
expect 0 "$maplog" verify s
is out 's/empty: ok entries=0 bytes=0 damaged=0
s/l: ok entries=30 bytes=3000 damaged=0'
"$maplog" trim s/l 15 >out
expect 0 "$maplog" verify s/l s/empty/ s/l
[ "$(grep -c 'ok entries=15' out)" = 2 ] || fail "two of three"

# Nothing to verify is not all good: the disk may not be mounted.
mkdir none
expect 1 "$maplog" verify none
says err 'no log in it'
expect 1 "$maplog" verify s/l no-such-store
says out 's/l: ok'
says err 'no-such-store: there is no such store, and no such log'

# damaged COUNT LINE...: found by verify, and the log stays as it is.
damaged() {
    local count=$1 line
    shift
    sha256sum s/l/* >before
    expect 1 "$maplog" verify s
    sha256sum s/l/* | cmp -s - before || fail "verify has changed the log"
    for line; do
        grep -qxF -- "s/l: $line" out || fail "not found: $line"
    done
    [ "$(wc -l <out)" = $(($# + 1)) ] || fail "other damage"
    says out "s/l: DAMAGED entries=30 " " damaged=$count"
}

# One byte of a payload, the first and the last of the log among them.
for i in 0 1 9 10 15 29; do
    make
    base=$((i / 10 * 10))
    file=$(segment "$base").log
    offset=$(((i - base) * 100))
    overwrite "s/l/$file" $((offset + 50)) X
    damaged 1 "entry $i is damaged: checksum mismatch: $file offset $offset"
done

# Every bit counts, of record and payload: tags, times, checksums.
for at in 4 8 12 16 23; do
    make
    overwrite "s/l/$(segment 10).idx" $((24 * 3 + at)) '\0377'
    damaged 1 "entry 13 is damaged: checksum mismatch: $(segment 10).log\
 offset 300"
done

# Neighbours are joined, across a segment's end they are not.
make
for i in 2 3 4 7 8 9; do
    overwrite "s/l/$(segment 0).log" $((i * 100)) X
done
overwrite "s/l/$(segment 10).log" 0 X
overwrite "s/l/$(segment 10).log" 999 X
damaged 8 \
    "entries 2-4 are damaged: checksum mismatch: $(segment 0).log offset 200" \
    "entries 7-9 are damaged: checksum mismatch: $(segment 0).log offset 700" \
    "entry 10 is damaged: checksum mismatch: $(segment 10).log offset 0" \
    "entry 19 is damaged: checksum mismatch: $(segment 10).log offset 900"

# A file that is too short, or is not there.
make
truncate -s 550 "s/l/$(segment 10).log"
expect 1 "$maplog" verify s
says out 's/l: entries 15-19 are damaged: record and files do not fit' \
    "$(segment 10).log offset 500" 'damaged=5'
make
truncate -s $((24 * 4)) "s/l/$(segment 10).idx"
expect 1 "$maplog" verify s
says out 's/l: entries 14-19 are damaged' 'damaged=6'
for file in log idx; do
    make
    rm "s/l/$(segment 10).$file"
    expect 1 "$maplog" verify s
    says out damaged=10
    expect 1 "$maplog" read -k s/l 0-
    [ "$(wc -l <out)" = 20 ] || fail "not all of the others"
done

# A record whose end is nonsense takes its neighbour along, and no other.
make
overwrite "s/l/$(segment 10).idx" $((24 * 3)) '\0377\0377\0377\0377'
damaged 2 "entries 13-14 are damaged: record and files do not fit together:\
 $(segment 10).log offset 300"
expect 1 "$maplog" read -k s/l 10-19
[ "$(wc -l <out)" = 8 ] || fail "around a wild record"

# Damage in one log does not keep the others from being looked at.
"$maplog" create s/z
expect 1 "$maplog" verify s
says out 's/l: DAMAGED' 's/z: ok entries=0'
: >s/l/head
expect 1 "$maplog" verify s
says err 's/l: its file head is damaged'
says out 's/z: ok entries=0'
