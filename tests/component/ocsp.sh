#!/bin/bash
# OCSP against OpenSSL's responder: our requests, its answers, and what certlogin verify makes of them.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:-.}/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "${top_srcdir:-.}/tests/harness/daemon.sh"
top=$(cd "${top_builddir:-.}" && pwd)
bin=$top/certlogin
ask=$top/tests/component/ocsp-ask
cd "$TAP_TMP" || exit 1
verify() { "$bin" verify --utc --anchor root.crt --chain "${chain:-alice.crt}" "$@"; }
ok_exit() { exits "$1" 0 verify "${@:2}"; }
no_exit() { exits "$1" 1 verify "${@:2}"; like "$1: why" "$(cat out)" "REJECTED: ${why-}"; }

key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
serial=1000
ca() { # NAME SUBJECT
	# shellcheck disable=SC2086
	openssl req -x509 $key -subj "/CN=$2" -days 60 -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
issue() { # NAME ISSUER DAYS EXTENSIONS
	printf '%s\n' "$4" >"$1.ext"
	serial=$((serial + 1))
	# shellcheck disable=SC2086
	openssl req -new $key -subj "/C=DE/CN=$1" -keyout "$1.key" 2>/dev/null |
		openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -set_serial $serial -days "$3" -extfile "$1.ext" \
			-out "$1.crt" 2>/dev/null
}
entry() { # NAME STATUS [WHEN,REASON]: a line of the responder's index
	printf '%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n' "$2" "${3-}" \
		"$(openssl x509 -in "$1.crt" -noout -serial | cut -d= -f2)" "$1"
}
answer() { # OUT CERT RESPONDER [OPTION...]: what the responder says to our request
	"$ask" ask "$2.crt" root.crt >req.der
	openssl ocsp -index index -CA root.crt -rsigner "$3.crt" -rkey "$3.key" -reqin req.der \
		-respout "$1" -ndays 2 "${@:4}" >openssl.log 2>&1
}

ca root Root
ca twin Root
ca other Other
client=extendedKeyUsage=clientAuth
responder='extendedKeyUsage=OCSPSigning
noCheck=ignored'
issue alice root 30 "$client"
issue bob root 30 "$client"
issue carol root 30 "$client"
issue delegate root 30 "$responder"
issue checked root 30 extendedKeyUsage=OCSPSigning
issue plain root 30 "$client"
issue past root 0 "$responder"
issue foreign other 30 "$responder"
issue impostor twin 30 "$responder"
issue sub root 30 "basicConstraints=critical,CA:true"
issue dave sub 30 "$client"
{ entry alice V; entry bob R "$(date -u -d '-1 day' +%y%m%d%H%M%SZ),keyCompromise"; entry sub V; } >index

# --- what the issuer itself says ---
answer good.der alice root
ok_exit "good" --ocsp good.der
like "says so" "$(cat out)" 'ocsp +CN=alice,C=DE: good until 20.*\(good.der\)'
verify --json --ocsp good.der >json
is "as JSON" "$(jq -r '.checks[-2] | .check + " " + .result' json)" 'ocsp passed'
answer revoked.der bob root
chain=bob.crt why='CN=bob,C=DE: revoked at 20.*reason 1' no_exit "revoked" --ocsp revoked.der
answer unknown.der carol root
chain=carol.crt why='CN=carol,C=DE: unknown' no_exit "unknown" --ocsp unknown.der
answer key.der alice root -resp_key_id
ok_exit "responder by key" --ocsp key.der
# its -rcid leaves the serial number out
openssl ocsp -index index -CA root.crt -rsigner root.crt -rkey root.key -issuer root.crt -sha256 -cert alice.crt \
	-respout sha256.der -ndays 2 >/dev/null 2>&1
ok_exit "CertID by SHA-256" --ocsp sha256.der

# --- what is about another certificate ---
why='.*about no certificate of the path' no_exit "about another" --ocsp revoked.der
why='.*about no certificate of the path' no_exit "a good one does not outweigh it" --ocsp good.der --ocsp revoked.der
cat dave.crt sub.crt >dave.chain
answer sub.der sub root
chain=dave.chain ok_exit "about an intermediate" --ocsp sub.der

# --- delegates ---
answer delegate.der alice delegate
ok_exit "a delegate" --ocsp delegate.der
answer delegate-key.der alice delegate -resp_key_id
ok_exit "a delegate by key" --ocsp delegate-key.der
answer refused.der alice delegate -resp_no_certs
why='.*neither the issuer nor' no_exit "without its certificate" --ocsp refused.der
answer refused.der alice checked
why='.*no ocsp-nocheck' no_exit "without nocheck" --ocsp refused.der
answer refused.der alice plain
why='.*OCSPSigning' no_exit "without OCSPSigning" --ocsp refused.der
answer refused.der alice foreign
why=".*not of the issuer's key" no_exit "of another issuer" --ocsp refused.der
answer refused.der alice impostor
why=".*not of the issuer's key" no_exit "of another issuer of that name" --ocsp refused.der
answer refused.der alice other
why=".*not of the issuer's key" no_exit "another CA" --ocsp refused.der
answer refused.der alice twin
why='.*signature does not verify' no_exit "another CA of that name" --ocsp refused.der
answer past.der alice past
why=".*certificate has expired" no_exit "an expired delegate" --ocsp past.der --at +1d

# --- signatures and time ---
answer refused.der alice root -badsig
why='.*signature does not verify' no_exit "a changed signature" --ocsp refused.der
answer refused.der alice root -rmd sha1
why='.*too weak or unknown' no_exit "SHA-1" --ocsp refused.der
why='.*out of date' no_exit "an old answer" --ocsp good.der --at +3d
why='.*of the future' no_exit "an answer of the future" --ocsp good.der --at -1h
openssl ocsp -index index -CA root.crt -rsigner root.crt -rkey root.key -issuer root.crt -cert alice.crt \
	-respout unbounded.der >/dev/null 2>&1
ok_exit "no nextUpdate" --ocsp unbounded.der
why='.*out of date' no_exit "no nextUpdate, a day later" --ocsp unbounded.der --at +25h

# --- nonces ---
"$ask" ask alice.crt root.crt 0123456789abcdef0123456789abcdef >req.der
is "our request as OpenSSL reads it" \
	"$(openssl ocsp -reqin req.der -req_text -noverify 2>/dev/null | grep -cE 'Hash Algorithm: sha1|OCSP Nonce')" 2
openssl ocsp -index index -CA root.crt -rsigner root.crt -rkey root.key -reqin req.der -respout nonce.der -ndays 2 \
	>/dev/null 2>&1
is "its nonce comes back" "$("$ask" check alice.crt root.crt nonce.der 0123456789abcdef0123456789abcdef)" good
like "another nonce: an answer replayed" "$("$ask" check alice.crt root.crt nonce.der 0123456789abcdef)" nonce
like "no nonce" "$("$ask" check alice.crt root.crt good.der 0123456789abcdef)" nonce

# --- what is no answer ---
printf '\x30\x03\x0a\x01\x03' >later.der
why='.*try later' no_exit "try later" --ocsp later.der
head -c 100 good.der >cut.der
why='.*cannot be read' no_exit "cut short" --ocsp cut.der
: >empty.der
why='.*cannot be read' no_exit "empty" --ocsp empty.der
head -c 40000 /dev/zero >large.der
why='.*too large' no_exit "too large" --ocsp large.der
exits "no such file" 2 verify --ocsp /nonexistent

# --- the daemon ---
if [ "$(id -u)" != 0 ]; then
	skip "the daemon keeps answers" "its administrator is root"
	done_testing
fi
daemon_start || { not_ok "the daemon answers"; done_testing; }
c() { cl --utc "$@"; }
import() { c ocsp import "$1" --cert "$2" --issuer root.crt "${@:3}"; }
exits "the daemon has an anchor" 0 c anchor add root root.crt
exits "it takes a good one" 0 import good.der alice.crt
like "and says so" "$(cat out)" "under anchor root: good until"
exits "the same again" 0 import good.der alice.crt
exits "a revocation" 0 import revoked.der bob.crt
like "and says so" "$(cat out)" "revoked since"
{ entry alice V; entry bob V; } >index
answer cleared.der bob root
exits "no answer takes it back" 2 import cleared.der bob.crt
like "says why" "$(cat err)" "response: a newer answer is known, or a revocation"
exits "one by somebody else is refused" 2 import refused.der alice.crt
like "says why" "$(cat err)" "response: the OCSP response's signature"
exits "of an issuer that is not trusted" 2 c ocsp import good.der --cert foreign.crt --issuer other.crt
exits "no certificate" 2 c ocsp import good.der --issuer root.crt
exits "no issuer" 2 c ocsp import good.der --cert alice.crt
exits "no response" 2 import empty.der alice.crt
exits "the list" 0 c ocsp list
like "has both" "$(cat out)" 'good +root .*revoked +root'
is "as JSON" "$(c ocsp list --json | jq -c '[.ocsp[] | [.status, .reason, .source]]')" \
	'[["good",0,"good.der"],["revoked",1,"revoked.der"]]'
for p in alice bob; do
	c identity add $p >/dev/null
	c enroll $p $p.crt >/dev/null
	c access allow $p $p --service sshd >/dev/null
done
exits "a login by it" 0 c test --cert alice.crt --account alice --service sshd
like "says so" "$(cat out)" "revocation +good by the OCSP answer of good.der"
exits "and none by the other" 1 c test --cert bob.crt --account bob --service sshd
like "says so" "$(cat out)" "revocation +it was revoked at .*keyCompromise"
exits "stale after its time" 1 c test --cert alice.crt --account alice --service sshd --at +5d
like "says so" "$(cat out)" "revocation +the OCSP answer of good.der of .* should have been replaced"
exits "let pass where the anchor is soft" 0 c anchor set root --revocation soft
exits "a stale answer" 0 c test --cert alice.crt --account alice --service sshd --at +5d
exits "but no revocation" 1 c test --cert bob.crt --account bob --service sshd --at +5d
exits "within a time of grace" 0 c anchor set root --revocation grace --grace-hours 240
exits "it counts" 0 c test --cert alice.crt --account alice --service sshd --at +5d
exits "beyond it" 0 c anchor set root --revocation grace --grace-hours 24
exits "it does not" 1 c test --cert alice.crt --account alice --service sshd --at +5d
is "in the audit" "$(c audit list --kind admin.ocsp --json | jq -r '.events[].kind' | xargs)" "admin.ocsp.import admin.ocsp.import"
done_testing
