#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Reading entries: ranges, their errors, damage, and readers that leave early.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/l -o segment-size=1M
seq -f 'entry %.0f' 0 99 | "$maplog" append s/l >out

# range WANTED RANGE...: the entries WANTED, "first-last" of seq(1) each.
range() {
    local want=$1 part
    shift
    expect 0 "$maplog" read s/l "$@"
    empty err
    for part in $want; do
        seq -f 'entry %.0f' "${part%-*}" "${part#*-}"
    done | cmp -s out - || fail "range $*"
}
range 0-0 0
range 42-42 42
range 99-99 99
range 0-99 0-99
range 3-5 3-5
range 90-99 90-
range 0-99 0-
range 95-99 -5
range 0-99 -100
range 0-99 -1000
range 0-99 -18446744073709551615
range '' 100-
range '' -0
range '7-7 3-5 98-99 7-7' 7 3-5 -2 7
range 5-5 0005

# outside INDEX RANGE...: refused before anything is written.
outside() {
    local index=$1
    shift
    expect 1 "$maplog" read s/l "$@"
    empty out
    says err "entry $index " first= next=
}
outside 100 100
outside 100 0 100
outside 100 90-100
outside 101 101-
outside 18446744073709551615 0-18446744073709551615
outside 18446744073709551615 18446744073709551615

# Trimmed entries are named as such.
"$maplog" trim s/l 10 >out
is out 'ok first=10'
outside 9 9
outside 0 0-
says err 'was trimmed' first=10 next=100
range 10-10 10
range 10-99 -1000

# An empty log has no entry, and no end that could be missed.
"$maplog" create s/empty
expect 0 "$maplog" read s/empty 0-
empty out
expect 0 "$maplog" read s/empty -5
empty out
expect 1 "$maplog" read s/empty 0
says err 'first=0 next=0'

# A line about each: index, time, tag, length.
before=$(date -u +%Y-%m-%dT%H:%M:%S)
printf 'abc\n\n' | "$maplog" append --tag 7 s/l >out
expect 0 "$maplog" read --info s/l -2
while read -r index time tag length rest; do
    [[ $time =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z$ ]] ||
        fail "time $time"
    [[ ! $time < $before ]] || fail "before it was appended: $time"
    [ "$tag $rest" = "7 " ] || fail "tag"
    echo "$index $length"
done <out >lines
is lines '100 4
101 1'
"$maplog" read --info s/l 10- | wc -l >out
is out 92
seq 200000 | "$maplog" append s/l >out
"$maplog" read --info s/l 102- | awk '{ if ($1 != NR + 101) exit 1 }' ||
    fail "info of many"

# A reader that leaves early is none of our trouble.
"$maplog" read s/l 10- | head -n 1 >out
is out 'entry 10'
"$maplog" read --info s/l 10- 2>err | head -n 1 >out
empty err
"$maplog" ls s 2>err | true
empty err

# Damage: named, and nothing of it is written.
rm -rf s
"$maplog" create -p s/l -o segment-size=1M
for i in $(seq 0 9); do
    printf '%s%099d\n' "$i" 0
done >hundreds
"$maplog" append s/l hundreds >out
log=s/l/$(segment 0).log
overwrite "$log" 350 X
overwrite "$log" 450 X
overwrite "$log" 899 X
expect 1 "$maplog" read s/l 0-
head -c 303 hundreds | cmp -s - out || fail "before the damage"
says err 's/l: entry 3 is damaged: checksum mismatch' "$(segment 0).log" \
    'offset 303'
! grep -q 'entry 8' err || fail "went on"
expect 1 "$maplog" read s/l --keep-going 0-
grep -v '^[348]' hundreds | cmp -s - out || fail "around the damage"
says err 's/l: entries 3-4 are damaged' 'offset 303' 's/l: entry 8 is' \
    'offset 808'
expect 1 "$maplog" read s/l --info -k 2-5
[ "$(cut -d' ' -f1 out | paste -sd,)" = 2,5 ] || fail "info of damage"
expect 1 "$maplog" read s/l 3
empty out
expect 1 "$maplog" read s/l -k 3 4 5
says err 'entry 3 is' 'entry 4 is'
expect 0 "$maplog" read s/l 0-2 5-7 9

# Nothing of it changes the log.
sha256sum s/l/* >before
"$maplog" read s/l -k 0- >out 2>err || true
sha256sum s/l/* | cmp - before
