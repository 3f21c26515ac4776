#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Appending lines and files: what becomes an entry, and what is refused.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/l

# lengths: of all entries, and nothing else.
lengths() {
    "$maplog" read --info s/l 0- | cut -d' ' -f4 | paste -sd,
}

# roundtrip FILE...: into a new log and out of it again, byte by byte.
roundtrip() {
    rm -rf s
    "$maplog" create -p s/l
    expect 0 "$maplog" append s/l "$@"
    empty err
    cat "$@" >want
    "$maplog" read s/l 0- | cmp - want || fail "roundtrip $*"
}

# A newline ends an entry and is part of it; the last one may lack it.
printf 'one\ntwo\n\nthree' >lines
roundtrip lines
is out 'first=0 next=4'
[ "$(lengths)" = 4,4,1,5 ] || fail "$(lengths)"
printf 'a\r\nb\r\n' >crlf
roundtrip crlf
[ "$(lengths)" = 3,3 ] || fail "CRLF"
printf 'a\0b\n\0\n\0' >nul
roundtrip nul
[ "$(lengths)" = 4,2,1 ] || fail "NUL"
: >nothing
roundtrip nothing
is out 'first=0 next=0'
head -c 5000000 /dev/urandom >random
roundtrip random
[ "$(lengths | tr , '\n' | wc -l)" -gt 10000 ] || fail "few entries"
yes '' | head -n 100000 >blank || true
roundtrip blank
is out 'first=0 next=100000'

# Several inputs: an entry ends with its file.
roundtrip lines crlf nothing nul lines
[ "$(lengths)" = 4,4,1,5,3,3,4,2,1,4,4,1,5 ] || fail "files"
"$maplog" append s/l lines - lines <crlf >out
is out 'first=13 next=23'

# From standard input, be it a pipe, a file, or nothing.
seq 100000 | "$maplog" append s/l >out
is out 'first=23 next=100023'
expect 0 "$maplog" append s/l - <lines
is out 'first=100023 next=100027'
expect 0 "$maplog" append s/l </dev/null
is out 'first=100027 next=100027'

# A million lines, there and back.
seq -f 'line %.0f of a round trip' 1000000 >million
roundtrip million
is out 'first=0 next=1000000'

# Whole inputs, of no byte too.
rm -rf s
"$maplog" create -p s/l
expect 0 "$maplog" append --whole s/l lines random nothing crlf
is out 'first=0 next=4'
[ "$(lengths)" = 14,5000000,0,6 ] || fail "whole"
"$maplog" read s/l 1 | cmp - random
"$maplog" append -w s/l </dev/null >out
is out 'first=4 next=5'

# Tags.
expect 0 "$maplog" append --tag 18446744073709551615 s/l lines
"$maplog" read --info s/l -4 | cut -d' ' -f3 | sort -u >out
is out 18446744073709551615

# Batches: N lines are one, and what is left is the last one.
rm -rf s
"$maplog" create -p s/l
seq 10 | "$maplog" append --verbose --batch=4 s/l >out
is out 'first=0 next=4
first=4 next=8
first=8 next=10
first=0 next=10'
# They go on from file to file.
expect 0 "$maplog" append -vb3 s/l lines crlf
is out 'first=10 next=13
first=13 next=16
first=10 next=16'
# Lines of one batch have one time.
seq 1000 | "$maplog" append --batch=500 s/l >/dev/null
[ "$("$maplog" read --info s/l -1000 | cut -d' ' -f2 | sort -u | wc -l)" = 2 ]

# What comes slowly is there at once, not when it is a mebibyte.
mkfifo pipe
"$maplog" append s/l <pipe >out 2>err &
children+=($!)
exec 3>pipe
next=$(value next)
printf 'slow\nhalf' >&3
shows() { [ "$(value next)" = $((next + 1)) ]; }
shows_more() { [ "$(value next)" -gt "$next" ]; }
eventually shows
echo ' a line' >&3
exec 3>&-
wait "${children[-1]}"
is out "first=$next next=$((next + 2))"
"$maplog" read s/l -1 >out
is out 'half a line'

# Interrupted, it leaves in order, with all whole lines. (The shell has what
# is in the background ignore SIGINT.)
for signal in INT TERM HUP; do
    env --default-signal "$maplog" append s/l <pipe >out 2>err &
    children+=($!)
    exec 3>pipe
    next=$(value next)
    printf 'before the signal\nincomplete' >&3
    eventually shows
    kill -"$signal" "${children[-1]}"
    status=0
    wait "${children[-1]}" || status=$?
    exec 3>&-
    [ "$status" = 1 ] || fail "SIG$signal: $status"
    says err interrupted "first=$next next=$((next + 1))"
    [ "$(value state)" = closed ] || fail "state after SIG$signal"
