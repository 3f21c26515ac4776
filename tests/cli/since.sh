#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# maplog read --since, follow --since: entries from a moment on.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/l -o segment-size=1M
for i in 0 1 2 3 4 5; do
    echo "$i" | "$maplog" append s/l >out
    [ $((i % 2)) = 0 ] || "$maplog" seal s/l >out
done
mapfile -t times < <("$maplog" read --info s/l 0- | cut -d' ' -f2)

# The time of an entry finds it, in each of the forms that a time has.
for i in 0 1 2 3 4 5; do
    expect 0 "$maplog" read --since "${times[$i]}" s/l
    seq "$i" 5 | cmp - out || fail "since entry $i"
    "$maplog" read s/l --since "${times[$i]/Z/+00:00}" | cmp - out
    # One nanosecond later it is the one behind it.
    later=$(date -u -d "${times[$i]/.*/Z}" +%s)
    later=$((later * 1000000000 + 10#${times[$i]:20:9} + 1))
    later=$(date -u -d "@$((later / 1000000000))" +%Y-%m-%dT%H:%M:%S).$(
        printf '%09d' $((later % 1000000000)))Z
    expect 0 "$maplog" read -s "$later" s/l
    seq $((i + 1)) 5 | cmp - out || fail "behind entry $i"
done
expect 0 "$maplog" read --since 1h s/l
seq 0 5 | cmp - out
expect 0 "$maplog" read --since 999999d --info s/l
[ "$(wc -l <out)" = 6 ] || fail "info"
expect 0 "$maplog" read --since 0s s/l
empty out

# A log without entries, and one that was trimmed.
"$maplog" create s/empty
expect 0 "$maplog" read --since 1h s/empty
empty out
"$maplog" trim s/l 3 >out
expect 0 "$maplog" read --since "${times[0]}" s/l
seq 3 5 | cmp - out

# follow goes on from there.
"$maplog" follow --since "${times[4]}" s/l >followed &
children+=($!)
eventually has_bytes followed 4
echo 6 | "$maplog" append s/l >out
eventually has_bytes followed 6
seq 4 6 | cmp - followed

# What is no time, or has not come, is wrong usage: one line.
for time in '' 10 10x yesterday 2026-11-20 2026-11-20T10:00:00 \
    2026-02-30T00:00:00Z "$(date -u -d tomorrow +%FT%TZ)"; do
    for command in read follow; do
        expect 2 "$maplog" $command "--since=$time" s/l
        empty out
        [ "$(wc -l <err)" = 1 ] || fail "not one line"
        says err --since "'$time'"
    done
done
says err 'in the future'
expect 2 "$maplog" read --since 10m s/l 0-
expect 2 "$maplog" follow --since 10m --from 0 s/l
