#!/bin/bash
# Functions of at most 80 lines, files of at most 1000, the module of at most 800 in all.
. "${top_srcdir:-.}/tests/harness/tap.sh"
cd "${top_srcdir:-.}" || exit 1

report() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1"; printf '%s\n' "$2" | sed 's/^/# /'; fi; }

report "functions are at most 80 lines" "$(find lib daemon pam cli fetch -name '*.c' | while read -r f; do
	awk -v f="$f" '/^{/ { s = NR } /^}/ { if (s && NR - s - 1 > 80) printf "%s:%d: %d lines\n", f, s, NR - s - 1; s = 0 }' "$f"
done)"
report "files are at most 1000 lines" "$(find lib daemon pam cli fetch tests -name '*.[ch]' -exec wc -l {} + |
	awk '$2 != "total" && $1 > 1000')"
report "the PAM module is at most 800 lines" "$(cat pam/*.[ch] | wc -l | awk '$1 > 800')"
report "the DER walker is at most 300 lines" "$(cat lib/pki/der.[ch] | wc -l | awk '$1 > 300')"
done_testing
