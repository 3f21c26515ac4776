#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Following a log: across segments, writers, truncations and trims.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# follow OPTION...: in the background, into out and err.
follow() {
    # The shell has what is in the background ignore SIGINT.
    env --default-signal "$maplog" follow "$@" >out 2>err &
    follower=$!
    children+=("$follower")
}

# ends STATUS [SIGNAL]: the follower does, by a signal or by itself.
ends() {
    local status=0
    [ $# = 1 ] || kill -"$2" "$follower"
    eventually gone "$follower"
    wait "$follower" || status=$?
    [ "$status" = "$1" ] || fail "status $status, not $1"
}

# wrote FILE: what was followed is this, as soon as it is that long.
wrote() {
    eventually has_bytes out "$(stat -c %s "$1")"
    cmp -s out "$1" || fail "did not write $1"
}

append() {
    "$maplog" append s/l "$@" >/dev/null
}

# By default from the end on; each writer is another process.
"$maplog" create -p s/l -o segment-size=1M
seq -f 'old %.0f' 1000 | append
follow s/l
tick() {
    echo tick | append
    has_bytes out 5
}
eventually tick
! grep -qv tick out || fail "not from the end"
ends 0 INT
empty err

# What was to ignore a signal still does.
(trap '' INT TERM &&
    exec env --default-signal=HUP "$maplog" follow s/l) >out 2>err &
children+=($!)
eventually tick
kill -INT "${children[-1]}"
kill -TERM "${children[-1]}"
: >out
eventually tick
kill -HUP "${children[-1]}"
eventually gone "${children[-1]}"

# From an entry on, across segments.
"$maplog" truncate s/l 0 >/dev/null
seq 300000 >want
head -n 100000 want | append
follow s/l --from 0
sed -n '100001,200000p' want | append
tail -n 100000 want | append
wrote want
[ "$(value segments)" -gt 3 ] || fail "did not roll"
ends 0 TERM
empty err
follow s/l --from 299998
tail -n 2 want >want2
wrote want2
ends 0 TERM

# A truncation is told, and what comes after it follows.
"$maplog" truncate s/l 0 >/dev/null
seq 0 99 >want
append want
follow s/l --from 0
wrote want
"$maplog" truncate s/l 60 >/dev/null
eventually grep -q truncated err
says err 's/l: was truncated: the entries 60-99' 'going on with 60'
seq -f 'new %.0f' 0 9 | append
seq -f 'new %.0f' 0 9 >>want
wrote want

# stopped COMMAND...: the follower sleeps while all of this happens.
stopped() {
    kill -STOP "$follower"
    "$@"
    : >err
    kill -CONT "$follower"
}

# Also when as many new entries have come, or more, and of the same bytes.
rewrite() {
    "$maplog" truncate s/l "$1" >/dev/null
    seq -f 'new %.0f' 5 "$2" | append
}
for last in 5 9 500; do
    stopped rewrite 65 "$last"
    seq -f 'new %.0f' 5 "$last" >>want
    wrote want
    says err 'the entries 65-' 'going on with 65'
    [ "$(wc -l <err)" = 1 ] || fail "told more than once"
done

# Also what was there before it began to follow.
ends 0 TERM
follow s/l
eventually tick
stopped rewrite 65 600
news() { [ "$(grep -c new out)" = "$1" ]; }
eventually news 596
says err 'the entries 65-' 'going on with 65'
ends 0 TERM
seq 0 59 >want
"$maplog" truncate s/l 60 >/dev/null
follow s/l --from 0
wrote want

# What was not yet read can be truncated silently.
far() {
    seq 1000 | append
    "$maplog" truncate s/l "$next" >/dev/null
    echo end | append
}
next=$(value next)
stopped far
echo end >>want
wrote want
empty err

# A follower that was too slow is told what it has missed.
trim() {
    seq 200000 | append
    "$maplog" trim s/l 150000 >/dev/null
}
next=$(value next)
stopped trim
"$maplog" read s/l 150000- >>want
wrote want
says err "entries $next-149999 were trimmed" 'going on with 150000'
ends 0 TERM

# Where it cannot begin.
expect 1 "$maplog" follow s/l --from 5
says err 'entry 5 was trimmed' first=150000
expect 1 "$maplog" follow s/l --from 1000000
says err 'entry 1000000 is not there'

# A line about each entry.
"$maplog" truncate s/l 150001 >/dev/null
follow s/l --info --from 150000
echo x | append --tag 5
lines() { [ "$(wc -l <out)" = "$1" ]; }
eventually lines 2
grep -Eq '^150001 2.*Z 5 2$' out || fail "info"
ends 0 TERM

# In other forms.
"$maplog" truncate s/l 150001 >/dev/null
follow s/l --json --from 150000
echo x | append --tag 5
eventually lines 2
grep -Eq '^\{"index":150001,.*"tag":5,"length":2,.*"data":"x\\n"\}$' out ||
    fail "json"
ends 0 TERM
follow s/l --format '%i %q\n' --from 150001
eventually lines 1
is out '150001 "x\n"'
ends 0 TERM

# Nobody reads any more: the end, be there new entries or not.
"$maplog" follow s/l --from 150000 2>err | head -n 1 >out
empty err
{ "$maplog" follow s/l 2>err; echo "status $?" >status; } | true &
children+=($!)
ticked() {
    echo tick | append
    [ -s status ]
}
eventually ticked
is status 'status 0'
empty err

# Damage ends it, unless it is to go on.
rm -rf s
"$maplog" create -p s/l
seq -f 'entry %.0f' 0 9 | append
overwrite "s/l/$(segment 0).log" $((8 * 3)) X
expect 1 timeout 60 "$maplog" follow s/l --from 0
says err 'entry 3 is damaged'
[ "$(wc -l <out)" = 3 ] || fail "before the damage"
follow s/l --from 0 --keep-going
seq -f 'entry %.0f' 0 9 | grep -v 3 >want
wrote want
says err 'entry 3 is damaged'
echo more | tee -a want | append
wrote want
ends 0 INT

# The log is removed.
follow s/l
eventually tick
rm -r s
ends 1
says err 'was removed'
