#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the built-in CA takes back is refused by a real certlogind at the next login.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:-.}/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "${top_srcdir:-.}/tests/harness/daemon.sh"
d=$TAP_TMP
decide() { cl test --cert "$d/alice.crt" --account root --service sudo; }
list() { openssl crl -in "$d/etc/ca/ca.crl" -CAfile "$d/etc/ca/ca.crt" -noout -text 2>&1; }

daemon_start || { not_ok "certlogind starts"; done_testing; }
exits "no CA" 1 cl ca crl
cl ca create >/dev/null
cl identity add alice >/dev/null
cl access allow alice root --service sudo >/dev/null
exits "issue" 0 cl ca issue alice --out "$d/alice" --enroll
check_not "no list before the first revocation" test -e "$d/etc/ca/ca.crl"
exits "allowed" 0 decide
sha=$(cut -f3 "$d/etc/ca/issued.log")
exits "revoke by file" 0 cl ca revoke "$d/alice.crt" --reason keyCompromise
exits "denied" 1 decide
like "for revocation" "$(decide 2>&1)" 'revoked'
like "OpenSSL believes the list" "$(list)" 'verify OK'
daemon_stop
daemon_start || not_ok "starts again"
exits "denied after a restart" 1 decide
exits "not twice" 1 cl ca revoke "${sha:0:16}"
exits "a hold could not be released" 2 cl ca revoke "$sha" --reason certificateHold
exits "unknown reason" 2 cl ca revoke "$sha" --reason removeFromCRL
exits "not of this CA" 1 cl ca revoke "$d/etc/ca/ca.crt"
exits "anew" 0 cl ca crl --days 3 --out "$d/copy.crl"
check "a copy" cmp "$d/copy.crl" "$d/etc/ca/ca.crl"
is "numbers" "$(cat "$d/etc/ca/crlnumber")" 2
exits "issue another" 0 cl ca issue bob --out "$d/bob"
daemon_stop
exits "no daemon" 3 cl ca revoke "$d/bob.crt"
like "is on the list nevertheless" "$(list | grep -c 'Serial Number')" '^2$'
cp "$d/etc/ca/ca.crl" "$d/before.crl"
echo nonsense >>"$d/etc/ca/revoked"
exits "a record that cannot be read" 4 cl ca crl
check "leaves the list" cmp "$d/before.crl" "$d/etc/ca/ca.crl"
done_testing
