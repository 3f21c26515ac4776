# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of the command maplog share; sourced by each of them.
# MAPLOG is the binary under test. Every test has a directory of its own.
set -eu -o pipefail

maplog=${MAPLOG:?the binary to be tested}
work=$(mktemp -d)
children=()

leave() {
    local status=$?
    {
        kill -9 "${children[@]}"
        wait
    } 2>/dev/null || true
    cd /
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
cd "$work"
umask 022

fail() {
    echo "FAILED: ${BASH_SOURCE[-1]}:${BASH_LINENO[-2]}: $*" >&2
    if [ -f out ]; then sed 's/^/  out: /' out | tail -n 10 >&2; fi
    if [ -f err ]; then sed 's/^/  err: /' err | tail -n 10 >&2; fi
    exit 1
}

# expect STATUS COMMAND...: runs it into the files out and err.
expect() {
    local want=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    [ "$got" = "$want" ] || fail "status $got, not $want: $*"
}

# says FILE TEXT...: the file holds each of the texts, on any line.
says() {
    local file=$1 text
    shift
    for text; do
        grep -qF -- "$text" "$file" || fail "$file does not say: $text"
    done
}

# is FILE TEXT: the file is this text and a newline.
is() {
    printf '%s\n' "$2" | cmp -s - "$1" || fail "$1 is not: $2"
}

# empty FILE: there is nothing in it.
empty() {
    [ ! -s "$1" ] || fail "$1 is not empty"
}

# value KEY: of the log s/l, as its status has it.
value() {
    "$maplog" status s/l | sed -n "s/^$1: //p"
}

# eventually COMMAND...: waits until it succeeds, for five minutes at most.
eventually() {
    local tries=3000
    until "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "not within five minutes: $*"
        sleep 0.1
    done
}

# gone PID: the process has ended.
gone() {
    ! kill -0 "$1" 2>/dev/null
}

# has_bytes FILE N: as soon as it is that long.
has_bytes() {
    [ "$(stat -c %s "$1")" -ge "$2" ]
}

# overwrite FILE OFFSET TEXT: damages a file where it is.
overwrite() {
    printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

segment() {
    printf '%020d' "$1"
}
