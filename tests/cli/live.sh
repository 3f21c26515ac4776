#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Readers beside a writer: whatever they see is the beginning of the input.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

seq -f 'line %.0f of what two readers see' 400000 >want
"$maplog" create -p s/l -o segment-size=1M

for i in 1 2; do
    "$maplog" follow s/l --from 0 >"followed$i" 2>"err$i" &
    children+=($!)
done

# In pieces, so that it takes as long as a few looks at it.
(split -n l/40 --filter='cat; sleep 0.05' want | "$maplog" append s/l >out) &
writer=$!
children+=("$writer")

looks=0
while ! gone "$writer"; do
    "$maplog" read s/l 0- >seen
    [ -s seen ] || continue
    cmp -s -n "$(stat -c %s seen)" seen want || fail "read something else"
    "$maplog" read s/l -100 | tail -n 1 | grep -q '^line .* see$' ||
        fail "the last ones"
    "$maplog" verify s >verified || fail "verify beside a writer"
    "$maplog" ls s >listed
    "$maplog" ls s/l >listed
    "$maplog" status s/l >listed
    looks=$((looks + 1))
done
wait "$writer"
is out 'first=0 next=400000'
[ "$looks" -gt 1 ] || echo "only $looks looks at a live log"

for i in 1 2; do
    eventually has_bytes "followed$i" "$(stat -c %s want)"
    cmp "followed$i" want || fail "follower $i"
    empty "err$i"
done
"$maplog" read s/l 0- | cmp - want
