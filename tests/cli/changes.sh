#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Truncate, trim, sync, seal and set, and how ls and status show the result.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/l -o segment-size=1M
seq 0 99 | "$maplog" append s/l >out

# Each replies what the control file of the mount would.
expect 0 "$maplog" truncate s/l 90
is out 'ok next=90 generation=1'
expect 0 "$maplog" truncate s/l 90
is out 'ok next=90 generation=1'
expect 1 "$maplog" truncate s/l 91
empty out
says err 'entry 91' 'first=0 next=90'
expect 0 "$maplog" trim s/l 10
is out 'ok first=10'
expect 0 "$maplog" trim s/l 5
is out 'ok first=10'
expect 1 "$maplog" trim s/l 91
says err 'entry 91' 'first=10 next=90'
expect 1 "$maplog" truncate s/l 9
says err 'entry 9 was trimmed' 'first=10 next=90'
expect 0 "$maplog" sync s/l
is out 'ok durable=90'
expect 0 "$maplog" seal s/l
is out 'ok base=90'
expect 0 "$maplog" seal s/l
is out 'ok base=90'
"$maplog" read s/l 10- | cmp - <(seq 10 89)
seq 1000 1009 | expect 0 "$maplog" append s/l
is out 'first=90 next=100'
"$maplog" read s/l 88- | cmp - <(seq 88 89; seq 1000 1009)

# Options are set for good, with the value as it was understood.
expect 0 "$maplog" set s/l segment-size 2048K
is out ok
expect 0 "$maplog" set s/l sync interval=1500ms
[ "$(value segment-size),$(value sync)" = 2M,interval=1500ms ] || fail set
"$maplog" set s/l sync manual >out
seq 5 | "$maplog" append s/l >out
is out 'first=100 next=105'
[ "$(value durable)" = 105 ] || fail "closing makes durable"
"$maplog" set s/l sync always >out

# Trimming gives the space of whole segments back.
seq 200000 | "$maplog" append s/l >out
segments=$(value segments)
[ "$segments" -gt 1 ] || fail "one segment"
expect 0 "$maplog" trim s/l 200000
[ "$(value segments)" -lt "$segments" ] || fail "as many segments"
expect 0 "$maplog" truncate s/l 200000
[ "$(value first),$(value next)" = 200000,200000 ] || fail "emptied"

# Status has every key, once.
expect 0 "$maplog" status s/l
for key in first next durable generation segments bytes segment-size \
    max-entry sync retain-bytes retain-age retain-unread map-limit uuid \
    created writer state error disk kept; do
    [ "$(grep -c "^$key: ." out)" = 1 ] || fail "status: $key"
done
grep -Eq '^uuid: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' out || fail uuid
grep -Eq '^created: [0-9-]{10}T[0-9:]{8}\.[0-9]{9}Z$' out || fail created

# The logs of a store, by name; what is no log is not shown.
"$maplog" create s/b
"$maplog" create s/a
mkdir s/other
touch s/file
echo entry | "$maplog" append s/b >out
expect 0 "$maplog" ls s
empty err
[ "$(awk '{ print $1 }' out | paste -sd,)" = NAME,a,b,l ] || fail names
[ "$(awk '$1 == "b" { print $2, $3, $4, $5, $6, $7, $8 }' out)" = \
    '0 1 1 1 6 - closed' ] || fail "line of b"
expect 0 "$maplog" ls s/other
[ "$(wc -l <out)" = 1 ] || fail "more than a head"
expect 1 "$maplog" ls s/none
says err 'no such store'
expect 1 "$maplog" ls s/file

# Its writer is shown, as long as there is one.
mkfifo pipe
"$maplog" append s/a <pipe >out &
children+=($!)
exec 3>pipe
writer=$!
shows() {
    "$maplog" ls s | grep -Eq "^a .* $writer +live$" &&
        "$maplog" status s/a | grep -qx "writer: $writer" &&
        "$maplog" status s/a | grep -qx 'state: live'
}
eventually shows
exec 3>&-
wait "$writer"
"$maplog" status s/a >out
says out 'writer: none' 'state: closed'

# What cannot be opened is shown with its error, and the rest as ever.
: >s/a/head
expect 1 "$maplog" ls s
[ "$(awk '$1 == "a" { print $2, $8 }' out)" = '- error' ] || fail "line of a"
says err 's/a: its file head is damaged'
says out closed

# The segments of a log.
seq 300000 | "$maplog" append s/l >out
expect 0 "$maplog" ls s/l
[ "$(awk 'END { print NR - 1 }' out)" = "$(value segments)" ] || fail segments
[ "$(awk 'NR > 1 { n += $2 } END { print n }' out)" -ge 300000 ] ||
    fail "entries"
[ "$(grep -c sealed out)" = $(($(value segments) - 1)) ] || fail sealed
tail -n 1 out | grep -q 'active$' || fail "the last one is active"
