#!/bin/bash
# The clock jumps, both ways, while revocation lists are at hand: nobody is let in for it who was
# revoked, nobody is locked out by a clock set back, and nothing is lost when it is put right.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:?}/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "$top_srcdir/tests/harness/daemon.sh"
[ "$(id -u)" = 0 ] || skip_all "root alone administers"
ldd "$daemon_bin/certlogind" | grep -q asan && skip_all "libfaketime does not go with ASan"
cd "$TAP_TMP" || exit 1

# A CA and people of 100 days ago, and lists of now.
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ago() { faketime -f -100d "$@"; }
serial=16
person() {
	serial=$((serial + 1))
	echo "extendedKeyUsage=clientAuth" >person.ext
	# shellcheck disable=SC2086
	openssl req -new $key -subj "/CN=$1" -keyout "$1.key" 2>/dev/null |
		ago openssl x509 -req -CA root.crt -CAkey root.key -set_serial $serial -days 400 -extfile person.ext -out "$1.crt" 2>/dev/null
	printf '%02X' $serial >"$1.serial"
}
# shellcheck disable=SC2086
ago openssl req -x509 $key -subj "/CN=Root" -days 500 -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout root.key -out root.crt 2>/dev/null
person alice
person bob
person carol
cat >ca.cnf <<'X'
[ca]
default_ca = it
[it]
database = index
crlnumber = number
certificate = root.crt
private_key = root.key
default_md = sha256
default_crl_days = 10
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
X
# list NUMBER REVOKED... (NAME,REASON) [-- OPTION...]
list() {
	printf '%02X\n' "$1" >number
	shift
	: >index
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		printf 'R\t491231235959Z\t%s,%s\t%s\tunknown\t/CN=%s\n' "$(date -u -d -1hour +%y%m%d%H%M%SZ)" "${1#*,}" "$(cat "${1%,*}.serial")" \
			"${1%,*}" >>index
		shift
	done
	openssl ca -config ca.cnf -gencrl -out list.pem "${@:2}" 2>err || diag "$(cat err)"
}
login() { cl --json test --cert "$1.crt" --account "$1" --service sshd | jq -r 'if .allowed then "allowed" else .reason end'; }
all() { echo "$(login alice) $(login bob) $(login carol)"; }
levels() { cl --json status | jq -r '[.status.warnings[].level] | join(" ")'; }
at() { # [OFFSET]
	daemon_stop
	# shellcheck disable=SC2086
	daemon_start ${1:+faketime "$1"}
}

at || { not_ok "certlogind starts"; done_testing; }
cl anchor add root root.crt >/dev/null
for p in alice bob carol; do
	cl identity add $p >/dev/null
	cl enroll $p $p.crt >/dev/null
	cl access allow $p $p --service sshd >/dev/null
done
# alice is revoked, bob held
list 5 alice,keyCompromise bob,certificateHold
exits "the list" 0 cl crl import list.pem
is "alice is revoked, bob held" "$(all)" "revoked revoked allowed"

# --- back, to before the list and the revocations ---
at -30d || not_ok "starts with its clock 30 days back"
is "back: who is revoked or held stays so, and nobody else is denied" "$(all)" "revoked revoked allowed"
list 6 alice,keyCompromise
exits "back: a list of the true time is from the future" 1 cl crl import list.pem
like "back: why" "$(cat out err)" "future"
is "back: and changes nothing" "$(all)" "revoked revoked allowed"
list 4 -- -crl_lastupdate "$(date -u -d -31days +%Y%m%d%H%M%SZ)" -crl_nextupdate "$(date -u -d -21days +%Y%m%d%H%M%SZ)"
exits "back: an older list, which is current by this clock" 1 cl crl import list.pem
is "back: un-revokes nobody" "$(all)" "revoked revoked allowed"
at || not_ok "starts with its clock put right"
is "right again" "$(all)" "revoked revoked allowed"

# --- forward, beyond the end of the list ---
at +30d || not_ok "starts with its clock 30 days ahead"
is "ahead: nothing says that carol is good" "$(all)" "revoked revoked revocation"
is "ahead: and status says so" "$(levels)" error
list 7 alice,keyCompromise bob,certificateHold -- -crl_lastupdate "$(date -u -d +29days +%Y%m%d%H%M%SZ)" -crl_nextupdate "$(date -u -d +39days +%Y%m%d%H%M%SZ)"
exits "ahead: a list of that time" 0 cl crl import list.pem
is "ahead: helps" "$(all)" "revoked revoked allowed"
at || not_ok "starts with its clock put right again"
is "right again: nobody is denied by what came from the future" "$(all)" "revoked revoked allowed"
list 8 alice,keyCompromise
exits "right again: the next list is older than that one" 1 cl crl import list.pem
like "right again: and says so, with the way out" "$(cat out err)" "crl forget"
exits "right again: forget" 0 cl crl forget root --yes
exits "right again: the list" 0 cl crl import list.pem
is "right again: the hold is released, the revocation is not" "$(all)" "revoked allowed allowed"
daemon_stop
done_testing
