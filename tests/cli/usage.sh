#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The command line: help, versions, and what is refused as wrong usage.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

commands=(create ls append read follow status verify truncate trim sync seal
    set retain forget dump export import repair stat config
    completion help)

# Help of each command, on stdout, in lines that fit.
expect 0 "$maplog" --help
empty err
for command in "${commands[@]}"; do
    says out "  $command "
done
for command in "${commands[@]}"; do
    expect 0 "$maplog" "$command" --help
    empty err
    says out "Usage: maplog $command" --help
    ! grep -q '.\{81\}' out || fail "$command --help: too wide"
    mv out help
    for words in "help $command" "$command -h" "--help $command" \
        "-h $command"; do
        read -ra list <<<"$words"
        expect 0 "$maplog" "${list[@]}"
        empty err
        cmp -s help out || fail "$words: not as $command --help"
    done
done
"$maplog" --help >help
for word in help -h; do
    expect 0 "$maplog" $word
    cmp -s help out || fail "$word: not as --help"
done
expect 0 "$maplog" read s/l -jh 0
says out 'Usage: maplog read'
expect 0 "$maplog" --version
grep -Eq '^maplog [0-9]+\.[0-9]+\.[0-9]+, format 1$' out || fail version

# usage COMMAND...: refused with one line that names the help.
usage() {
    expect 2 "$maplog" "$@"
    empty out
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
    says err maplog --help
}
usage
usage --no-such-option
usage apend
says err apend
usage help apend
says err "'apend'"
usage help append read
says err "'read'"
usage append
usage append --no-such-option s/l
says err --no-such-option
usage append s/l --tag
says err --tag missing
usage append s/l -x
usage ls
usage ls a b
says err "'b'"
usage read s/l
usage truncate s/l
usage truncate s/l 1 2
usage set s/l sync
usage verify
usage read s/l --info=yes 1

# Numbers: digits, nothing else, and no more than 64 bits.
for number in '' -1 +1 ' 1' '1 ' 1x 0x10 1.5 1e3 18446744073709551616 \
    99999999999999999999 one; do
    usage truncate s/l "$number"
    usage trim s/l "$number"
    usage append s/l "--tag=$number"
    usage append s/l "--batch=$number"
    usage follow s/l "--from=$number"
done
usage append s/l --batch 0
for range in '' - -x 1-x x-1 2-1 1--2 -1-2 1-2-3 +1 18446744073709551616- \
    0-18446744073709551616; do
    usage read s/l -- "$range"
done

# Options of logs: the keys are listed, and values are checked.
usage set s/l no-such-key 1
says err no-such-key segment-size max-entry sync retain-bytes retain-age
usage set s/l sync never
usage set s/l segment-size 1
says err limits
usage set s/l segment-size 99999999999999999999
usage create s/l -o sync
usage create s/l -o no-such-key=1
usage create s/l -o max-entry=-1
[ ! -e s ] || fail "wrong usage has made something"

# Options may stand before and behind operands, and -- ends them.
"$maplog" create -p s/l
seq 0 19 | "$maplog" append s/l >/dev/null
expect 0 "$maplog" read s/l -3 --info
[ "$(wc -l <out)" = 3 ] || fail "-3"
expect 0 "$maplog" read -ik s/l -- -3 0
[ "$(cut -d' ' -f1 out | paste -sd,)" = 17,18,19,0 ] || fail "order"
expect 0 "$maplog" read s/l/// 1
is out 1

# What cannot be written is an error, wherever it was to go.
for command in --help --version 'create --help' help 'ls s' 'status s/l' \
    'read s/l 0-' 'read --info s/l 0-' 'verify s' 'sync s/l'; do
    read -ra words <<<"$command"
    status=0
    "$maplog" "${words[@]}" >/dev/full 2>err || status=$?
    [ "$status" = 1 ] || fail "$command >/dev/full: $status"
    says err "standard output"
    status=0
    "$maplog" "${words[@]}" >&- 2>err || status=$?
    [ "$status" = 1 ] || fail "$command >&-: $status"
done

# Without standard files, nothing of theirs goes into those of the log.
"$maplog" set s/l max-entry 3 >out
(echo 20; echo too long) >lines
for _ in 1 2 3; do
    "$maplog" append -v s/l <&- >&- 2>&- && fail "no standard input"
    "$maplog" append -v s/l lines >&- 2>&- && fail "a line that is too long"
    "$maplog" append -v s/l lines <&- >&- 2>&- && fail "with no input either"
done
expect 0 "$maplog" verify s
empty err
says out entries=26
