#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dump, export and import: every form there and back, and resumed anywhere.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

"$maplog" create -p s/l -o segment-size=1M
printf 'one\ntwo "2" \\\n' | "$maplog" append s/l >out
printf 'no newline' | "$maplog" append --tag 18446744073709551615 s/l >out
printf '\xff\x00binary' >bytes
: >nothing
printf 'a\nb\n' >lines
printf 'h\xc3\xa9 \xf0\x9f\x98\x80 \x01' >utf8
"$maplog" append --whole --tag 7 s/l bytes nothing lines utf8 >out

# dump: what is known of each.
expect 0 "$maplog" dump s/l
[ "$(wc -l <out)" = 7 ] || fail "a line each"
grep -Eq '^1 [0-9-]+T[0-9:.]+Z 0 10 [0-9a-f]{8} "two \\"2\\" \\\\\\n"$' out ||
    fail "text"
says out ' 7 8 ' '"\xff\x00binary"' ' 18446744073709551615 10 '
expect 0 "$maplog" dump --as=hex s/l 3
says out '  00000000  ff 00 62 69 6e 61 72 79  ' '  |..binary|'
expect 0 "$maplog" dump --json s/l
if command -v python3 >/dev/null; then
    python3 -c '
import base64, json, sys
entries = [json.loads(line) for line in open("out", encoding="utf-8")]
assert [e["index"] for e in entries] == list(range(7))
assert entries[1]["data"] == "two \"2\" \\\n"
assert entries[2]["tag"] == 2**64 - 1 and entries[2]["length"] == 10
assert base64.b64decode(entries[3]["base64"]) == b"\xff\x00binary"
assert entries[4]["data"] == "" and "base64" not in entries[4]
assert entries[6]["data"] == "h\u00e9 \U0001f600 \x01"
' || fail "json"
fi
expect 0 "$maplog" read --format '%i %g %l %x\n' s/l 3-4
is out '3 7 8 ff0062696e617279
4 7 0 '
expect 0 "$maplog" read --format '%p%%\t' s/l 0
printf 'one\n%%\t' | cmp - out

# There and back: the same entries with the same tags.
same() { # LOG LOG
    diff <("$maplog" read --format '%g %l %x\n' "$1" 0-) \
        <("$maplog" read --format '%g %l %x\n' "$2" 0-) >&2 ||
        fail "$2 is not $1"
}
for form in json frames; do
    expect 0 "$maplog" export --as=$form s/l
    mv out exported
    "$maplog" create s/$form
    expect 0 "$maplog" import --as=$form s/$form <exported
    is out 'first=0 next=7'
    same s/l s/$form
    # What dump and read write of JSON is as good.
    [ $form = frames ] || "$maplog" read --json s/l 0- | cmp - exported
done
expect 1 "$maplog" export s/l
printf 'one\ntwo "2" \\\n' | cmp - out
says err 'entry 2 is not one line' --as=json
expect 1 "$maplog" export s/l 4
says err 'entry 4 is not one line'
expect 1 "$maplog" export s/l 5
seq 50000 | "$maplog" append s/l >out
"$maplog" export s/l 7- | cmp - <(seq 50000) || fail "lines"

# An import that was broken off anywhere is resumed.
for form in lines json frames; do
    "$maplog" export --as=$form s/l 7-2000 >whole
    size=$(stat -c %s whole)
    for part in 0 1 15 17 5000 $((size - 1)) "$size"; do
        rm -rf s/part
        "$maplog" create s/part
        head -c "$part" whole >begun
        "$maplog" import --as=$form s/part begun >out 2>err || true
        # A last line without newline is an entry, too.
        [ $form != lines ] || "$maplog" read s/part 0- | tail -c 1 |
            cmp -s - <(echo) || {
            next=$("$maplog" status s/part | sed -n 's/^next: //p')
            [ "$next" = 0 ] || "$maplog" truncate s/part $((next - 1)) >out
        }
        expect 0 "$maplog" import --as=$form --resume s/part whole
        says out next=1994
        "$maplog" export --as=frames s/part | cmp - \
            <("$maplog" export --as=frames s/l 7-2000) || fail "$form $part"
    done
