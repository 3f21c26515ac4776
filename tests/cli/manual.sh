#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The examples of the manual page, and those of the README at a shell, do what
# it says that they do.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

page=${MANUAL:?the manual page}
mkdir path
ln -s "$maplog" path/maplog
PATH=$work/path:$PATH

# What stands there literally, as it is shown.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" |
    sed -n '/^\.Bd/,/^\.Ed/p' | grep -v '^\.[BE]d' |
    sed 's/\\e/\\/g' >want
[ "$(grep -c '^\$ ' want)" -ge 8 ] || fail "few examples"

# Each command, and what it says. A follower would not come to an end.
while IFS= read -r line; do
    [[ $line = '$ '* ]] || continue
    echo "$line"
    [[ $line = *' follow '* ]] || eval "${line#\$ }" 2>&1 || true
done <want >got
diff want got >&2 || fail "other than the manual says"

# Likewise the README's; what goes on for ever is looked at once.
mkdir readme
cd readme
sed -n '/^## At a shell/,/^## What/p' "${page%man/*}README.md" |
    sed -n '/^...console$/,/^...$/p' | sed '1d;$d' >want
[ "$(grep -c '^\$ ' want)" -ge 8 ] || fail "few examples in the README"
while IFS= read -r line; do
    [[ $line = '$ '* ]] || continue
    echo "$line"
    case $line in
        *--watch*)
            line=${line#\$ }
            eval "${line%#*} --count=1" >said
            ;;
        *' help '*) eval "${line#\$ }" >said ;;
        *) eval "${line#\$ }" 2>&1 || true ;;
    esac
done <want >got
diff want got >&2 || fail "other than the README says"
[ "$(zcat orders.gz | wc -l)" = 3 ] || fail "the export of the README"

# Every command and long option is there.
for command in create ls append read follow status verify truncate trim sync \
    seal set retain forget dump export import repair stat config \
    completion help; do
    grep -q "^\.Cm $command" "$page" || fail "no $command"
    "$maplog" "$command" --help | grep -o -- '--[a-z-]*' |
        while read -r option; do
            [ "$option" = --help ] || grep -q "Fl ${option#-}" "$page" ||
                fail "$command: no $option"
        done
done
