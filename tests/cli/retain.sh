#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Retention by the command, and the named readers that it waits for.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# fill: five segments of 1000 bytes each, ten entries, and an empty one.
fill() {
    rm -rf s
    "$maplog" create -p s/l
    for _ in 1 2 3 4 5; do
        seq -f %099.0f 10 | "$maplog" append s/l >out
        "$maplog" seal s/l >out
    done
}

# caught_up NAME: the reader has read all there is.
caught_up() {
    "$maplog" status s/l | grep -q "^reader: $1 .* lag=0\$"
}

# hears PID: a signal does not just kill it any more.
hears() {
    local caught
    [ "$(cat "/proc/$1/comm")" = maplog ] || return
    caught=$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$1/status")
    [ $((0x$caught >> 14 & 1)) = 1 ]
}

# follow OPTION...: a named reader until it has read all, then it is stopped.
# What it wrote is in got.
follow() {
    "$maplog" follow --name w "$@" s/l >got 2>err &
    local pid=$!
    children+=("$pid")
    eventually hears "$pid"
    eventually caught_up w
    kill -TERM "$pid"
    eventually gone "$pid"
    # With nothing to read, the signal may be sooner than what catches it.
    wait "$pid" || [ $? = 143 ] || fail "status $? when it was stopped"
}

# By bytes, and by age; without a limit, nothing.
fill
expect 0 "$maplog" retain s/l
is out 'ok first=0'
[ "$(value kept)" = "$(segment 0), there is no limit" ] || fail "kept"
"$maplog" set s/l retain-bytes 2000 >out
expect 0 "$maplog" retain s/l
is out 'ok first=30'
expect 0 "$maplog" ls s/l
[ "$(grep -c 'within the limits' out)" = 2 ] || fail "ls"
says out 'it is active'
"$maplog" set s/l retain-bytes 0 >out
"$maplog" set s/l retain-age 1h >out
expect 0 "$maplog" retain s/l
is out 'ok first=30'
"$maplog" set s/l retain-age 1ms >out
expect 0 "$maplog" retain s/l
is out 'ok first=50'
expect 0 "$maplog" verify s

# A reader begins where it is told, goes on where it was, and is waited for.
fill
follow --from 12
[ "$(wc -l <got)" = 38 ] || fail "from 12"
empty err
seq 5 | "$maplog" append s/l >out
[ "$(value reader)" = "w next=50 lag=5" ] || fail "lag: $(value reader)"
follow --from 12
seq 5 | cmp - got || fail "did not go on"
follow --since 1h
empty got
"$maplog" forget s/l w
[ -z "$(value reader)" ] || fail "not forgotten"
"$maplog" follow --name w --from 12 s/l | head -n 1 >out
eventually test "$(value reader)"
"$maplog" set s/l retain-bytes 1 >out
position=$(value reader)
position=${position#w next=}
position=${position% lag*}
expect 0 "$maplog" retain s/l
is out "ok first=$((position / 10 * 10))"
"$maplog" set s/l retain-unread drop >out
expect 0 "$maplog" retain s/l
is out 'ok first=50'

# What was dropped unread is told.
if [ "$position" -lt 50 ]; then
    follow
    says err "$position-49 were trimmed before they were read"
fi

# A truncation while nobody reads is told, and what is new is read.
fill
follow --from 0
"$maplog" truncate s/l 45 >out
seq -f 'new %.0f' 20 | "$maplog" append s/l >out
follow
says err 'truncated: the entries 45-49 are gone; going on with 45'
seq -f 'new %.0f' 20 | cmp - got || fail "what is new"

# Killed at any time it leaves nothing out.
rm -rf s
"$maplog" create -p s/l
seq 200000 | "$maplog" append s/l >out
"$maplog" follow --name k --from 0 s/l >first &
pid=$!
children+=("$pid")
eventually has_bytes first 1
kill -KILL "$pid"
eventually gone "$pid"
"$maplog" follow --name k s/l >second &
children+=($!)
eventually caught_up k
seq 200000 | cmp - <(cat first second | sort -n -u) || fail "left out"

# One at a time; and mistakes.
expect 1 "$maplog" follow --name k s/l
says err "'k' is reading already"
expect 1 "$maplog" forget s/l k
says err "'k' is reading now"
expect 1 "$maplog" forget s/l nobody
says err "no reader 'nobody'" 'maplog status s/l'
for name in '' . -x a/b 'a b' "$(printf '%065d' 0)"; do
    expect 2 "$maplog" follow "--name=$name" s/l
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
    expect 2 "$maplog" forget s/l -- "$name"
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
done
expect 2 "$maplog" set s/l retain-unread perhaps
kill -KILL "${children[-1]}"
eventually gone "${children[-1]}"
echo damage >s/l/k.reader
expect 1 "$maplog" follow --name k s/l
says err "'k' is damaged" 'maplog forget s/l k'
[ "$(value reader)" = "k next=0 lag=200000" ] || fail "damaged position"
expect 0 "$maplog" forget s/l k
