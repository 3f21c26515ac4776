#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Making logs: where they may be, and with which options.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Without its store, only if that is asked for.
expect 1 "$maplog" create s/l
says err "maplog create -p s/l"
[ ! -e s ] || fail "made a store"
expect 0 "$maplog" create -p deep/er/s/l
expect 0 "$maplog" status deep/er/s/l
expect 0 "$maplog" create --parents s/l
empty out
empty err
says s/l/log.ini 'sync = always'

# In the directory that one is in.
mkdir here
(cd here && expect 0 "$maplog" create l && expect 0 "$maplog" ls . &&
    says out l)

# Once: except that -p takes what is there, if it is what was wanted.
expect 1 "$maplog" create s/l
says err "is there already"
expect 0 "$maplog" create -p s/l
expect 0 "$maplog" create -p s/l -o sync=always -o segment-size=262144K
expect 1 "$maplog" create -p s/l -o sync=manual
says err "another sync" "maplog set s/l sync"
says s/l/log.ini 'sync = always'
mkdir s/directory
expect 1 "$maplog" create -p s/directory
says err "no log"

# Options, the last one of a key counts.
expect 0 "$maplog" create s/options -o segment-size=1M -o max-entry=64K \
    -o sync=interval=50ms -o retain-bytes=1G -o retain-age=7d \
    --option=segment-size=2M
expect 0 "$maplog" status s/options
says out 'segment-size: 2M' 'max-entry: 64K' 'sync: interval=50ms' \
    'retain-bytes: 1G' 'retain-age: 7d' 'state: closed' 'writer: none' \
    'next: 0'

# Where a log would not be found, or not be one.
expect 1 "$maplog" create s/l/inner
says err "a log, not a store"
for name in . .. .maplog .hidden $'new\nline' $'\033[2J'; do
    expect 1 "$maplog" create "s/$name"
    says err "name of a log"
done
touch file
expect 1 "$maplog" create file/l
says err "not a directory"
expect 1 "$maplog" create -p file/s/l
ln -s s link
expect 0 "$maplog" create link/through
expect 0 "$maplog" status s/through

# Any other name is one.
for name in 'with space' '-dash' 'ünï' '%s%n' "quote'"; do
    expect 0 "$maplog" create -- "s/$name"
    echo entry | expect 0 "$maplog" append -- "s/$name"
    expect 0 "$maplog" read -- "s/$name" 0
    is out entry
done

# The mode follows the umask.
(umask 027 && "$maplog" create s/private)
[ "$(stat -c %a s/private s/private/head | paste -sd,)" = 750,640 ] ||
    fail "mode"