done
expect 0 "$maplog" import --resume=7 s/l <(seq 50010)
is out 'first=50007 next=50017'
expect 1 "$maplog" import --resume s/l <(seq 3)
says err 'entry 0 of the log is not entry 1'
expect 1 "$maplog" import --resume=99999 s/l <(seq 3)
says err 'entry 99999 is not there'

# So is an export to a file.
for form in lines json frames; do
    "$maplog" export --as=$form s/l 7- >whole
    size=$(stat -c %s whole)
    for part in 0 1 70000 $((size - 1)) "$size"; do
        head -c "$part" whole >file
        expect 0 "$maplog" export --as=$form --resume --output file s/l 7-
        cmp whole file || fail "$form $part"
    done
    rm file
    expect 0 "$maplog" export --as=$form --output file s/l 7-
    cmp whole file
    expect 1 "$maplog" export --as=$form --output file s/l 7-
    says err 'is there already' --resume
    overwrite file 70000 '\001'
    expect 1 "$maplog" export --as=$form --resume --output file s/l 7-
    says err 'not the beginning of this export'
    cp whole file
    echo more >>file
    expect 1 "$maplog" export --as=$form --resume --output file s/l 7-
    says err 'holds more'
    rm file
done
expect 1 "$maplog" export --output /dev/full s/l 7-
expect 1 "$maplog" export --output none/file s/l 7-

# What cannot be imported is named; what is before it is appended.
bad() { # FORM TEXT MESSAGE
    rm -rf s/bad
    "$maplog" create s/bad -o max-entry=100
    printf '%b' "$2" >input
    expect 1 "$maplog" import --as="$1" s/bad input
    says err 'input: ' "$3"
    [ "$(wc -l <err)" = 2 ] || fail "lines: $2"
}
bad json '{"data":"a"}\n{"data":1}\n' 'line 2: its data or base64 is no string'
[ "$("$maplog" read s/bad 0-)" = a ] || fail "what was before"
bad json '{"data":"a"} x\n' 'line 1: it is not a JSON object'
bad json '["data"]\n' 'not a JSON object'
bad json '{}\n' 'not one of data and base64'
bad json '{"data":"a","base64":"YQ=="}\n' 'not one of'
bad json '{"base64":"Y"}\n' 'its base64 is none'
bad json '{"base64":"YQ==YQ=="}\n' 'its base64 is none'
bad json '{"data":"a","tag":-1}\n' 'its tag is not a number'
bad json '{"data":"a","tag":"1"}\n' 'its tag is not a number'
bad json '{"data":"a' 'not a JSON object'
bad json '{"data":"\xff"}\n' 'not a JSON object'
bad frames '\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' 'frame 1: it ends too early'
bad frames '\x01\0\0' 'frame 1: it ends too early'
bad frames '\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0a' 'it has not zero'
bad frames '\xff\xff\xff\x7f\0\0\0\0\0\0\0\0\0\0\0\0' 'longer than max-entry'
bad lines "$(printf '%0200d' 0)" 'line 1: it is longer than max-entry'
expect 1 "$maplog" import s/bad none
says err 'none: No such file' 'nothing was appended'

# Usage.
for command in export import dump; do
    expect 2 "$maplog" $command --as=xml s/l
    [ "$(wc -l <err)" = 1 ] || fail "not one line"
    says err --as "'xml'"
done
expect 2 "$maplog" export --resume s/l
expect 2 "$maplog" export s/l x
expect 2 "$maplog" import --resume=x s/l
expect 2 "$maplog" read --format '%z' s/l 0-
says err "'%z'"
expect 2 "$maplog" read --format 'x%' s/l 0-
expect 2 "$maplog" read --json --info s/l 0-

# A bar with the rate and the time left, on a terminal only.
if command -v script >/dev/null; then
    "$maplog" create s/bar
    (seq 20000; sleep 1; seq 20000) >slow
    mkfifo pipe
    (head -c 100000 slow; sleep 1; tail -c +100001 slow) >pipe &
    children+=($!)
    script -qc "'$maplog' import s/bar pipe" typescript >/dev/null </dev/null
    says typescript '/s, ' ' entries'
fi
