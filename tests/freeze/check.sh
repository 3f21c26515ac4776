#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The sample stores are read as they were, go on as any log, and what is of
# another format is refused by name. MAPLOG is the binary under test.
set -eu -o pipefail

here=$(realpath "$(dirname "$0")")
maplog=${MAPLOG:?the binary to be tested}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# What is known of each log, as tests/freeze/make wrote it down.
tell() {
    local log
    for log in closed killed torn empty; do
        echo "== $log"
        "$maplog" status store/$log | grep -E '^(first|next|generation|uuid):'
        "$maplog" dump store/$log
    done
}

for sample in "$here"/stores/*.tar.gz; do
    rm -rf store
    tar -xzf "$sample"
    sha256sum store/*/* >before
    tell | diff "${sample%.tar.gz}.txt" - >&2 || fail "$sample: as a reader"
    "$maplog" verify store >out || fail "$sample: damaged"
    sha256sum store/*/* | cmp -s - before || fail "$sample: a reader wrote"
    for log in closed killed torn empty; do
        "$maplog" sync store/$log >out 2>&1 || fail "$sample: cannot be opened"
    done
    tell | diff "${sample%.tar.gz}.txt" - >&2 || fail "$sample: as a writer"
    for log in closed killed torn empty; do
        echo more | "$maplog" append store/$log >out || fail "$sample: full"
        [ "$("$maplog" read store/$log -1)" = more ] || fail "$sample: lost"
        "$maplog" repair store/$log | grep -q 'repairable=0 lost=0' ||
            fail "$sample: needs a repair"
    done
    "$maplog" verify store >out || fail "$sample: damaged after appending"
done

# refused HEAD TEXT...: every command says why, and leaves the log alone.
refused() {
    local name=$1 command text operands
    shift
    rm -rf store
    tar -xzf "$here/stores/v1.tar.gz"
    cp "$here/stores/$name" store/closed/head
    sha256sum store/closed/* >before
    for command in status verify read sync repair; do
        operands=(store/closed)
        [ $command != read ] || operands+=(0-)
        if "$maplog" $command "${operands[@]}" >out 2>err; then
            fail "$name: $command takes it"
        fi
        for text; do
            grep -qF -- "$text" err || fail "$name: $command: $(cat err)"
        done
    done
    sha256sum store/closed/* | cmp -s - before || fail "$name: was changed"
}
refused head-v2 'is of version 2 of the format' 'version 1'
refused head-big-endian 'of the other byte order'
