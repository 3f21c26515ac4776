#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Repairing: what can be proven comes back, and what is lost is named.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Ten entries of 100 bytes in a sealed segment, and in one that is not.
make() {
    rm -rf s
    "$maplog" create -p s/l -o segment-size=1M
    for base in 0 10; do
        for i in $(seq "$base" $((base + 9))); do
            printf '%099d\n' "$i"
        done | "$maplog" append s/l >out
        [ "$base" = 10 ] || "$maplog" seal s/l >out
    done
    "$maplog" read s/l 0- >all
}

whole() {
    expect 0 "$maplog" verify s/l
    is out 's/l: ok entries=20 bytes=2000 damaged=0'
    "$maplog" read s/l 0- | cmp -s - all || fail "other entries than before"
}

# A log that is whole is left alone.
make
sha256sum s/l/* >before
expect 0 "$maplog" repair s/l
is out 's/l: repairable=0 lost=0'
empty err
expect 0 "$maplog" repair --apply s/l
is out 's/l: repaired=0 lost=0'
sha256sum s/l/* | cmp -s - before || fail "a good log was changed"

# The place of a bit: of a payload, and of a sealed record's length.
sealed=$(segment 0)
active=$(segment 10)
overwrite "s/l/$sealed.log" 310 1
overwrite "s/l/$sealed.idx" $((24 * 7)) '\0041'
sha256sum s/l/* >before
expect 1 "$maplog" repair s/l
is out "s/l: entry 3: one bit is wrong, can be repaired: $sealed.log offset 310
s/l: entry 7: one bit is wrong, can be repaired: $sealed.idx offset 168
s/l: repairable=2 lost=0"
says err '--apply'
sha256sum s/l/* | cmp -s - before || fail "a dry run has changed the log"
expect 0 "$maplog" repair --apply s/l
is out "s/l: entry 3: one bit is wrong, repaired: $sealed.log offset 310
s/l: entry 7: one bit is wrong, repaired: $sealed.idx offset 168
s/l: repaired=2 lost=0"
empty err
whole
printf 'entry 3: 1 bytes of %s.log from offset 310 were\n1\n' "$sealed" >want
head -n 2 "s/l/$sealed.repaired" | cmp -s - want || fail "the evidence"
expect 0 "$maplog" repair s/l

# All records of the segment that is not sealed, in the one place or the other.
for place in "$active.idx 0" "$active.log $((1 << 20))"; do
    make
    read -r file offset <<<"$place"
    dd if=/dev/zero of="s/l/$file" bs=1 seek="$offset" count=240 \
        conv=notrunc status=none
    expect 1 "$maplog" repair s/l
    says out 's/l: repairable=10 lost=0' "entry 12: one of two records"
    expect 0 "$maplog" repair -a s/l
    says out 's/l: repaired=10 lost=0'
    whole
done

# What nothing proves is lost, and nothing else is.
make
overwrite "s/l/$sealed.log" 510 'garbage'
overwrite "s/l/$sealed.log" 610 'garbage'
overwrite "s/l/$active.log" 90 'garbage'
expect 1 "$maplog" repair --apply s/l
is out "s/l: entries 5-6 are lost: $sealed.log
s/l: entry 10 is lost: $active.log
s/l: repaired=0 lost=3"
expect 1 "$maplog" verify s/l
says out ' damaged=3'

# The head, from a segment's own.
make
dd if=/dev/zero of=s/l/head bs=64 count=1 conv=notrunc status=none
expect 1 "$maplog" repair s/l
says out 'head is damaged or missing, --apply tries to make it anew'
expect 0 "$maplog" repair --apply s/l
says out 'head is damaged or missing, being made anew' 'repaired=0 lost=0'
whole

# ... of which nothing is left: then it is not said to have been made.
make
dd if=/dev/zero of=s/l/head bs=64 count=1 conv=notrunc status=none
rm s/l/*.idx s/l/*.log
expect 1 "$maplog" repair --apply s/l
says out 'head is damaged or missing, being made anew'
says err 'damaged beyond'

# Not while somebody writes, and not what is no log.
make
mkfifo lines
"$maplog" append s/l <lines >appended 2>&1 &
children+=($!)
exec 3>lines
busy() {
    ! "$maplog" repair s/l >out 2>err && grep -q 'is being written' err
}
eventually busy
expect 1 "$maplog" repair s/none
says err 'there is no such log'
expect 2 "$maplog" repair