done

# Also if there is always more to read.
next=$(value next)
env --default-signal "$maplog" append s/l million{,,}{,,} >out 2>err &
children+=($!)
eventually shows_more
kill -TERM "${children[-1]}"
status=0
wait "${children[-1]}" || status=$?
[ "$status" = 1 ] || fail "SIGTERM: $status"
says err interrupted "first=$next next="
[ "$(value state)" = closed ] || fail "state after SIGTERM"

# Inputs that are wrong are found before anything is appended.
next=$(value next)
expect 1 "$maplog" append s/l lines no-such-file
says err no-such-file "nothing was appended"
expect 1 "$maplog" append s/l lines .
says err "Is a directory"
expect 1 "$maplog" append s/l <.
says err "Is a directory"
[ "$(value next)" = "$next" ] || fail "appended something"

# A line that is too long is named, and what was appended before it.
"$maplog" set s/l max-entry 100 >out
is out ok
{
    seq 5
    head -c 99 /dev/zero | tr '\0' x
    echo
    head -c 100 /dev/zero | tr '\0' y
    echo
    seq 5
} >long
expect 1 "$maplog" append s/l long
empty out
says err 'long: line 7 is longer' '100 bytes' \
    "first=$next next=$((next + 6)) were appended"
# Not a part of a batch that was to be whole.
expect 1 "$maplog" append --batch 4 s/l long
says err 'line 7' "first=$((next + 6)) next=$((next + 10)) were appended"
expect 1 "$maplog" append --whole s/l crlf long
says err 'long: it is longer' "first=$((next + 10)) next=$((next + 11)) were"
head -c 101 /dev/zero | expect 1 "$maplog" append s/l
says err 'standard input: line 1 is longer' 'nothing was appended'

# Up to the limit, and with little memory what never ends.
rm -rf s
"$maplog" create -p s/l -o max-entry=16M
head -c $((16 << 20)) /dev/zero >huge
expect 0 "$maplog" append s/l huge
"$maplog" read s/l 0 | cmp - huge
head -c 1 /dev/zero >>huge
expect 1 "$maplog" append s/l huge
says err 'line 1 is longer' max-entry '16 MiB' 'nothing was appended'
"$maplog" create s/small -o segment-size=32M
if (ulimit -v 300000 && "$maplog" --version >out 2>err); then
    (ulimit -v 300000 &&
        expect 1 "$maplog" append s/small < <(head -c 2000000000 /dev/zero))
    says err 'longer than'
else
    echo "SKIP: it has a sanitizer in it: no limit of its memory"
fi
rm -rf s
"$maplog" create -p s/l -o max-entry=16M -o segment-size=1M
expect 1 "$maplog" append s/l huge
says err 'segment-size, 1 MiB'

# A batch that no segment can hold.
head -c 3000000 random | base64 >text
expect 1 "$maplog" append --batch 1000000 s/l text
says err 'larger than a segment' --batch 'nothing was appended'
expect 1 "$maplog" append --batch 70000 s/l blank
says err 'larger than a segment'
expect 0 "$maplog" append s/l text blank
"$maplog" read s/l 0- | cmp - <(cat text blank)

# A bar, with a rate, on a terminal only, and only when it takes its time.
rm -rf s
"$maplog" create -p s/l
slow() { for i in $(seq 12); do echo "$i"; sleep 0.1; done; }
slow | "$maplog" append s/l >out 2>err
empty err
if command -v script >/dev/null; then
    SHELL=/bin/sh script -qec "(for i in 1 2 3 4 5 6 7 8 9; do
        echo \$i; sleep 0.1; done) | '$maplog' append s/l" typescript \
        >/dev/null </dev/null
    says typescript 'entries' '/s' 'first='
    short() {
        local begin
        begin=$(date +%s%N)
        SHELL=/bin/sh script -qec "'$maplog' append s/l lines" typescript \
            >/dev/null </dev/null
        [ $(($(date +%s%N) - begin)) -lt 500000000 ]
    }
    eventually short
    ! grep -q entries typescript || fail "a bar for a short command"
else
    echo "SKIP: script(1) is not installed: no terminal to show a bar on"
fi
