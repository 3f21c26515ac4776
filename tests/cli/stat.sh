#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# stat, config and completion.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/a
"$maplog" create s/b
seq 100 | "$maplog" append s/a >out

# Once: no rates yet.
expect 0 "$maplog" stat s
grep -Eq '^a +100 +- +- +- +[0-9.]+K? +0 +0 +closed$' out || fail "a"
grep -Eq '^b +0 ' out || fail "b"
[ "$(wc -l <out)" = 3 ] || fail "lines"
expect 0 "$maplog" stat s/b
[ "$(wc -l <out)" = 2 ] || fail "one log"

# As they go: what was appended between two looks.
"$maplog" stat --watch=100ms s >watched &
watcher=$!
children+=("$watcher")
eventually has_bytes watched 1
rises() {
    seq 1000 | "$maplog" append s/a >out
    grep -Eq '^a +[0-9]+ +[0-9.]+K? +[1-9][0-9.]*K? ' watched
}
eventually rises
"$maplog" create s/new
eventually grep -q '^new ' watched
rm -r s/b
gone_b() { ! tail -n 3 watched | grep -q '^b '; }
eventually gone_b
kill -INT "$watcher" 2>/dev/null
kill -TERM "$watcher"
eventually gone "$watcher"
wait "$watcher" || fail "status $?"
! grep -q $'\033' watched || fail "escapes where there is no terminal"
if command -v script >/dev/null; then
    script -qc "'$maplog' stat -w -n 1 s" typescript >/dev/null </dev/null
    says typescript $'\033[H\033[J' $'\033[0mclosed\033[0m'

    # What there is no room for is counted, and long lines are cut.
    for log in c d e f g; do "$maplog" create many/$log -p; done
    watch_in() { # ROWS
        script -qc "stty rows $1; '$maplog' stat -w -n 1 many" typescript \
            >/dev/null </dev/null
        sed 's/\x1b\[[?0-9]*[a-zA-Z]//g' typescript |
            grep -Eo '^(LOG|[c-g] |and .* more)' | tr -d ' ' | paste -sd,
    }
    watch_in 7 >out
    is out LOG,c,d,e,f,g
    watch_in 6 >out
    is out LOG,c,d,e,and2more
    watch_in 1 >out
    is out LOG,c,and4more
    rm -r many/?
    watch_in 1 >out
    is out LOG
    says typescript $'\033[?7l' $'\033[?7h'
fi

# For programs.
expect 0 "$maplog" stat --json --watch=0.1 --count 2 s/a
[ "$(wc -l <out)" = 2 ] || fail "two looks"
if command -v python3 >/dev/null; then
    python3 -c '
import json
one, two = [json.loads(line) for line in open("out", encoding="utf-8")]
assert one["log"] == "a" and one["next"] >= 1100 and one["lag"] == 0
assert "bytes_per_second" not in one
assert two["bytes_per_second"] == 0 and two["entries_per_second"] == 0
' || fail "json"
fi

# A log that cannot be opened has its reason in its line.
rm s/new/head
expect 0 "$maplog" stat s
grep -q '^new .*Structure needs cleaning\|^new .*No such file' out ||
    fail "damaged"
expect 1 "$maplog" stat none
says err 'no such store'
for time in 0 -1 10ms x 1x; do
    expect 2 "$maplog" stat "--watch=$time" s
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
done

# status as JSON has what its lines have.
"$maplog" follow --name w --from 0 s/a | head -n 1 >out
expect 0 "$maplog" status --json s/a
[ "$(wc -l <out)" = 1 ] || fail "one line"
if command -v python3 >/dev/null; then
    "$maplog" status s/a >lines
    python3 -c '
import json
with open("out", encoding="utf-8") as file:
    found = json.load(file)
pairs = [line.rstrip("\n").split(": ", 1) for line in open("lines")]
keys = [key for key, _ in pairs if key != "reader"]
assert sorted([*keys, "readers", "torns"]) == sorted(found)
for key, value in pairs:
    assert key == "reader" or str(found[key]) == value, key
assert [r["name"] for r in found["readers"]] == ["w"]
assert found["readers"][0]["lag"] == found["next"] - found["readers"][0]["next"]
' || fail "status as json"
fi

# config: shown, and set; the defaults without a log.
expect 0 "$maplog" config
says out 'segment-size = 256M' 'sync = always'
expect 0 "$maplog" config s/a max-entry=1K sync=manual
expect 0 "$maplog" config s/a
says out 'max-entry = 1K' 'sync = manual'
diff <(grep -v '^#' s/a/log.ini) out || fail "not as in log.ini"
expect 0 "$maplog" config s/a sync max-entry
is out 'manual
1K'
expect 0 "$maplog" config --json s/a
grep -q '^{.*"max-entry":"1K",.*}$' out || fail "json"
for words in 's/a colour' 's/a sync=sometimes' 's/a sync=always sync' \
    's/a sync sync=always' 's/a colour=red'; do
    read -ra list <<<"$words"
    expect 2 "$maplog" config "${list[@]}"
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
done
[ "$("$maplog" config s/a sync)" = manual ] || fail "set by a mistake"
expect 1 "$maplog" config none/l

# completion: what each shell makes of it.
complete_bash() { # WORD...: the last one is completed
    bash -c 'eval "$("$0" completion bash)"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _maplog
        printf "%s\n" "${COMPREPLY[@]}"' "$maplog" "$@"
}
complete_bash maplog st >out
is out 'stat
status'
complete_bash maplog read --k >out
is out --keep-going
complete_bash maplog dump --as h >out
is out hex
complete_bash maplog create -x --option ret >out
is out 'retain-bytes=
retain-age=
retain-unread='
complete_bash maplog set s/a retain-u >out
is out retain-unread
complete_bash maplog help sta >out
is out 'stat
status'
complete_bash maplog status s/ >out
says out s/a s/new
for shell in bash zsh fish; do
    expect 0 "$maplog" completion $shell
    for command in create follow retain completion; do
        says out $command
    done
    ! command -v $shell >/dev/null || $shell -n out || fail "$shell"
done
expect 2 "$maplog" completion tcsh
