#!/bin/bash
. "${top_srcdir:-.}/tests/harness/tap.sh"
cd "${top_srcdir:-.}" || exit 1
while read -r script; do
	out=$(shellcheck -x -S warning -e SC2154,SC2034,SC2046 "$script" 2>&1)
	if [ -z "$out" ]; then ok "shellcheck: $script"; else not_ok "shellcheck: $script"; printf '%s\n' "$out" | sed 's/^/# /'; fi
done < <(echo quickstart; echo check; echo .ci/run; find tests docs -name '*.sh' -o -name '*.bash' | sort)
# A test that no list names never runs.
for f in tests/*/*.sh; do
	[ -x "$f" ] && [ "${f%/*}" != tests/harness ] && [ "${f%/*}" != tests/bench ] || continue
	if grep -qF "$f" tests/*.am tests/*/*.am; then ok "${f#tests/} is in a list"; else not_ok "${f#tests/} is in a list"; fi
done
done_testing
