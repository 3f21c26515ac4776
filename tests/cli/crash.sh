#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# maplog append is killed again and again: what it said it had appended is
# there, readers see that before anybody recovers, and change nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# killed OPTION...: appends numbers to s/l until it is killed.
killed() {
    local enough=$1
    shift
    # Else what the writer before has said may be taken for this one's.
    : >acknowledged
    "$maplog" append --verbose "$@" s/l numbers >acknowledged 2>err &
    local writer=$!
    children+=("$writer")
    eventually has_bytes acknowledged "$enough"
    sleep "0.0$((RANDOM % 10))"
    kill -9 "$writer" 2>/dev/null || true
    wait "$writer" 2>/dev/null || true
}

# check FIRST: everything that was acknowledged is there, and nothing else
# than what was to be appended.
check() {
    local first=$1 next said
    said=$(grep -o 'next=[0-9]*$' acknowledged | tail -n 1)
    said=${said#next=}
    [ "$(value state)" = crashed ] || fail "state $(value state)"
    [ "$(value writer)" = none ] || fail "writer $(value writer)"
    next=$(value next)
    [ "$next" -ge "$said" ] || fail "next=$next, but $said was said"
    "$maplog" read s/l "$first-" | cmp - <(head -n $((next - first)) numbers) ||
        fail "other entries from $first on"
    "$maplog" verify s >out || fail verify
}

seq -f 'number %.0f' 2000000 >numbers
for sync in always interval=10ms manual; do
    rm -rf s
    "$maplog" create -p s/l -o "sync=$sync" -o segment-size=1M
    crashes=0
    for round in 1 2 3 4; do
        first=$(value next)
        # Of one line for an acknowledgement each, and of many.
        if [ $((round % 2)) = 1 ]; then
            killed 2000 --batch 1
        else
            killed 500 --batch 5000
        fi
        # It may have come to its end before that.
        [ "$(value state)" = crashed ] || continue
        crashes=$((crashes + 1))
        sha256sum s/l/* >before
        check "$first"
        "$maplog" ls s >out
        "$maplog" ls s/l >out
        sha256sum s/l/* | cmp -s - before || fail "reading has changed it"
        # A batch is there as a whole.
        if [ $((round % 2)) = 0 ]; then
            [ $((($(value next) - first) % 5000)) = 0 ] || fail "half a batch"
        fi
        # Recovering shows the same.
        next=$(value next)
        expect 0 "$maplog" sync s/l
        is out "ok durable=$next"
        [ "$(value state)" = closed ] || fail "state after recovery"
        "$maplog" read s/l "$first-" |
            cmp - <(head -n $((next - first)) numbers)
    done
    [ "$crashes" -gt 0 ] || fail "no crash under $sync"
done

# A torn tail is told by who recovers, and kept.
rm -rf s
"$maplog" create -p s/l -o sync=manual
printf '%s\n' a b c d e f g h >letters
mkfifo pipe
"$maplog" append --verbose --batch 1 s/l <pipe >acknowledged &
writer=$!
children+=("$writer")
exec 3>pipe
cat letters >&3
eventually grep -q next=8 acknowledged
kill -9 "$writer"
exec 3>&-
wait "$writer" 2>/dev/null || true
overwrite "s/l/$(segment 0).log" 14 X
[ "$(value next)" = 7 ] || fail "a torn entry is shown: next=$(value next)"
expect 0 "$maplog" sync s/l
says err 'torn tail was cut off at entry 7' '.torn'
"$maplog" status s/l >out
grep -Eq "^torn: $(segment 7)\.torn [0-9]+$" out || fail "not in status"
"$maplog" read s/l 0- | cmp - <(head -n 7 letters)
