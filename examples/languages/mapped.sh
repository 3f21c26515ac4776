#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A log from the shell through the mount: cat, od, dd, sed. Nothing is mapped.
#     sh mapped.sh append LOG TEXT... | read LOG | follow LOG
set -eu

append() {
    for text; do
        echo "$text" >"$log/append"
    done
}

# Every entry, cut out of its segment at the ends that the index has.
read_segment() {
    data=${1%idx}log
    index=$(basename "$1" .idx | sed 's/^0*\(.\)/\1/')
    start=0
    od -An -v -t u4 -w24 "$1" | while read -r end _; do
        if [ "$end" -lt "$start" ] || [ "$end" -gt "$(wc -c <"$data")" ]; then
            echo "entry $index has no end" >&2
            exit 1
        fi
        printf '%s: ' "$index"
        dd if="$data" iflag=skip_bytes,count_bytes status=none \
            skip="$start" count="$((end - start))"
        start=$end
        index=$((index + 1))
    done
}

command=$1 log=$2
shift 2
case $command in
    append) append "$@" ;;
    read) for name in "$log"/segments/*.idx; do read_segment "$name"; done ;;
    follow) exec cat "$log/follow" ;;
esac
