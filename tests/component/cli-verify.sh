#!/bin/bash
# certlogin verify: what it takes, what it refuses and how it says so.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:-.}/tests/harness/tap.sh"
bin=$(cd "${top_builddir:-.}" && pwd)/certlogin
cd "$TAP_TMP" || exit 1
verify() { "$bin" verify --utc "$@"; }
ok_exit() { exits "$1" 0 verify "${@:2}"; }
no_exit() { exits "$1" 1 verify "${@:2}"; like "$1: why" "$(cat out)" "REJECTED: $why"; }

key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ca() { # NAME ISSUER EXTENSIONS: a CA's certificate
	printf 'basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n%s\n' "$3" >"$1.ext"
	issue "$@"
}
leaf() { # NAME ISSUER EXTENSIONS
	printf '%s\n' "$3" >"$1.ext"
	issue "$@"
}
issue() {
	# shellcheck disable=SC2086
	openssl req -new $key -subj "/C=DE/CN=$1" -keyout "$1.key" 2>/dev/null |
		openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
	cat "$1.crt" "$2.chain" >"$1.chain" 2>/dev/null
}
# shellcheck disable=SC2086
openssl req -x509 $key -subj /CN=Root -days 60 -keyout root.key -out root.crt 2>/dev/null
# shellcheck disable=SC2086
openssl req -x509 $key -subj /CN=Other -days 60 -keyout other.key -out other.crt 2>/dev/null
: >root.chain
client=extendedKeyUsage=clientAuth
ca sub root ""
leaf alice sub "$client"
ok_exit "a chain to an anchor" --anchor root.crt --chain alice.chain
like "says so" "$(cat out)" ACCEPTED
ok_exit "in several files" --anchor other.crt --anchor root.crt --chain alice.crt --chain sub.crt
openssl x509 -in sub.crt -outform DER -out sub.der
ok_exit "DER" --anchor root.crt --chain alice.crt --chain sub.der
ok_exit "an intermediate as anchor" --anchor sub.crt --chain alice.crt
verify --anchor root.crt --chain alice.chain --json >json
is "JSON" "$(jq -c '[.accepted, [.checks[] | .check + " " + .result]]' json)" \
	'[true,["chain passed","validity passed","depth passed","usage passed"]]'
ok_exit "depth of one" --anchor root.crt --chain alice.chain --max-depth 1
why='1 intermediate CAs' no_exit "depth of none" --anchor root.crt --chain alice.chain --max-depth 0
why='no path' no_exit "foreign CA" --anchor other.crt --chain alice.chain
why='no path' no_exit "no intermediate" --anchor root.crt --chain alice.crt
why='.*has expired' no_exit "later" --anchor root.crt --chain alice.chain --at 2199-01-01
why='.*not valid yet' no_exit "earlier" --anchor root.crt --chain alice.chain --at 2001-01-01
leaf server sub extendedKeyUsage=serverAuth
why='.*extended key usage' no_exit "a server" --anchor root.crt --chain server.chain
why='.*CA' no_exit "a CA as leaf" --anchor root.crt --chain sub.crt --purpose clientAuth
ok_exit "a CA's path, for no purpose" --anchor root.crt --chain sub.crt
leaf none sub subjectKeyIdentifier=hash
ok_exit "no EKU, no purpose" --anchor root.crt --chain none.chain
why='.*no extended key usage' no_exit "no EKU for a purpose" --anchor root.crt --chain none.chain --purpose clientAuth
ok_exit "no EKU where it is allowed" --anchor root.crt --chain none.chain --purpose clientAuth --allow eku-missing
ok_exit "a purpose that is named" --anchor root.crt --chain alice.chain --purpose clientAuth
leaf any sub extendedKeyUsage=clientAuth,anyExtendedKeyUsage
why='.*anyExtendedKeyUsage' no_exit "any EKU" --anchor root.crt --chain any.chain
ok_exit "any EKU where it is allowed" --anchor root.crt --chain any.chain --allow form --allow eku-any
leaf ill sub "$client
subjectAltName=DNS:a_b.example"
why='.*breaks a rule' no_exit "bad form" --anchor root.crt --chain ill.chain --allow eku-any --allow eku-missing
ok_exit "bad form where it is allowed" --anchor root.crt --chain ill.chain --allow form
exits "an allowance that is none" 2 verify --anchor root.crt --chain alice.chain --allow all

cp root.crt ca0.crt && cp root.key ca0.key && : >ca0.chain
for i in 1 2 3 4 5 6 7 8 9 10; do ca ca$i ca$((i - 1)) ""; done
leaf deep ca9 "$client"
leaf deeper ca10 "$client"
ok_exit "ten certificates above the leaf" --anchor root.crt --chain deep.chain
why='no path' no_exit "eleven" --anchor root.crt --chain deeper.chain
ok_exit "below one that is trusted" --anchor ca1.crt --chain deeper.chain --max-depth 10

ca constrained root "nameConstraints=critical,permitted;DNS:example.com,excluded;email:evil.org"
leaf inside constrained "$client
subjectAltName=DNS:a.example.com,email:a@b.org"
leaf outside constrained "$client
subjectAltName=DNS:a.example.org"
leaf mail constrained "$client
subjectAltName=email:a@evil.org"
ok_exit "a permitted name" --anchor root.crt --chain inside.chain
why='.*name constraints' no_exit "a name outside" --anchor root.crt --chain outside.chain
why='.*name constraints' no_exit "an excluded name" --anchor root.crt --chain mail.chain
ca explicit root "certificatePolicies=1.2.3
policyConstraints=critical,requireExplicitPolicy:0"
leaf with explicit "$client
certificatePolicies=1.2.3"
leaf without explicit "$client"
ok_exit "the policy that is required" --anchor root.crt --chain with.chain
why='.*policy' no_exit "no policy" --anchor root.crt --chain without.chain

{ echo "-----BEGIN CERTIFICATE-----"; echo AAAA; echo "-----END CERTIFICATE-----"; } >junk.pem
why='.*no certificate' no_exit "a leaf that is none" --anchor root.crt --chain junk.pem
ok_exit "an intermediate that is none is left out" --anchor root.crt --chain alice.chain --chain junk.pem
exits "an anchor that is none" 2 verify --anchor junk.pem --chain alice.chain
echo text >text
exits "no certificates" 2 verify --anchor root.crt --chain text
exits "no such file" 2 verify --anchor root.crt --chain /nonexistent
exits "no anchor" 2 verify --chain alice.chain
exits "no chain" 2 verify --anchor root.crt
exits "another purpose" 2 verify --anchor root.crt --chain alice.chain --purpose codeSigning
exits "a depth that is none" 2 verify --anchor root.crt --chain alice.chain --max-depth -1
done_testing
