#!/usr/bin/env bash
# Runs the tests on other days than this one, and in other time zones:
#
#   tools/any_day.sh                            the whole suite on every day of the table below
#   tools/any_day.sh leap spring                on two of them
#   tools/any_day.sh leap -- tests/schemas -x   what follows -- is for pytest
#
# Prints a line for each day; exits 1 when tests failed on one of them, 2 when it cannot run.
# Wants `make setup`, and faketime: apt-get install faketime.
#
# Only the time of day is moved: time-outs go by CLOCK_MONOTONIC, which is left alone. Files get their
# times from the kernel, and a PostgreSQL server has a clock of its own: those stay where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

# name | time zone of the machine | when the tests start there, as `date` reads it
readonly DAYS="
ten-days     | America/New_York | 10 days 20:00
hundred-days | Pacific/Auckland | 100 days 08:00
leap         | Europe/Stockholm | 2028-02-29 10:00
new-year     | Europe/Stockholm | $(date +%Y)-12-31 23:50
spring       | Europe/Stockholm | 2027-03-28 01:57
autumn       | Europe/Stockholm | 2027-10-31 00:57 UTC
"
# spring: clocks go from 02:00 to 03:00 three minutes later; autumn: from 03:00 back to 02:00.
# New York and Auckland: the machine thinks it is the day before, and the day after, the one in Sweden.

names() { awk -F'|' 'NF { gsub(/ /, "", $1); print $1 }' <<<"$DAYS"; }

column() { # name, number: a column of the table
    awk -F'|' -v name="$1" -v column="$2" \
        '{ key = $1; gsub(/ /, "", key) } key == name { gsub(/^ +| +$/, "", $column); print $column }' \
        <<<"$DAYS"
}

fail() {
    echo "any_day.sh: $1" >&2
    exit 2
}

tests_on() { # name, log: run the tests on a day
    local zone moment start
    zone=$(column "$1" 2)
    moment=$(column "$1" 3)
    start=$(date -d "TZ=\"$zone\" $moment" +%s)
    TZ=$zone PYTHONPATH=$work FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0 \
        faketime -m -f "$(printf '%+d' $((start - $(date +%s))))s" \
        .venv/bin/python -m pytest -q -n 2 "${arguments[@]}" >"$2" 2>&1
}

days=() arguments=()
while (($#)); do
    if [[ $1 == -- ]]; then
        shift
        arguments=("$@")
        break
    fi
    names | grep -qx -- "$1" || fail "no day $1; there are: $(names | paste -sd ' ')"
    days+=("$1")
    shift
done
((${#days[@]})) || mapfile -t days < <(names)
command -v faketime >/dev/null || fail "there is no faketime: apt-get install faketime"
[[ -x .venv/bin/python ]] || fail "there is no .venv: make setup"

work=$(mktemp -d)
# faketime 0.9.10 ends every timed wait on a condition at once unless it is told that this libc needs
# no mending (FAKETIME_FORCE_MONOTONIC_FIX): threads then take the interpreter from each other all the
# time, and the suite takes four times as long. And it refuses the sleep of Python (clock_nanosleep)
# once CLOCK_MONOTONIC is left alone.
sleep_otherwise="import os, select, time; os.environ.get('FAKETIME') and \
setattr(time, 'sleep', lambda s, wait=select.select: wait([], [], [], s) and None)"
echo "$sleep_otherwise" >"$work/sitecustomize.py"
# Once more for processes that tests start with a PYTHONPATH of their own.
pth=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/any_day.pth
echo "$sleep_otherwise" >"$pth"
trap 'rm -f "$pth"' EXIT

failed=0
for day in "${days[@]}"; do
    if tests_on "$day" "$work/$day.log"; then verdict=passed; else verdict=FAILED failed=1; fi
    printf '%-13s%-8s%-18s%-25s%s\n' "$day" "$verdict" "$(column "$day" 2)" "$(column "$day" 3)" \
        "$(tail -n 1 "$work/$day.log")"
done
if ((failed)); then
    echo "what pytest said: $work" >&2
else
    rm -r "$work"
fi
exit "$failed"
