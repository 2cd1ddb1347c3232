# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP from bash.  Source it, make points, end with done_testing:
#
#	. "$top_srcdir/tests/harness/tap.sh"
#	ok NAME                        a point that passed        not_ok NAME [WHY]   one that did not
#	check NAME CMD ARG...          passes when CMD exits 0    check_not NAME CMD ARG...
#	is NAME GOT WANTED             passes when both are equal
#	like NAME TEXT REGEX           passes when TEXT matches the extended REGEX; unlike: when not
#	exits NAME CODE CMD ARG...     runs CMD with stdout in $TAP_TMP/out and stderr in $TAP_TMP/err
#	skip NAME WHY                  skip_all WHY ends the file
#	plan N                         instead of the count that done_testing would print
#	done_testing
#
# $TAP_TMP is a private directory, removed at the end.  on_exit CMD adds a command that then runs.
# A file that dies half-way has no plan line, which is a failure to every TAP reader.

tap_n=0 tap_failed=0 tap_planned='' tap_exit=()
TAP_TMP=$(mktemp -d "${TMPDIR:-/tmp}/tap.XXXXXX") || { echo 'Bail out! no temporary directory'; exit 99; }

tap_cleanup() {
	local i
	for ((i = ${#tap_exit[@]} - 1; i >= 0; i--)); do eval "${tap_exit[i]}"; done
	rm -rf -- "$TAP_TMP"
}
trap tap_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

on_exit() { tap_exit+=("$*"); }
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
plan() { tap_planned=$1; echo "1..$1"; }
ok() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1"; }

not_ok() {
	tap_n=$((tap_n + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $1"
	[ $# -lt 2 ] || diag "${@:2}"
	return 0
}

skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP ${2-}"; }
skip_all() { echo "1..0 # SKIP $*"; exit 0; }

check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* exited with $?" "$out"; fi
}

check_not() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then not_ok "$name" "$* exited with 0" "$out"; else ok "$name"; fi
}

is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2" "wanted: $3"; fi
}

like() {
	if [[ $2 =~ $3 ]]; then ok "$1"; else not_ok "$1" "does not match $3:" "$2"; fi
}

unlike() {
	if [[ $2 =~ $3 ]]; then not_ok "$1" "matches $3:" "$2"; else ok "$1"; fi
}

exits() {
	local name=$1 code=$2 r=0
	shift 2
	"$@" >"$TAP_TMP/out" 2>"$TAP_TMP/err" || r=$?
	if [ "$r" = "$code" ]; then
		ok "$name"
	else
		not_ok "$name" "$* exited with $r, wanted $code" "$(cat "$TAP_TMP/out" "$TAP_TMP/err")"
	fi
}

done_testing() {
	[ -n "$tap_planned" ] || echo "1..$tap_n"
	[ "$tap_failed" -eq 0 ] || { diag "$tap_failed of $tap_n failed"; exit 1; }
	exit 0
}
