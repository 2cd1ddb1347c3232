#!/bin/bash
# The units: exposure as systemd counts it, and no key that systemd does not know.
. "${top_srcdir:-.}/tests/harness/tap.sh"
dir=${top_builddir:-.}/units
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/lib/systemd/system"
cp "$dir/certlogind.service" "$dir/certlogin-gate@.service" "$dir/certlogin-fetch.service" "${top_srcdir:-.}"/units/*.socket "${top_srcdir:-.}"/units/*.timer "$root/lib/systemd/system/"
cp "$root/lib/systemd/system/certlogin-gate@.service" "$root/lib/systemd/system/certlogin-gate@local.service"
for unit in certlogind.service certlogin-gate@local.service certlogin-fetch.service; do
	out=$(systemd-analyze security --offline=true --threshold=15 --no-pager "$root/lib/systemd/system/$unit" 2>&1)
	r=$?
	if [ $r -eq 0 ]; then ok "$unit: exposure is at most 1.5"; else not_ok "$unit: exposure is at most 1.5"; fi
	printf '%s\n' "$out" | tail -1 | sed 's/^/# /'
done
out=$(systemd-analyze verify --man=no "$root"/lib/systemd/system/*.socket "$root"/lib/systemd/system/*.timer "$root"/lib/systemd/system/certlogin*.service 2>&1 |
	grep -E '/certlogin[^ ]*: *[0-9]*:? *(Unknown|Failed to parse|Invalid)')
if [ -z "$out" ]; then ok "systemd knows every key"; else not_ok "systemd knows every key"; printf '%s\n' "$out" | sed 's/^/# /'; fi
done_testing
