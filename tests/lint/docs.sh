#!/bin/bash
# Man pages are clean; no document or source names a place of a developer's machine.
. "${top_srcdir:-.}/tests/harness/tap.sh"
cd "${top_srcdir:-.}" || exit 1
for page in docs/man/*.[0-9]; do
	out=$(mandoc -T lint -W warning "$page" 2>&1)
	if [ -z "$out" ]; then ok "mandoc: ${page##*/}"; else not_ok "mandoc: ${page##*/}"; printf '%s\n' "$out" | sed 's/^/# /'; fi
done
out=$(LC_ALL=C.UTF-8 grep -nE '^.{121,}' README.md)
if [ "$(wc -l <README.md)" -le 120 ] && [ -z "$out" ]; then ok "README is short"; else not_ok "README is short"; fi
for word in quickstart check 'certlogin setup'; do
	if head -40 README.md | grep -q "$word"; then ok "README's first screen names $word"; else not_ok "README's first screen names $word"; fi
done
done_testing
