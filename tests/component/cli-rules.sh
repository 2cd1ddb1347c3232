#!/bin/bash
# Mapping rules against a real daemon, with certificates that openssl made.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:?}/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "$top_srcdir/tests/harness/daemon.sh"
top=$(cd "${top_builddir:-.}" && pwd)
command -v jq >/dev/null || skip_all "jq is needed"
[ "$(id -u)" = 0 ] || skip_all "root is needed: rules are root's"
cd "$TAP_TMP" || exit 1
mkdir state etc
export LC_ALL=C.UTF-8
c() { cl "$@"; }

# --- certificates ---
ca() { # NAME CN
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/DC=org/O=Example, Inc/CN=$2" -days 9 -keyout "$1.key" \
		-out "$1.crt" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}
leaf() { # CA NAME SUBJECT SAN [EXTENSION...]
	local issuer=$1 name=$2 subject=$3 san=$4
	shift 4
	printf '%s\n' 'basicConstraints=CA:FALSE' 'keyUsage=critical,digitalSignature' \
		'extendedKeyUsage=clientAuth,1.3.6.1.4.1.311.20.2.2' ${san:+"subjectAltName=$san"} "$@" >"$name.ext"
	cat >>"$name.ext" <<-X
		[krb]
		realm=EXP:0,GENERALSTRING:R.EXAMPLE
		name=EXP:1,SEQUENCE:krbname
		[krbname]
		type=EXP:0,INTEGER:1
		string=EXP:1,SEQUENCE:krbstring
		[krbstring]
		one=GENERALSTRING:erin
		[sid]
		one=IMP:0,SEQUENCE:sidname
		[sidname]
		type=OID:1.3.6.1.4.1.311.25.2.1
		value=EXP:0,FORMAT:ASCII,OCTETSTRING:S-1-5-21-1-2-3-1104
	X
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "$subject" 2>/dev/null
	openssl x509 -req -in "$name.csr" -CA "$issuer.crt" -CAkey "$issuer.key" -CAcreateserial -days 5 -extfile "$name.ext" \
		-out "$name.crt" 2>/dev/null
}
ca people "People CA"
ca other "Other CA"
leaf people alice /DC=org/OU=Staff/CN=alice email:alice@b.example
leaf people bob /CN=bob 'otherName:1.3.6.1.4.1.311.20.2.3;UTF8:bob@C.Example,email:robert@b.example'
leaf people erin /CN=erin 'otherName:1.3.6.1.5.2.2;SEQUENCE:krb'
leaf people sam /CN=sam '' '1.3.6.1.4.1.311.25.2=ASN1:SEQUENCE:sid' certificatePolicies=1.2.3.4
leaf people dora /CN=dora 'URI:https://id.example/dora,DNS:dora.example,IP:192.0.2.7,dirName:dir'
printf '[dir]\nDC=org\nCN=Dora\n' >>dora.ext
openssl x509 -req -in dora.csr -CA people.crt -CAkey people.key -CAcreateserial -days 5 -extfile dora.ext -out dora.crt 2>/dev/null
leaf people twice /CN=twice email:alice@b.example,email:bob@b.example
leaf people mallory '/CN=mallory' email:alice@evil.example
leaf other alice2 /CN=alice email:alice@b.example
for f in alice bob erin sam dora twice mallory alice2; do [ -s $f.crt ] || not_ok "certificate $f"; done

# --- no daemon, and wrong usage ---
exits "list without a daemon" 3 c rule list
exits "without its options" 2 c rule add x --anchor people
exits "a name that is none" 2 c rule add 'a b' --anchor people --match '<SUBJECT>x' --yield x
exits "a place that is none" 2 c rule add x --anchor people --match '<SUBJECT>x' --yield x --position 0
exits "test without a file" 2 c rule test

# --- the daemon ---
serve() { daemon_start || { not_ok "the daemon answers"; done_testing; }; }
serve

for n in alice bob erin S-1-5-21-1-2-3-1104 dora staff; do c identity add $n >/dev/null || not_ok "identity $n"; done
c anchor add people people.crt >/dev/null
c anchor add other other.crt >/dev/null
c service set sudo --class elevate >/dev/null
c access allow alice alice --service sudo >/dev/null
c access allow alice root --service sudo >/dev/null
c access allow staff shared --service sudo >/dev/null
decides() { # NAME CODE TEXT CERT ACCOUNT
	exits "$1" "$2" c test --cert "$4" --account "$5" --service sudo
	like "$1: says so" "$(cat out)" "$3"
}
maps() { # CERT NAME: by the rules that there are
	is "$1 is mapped to ${2:-nobody}" "$(c rule test --json "$1.crt" | jq -r '.identities | join(" ")')" "$2"
}
decides "no rule, no identity" 1 'not-enrolled' alice.crt alice
exits "no rules" 0 c rule list
like "says so" "$(cat err)" 'no rules'

# --- what is refused ---
refused() { # TEXT ARG...
	local text=$1
	shift
	exits "refused: $*" 2 c rule add x --anchor people "$@"
	like "says why" "$(cat err)" "$text"
}
refused 'byte 9: not a regular expression' --match '<SUBJECT>(' --yield x
refused 'byte 0: rules of type LDAP' --match 'LDAP:(uid={x})' --yield x
refused 'byte 10: unknown component <FOO>' --match '<SUBJECT>x<FOO>y' --yield x
refused 'needs the domains' --match '<SUBJECT>x' --yield '{mail.local}'
refused 'unknown field .whoami.' --match '<SUBJECT>x' --yield '{whoami}'
refused 'cannot be a domain' --match '<SUBJECT>x' --yield '{mail}' --domain '*.example'
exits "an anchor that there is not" 1 c rule add x --anchor nobody --match '<SUBJECT>x' --yield x
is "none was added" "$(c rule list --json | jq '.rules | length')" 0

# --- as SSSD has them ---
exits "add" 0 c rule add mail --anchor people --match 'KRB5:<ISSUER>^CN=People CA,O=Example\\, Inc,DC=org$<SAN:rfc822Name>.*@b\.example$' \
	--yield '{mail.local}' --domain B.example
exits "again" 1 c rule add mail --anchor people --match '<SUBJECT>x' --yield x
exits "test" 0 c rule test alice.crt
like "says it" "$(cat out)" 'mail: yields alice'
maps alice alice
maps bob ""
maps mallory ""
maps alice2 ""
exits "ambiguous" 1 c rule test twice.crt
like "says why" "$(cat out)" 'yields nobody: the certificate has more than one rfc822Name'
exits "another anchor's" 1 c rule test alice2.crt
like "says whose" "$(cat out)" "does not match <ISSUER>.*of anchor people: not this path's"
c rule add upn --anchor people --match '<SAN:ntPrincipalName>@C\.Example$<EKU>msScLogin,clientAuth<KU>digitalSignature' \
	--yield '{upn.local}' --domain c.example --position 1 >/dev/null
maps bob bob
c rule add krb --anchor people --match '<SAN:pkinit>^erin@R\.EXAMPLE$' --yield '{krb.local}' --domain R.EXAMPLE >/dev/null
maps erin erin
c rule add sid --anchor people --match '<SID>S-1-5-21-1-2-3-1104<POLICY>1.2.3.4' --yield '{sid}' >/dev/null
maps sam S-1-5-21-1-2-3-1104
c rule add uri --anchor people --yield '{uri.path}' \
	--match '<SAN:uniformResourceIdentifier>^https://id\.example/<SAN:dNSName>dora<SAN:iPAddress>^192\.0\.2\.7$' >/dev/null
maps dora dora
is "their order" "$(c rule list --json | jq -r '[.rules[].name] | join(" ")')" "upn mail krb sid uri"
exits "list" 0 c rule list
like "as a table" "$(cat out)" 'mail +people +stop +\{mail.local\} +B.example +KRB5:'

# --- decisions ---
decides "mapped" 0 'mapped to alice by rule mail' alice.crt alice
decides "never to root" 1 'root-by-rule' alice.crt root
c enroll alice alice.crt >/dev/null
decides "enrolled: to root" 0 'enrolled for alice' alice.crt root
c unenroll alice.crt >/dev/null
c identity disable alice >/dev/null
decides "disabled" 1 'identity-disabled' alice.crt alice
c identity enable alice >/dev/null
c rule add first --anchor people --match '<SUBJECT>^CN=alice,OU=Staff,DC=org$' --yield staff --position 1 --continue >/dev/null
decides "who may use the account" 0 'mapped to staff by rule first' alice.crt shared
decides "who may use the other account" 0 'mapped to alice by rule mail' alice.crt alice
maps alice "staff alice"
c rule remove first >/dev/null
c rule add wall --anchor people --match '<SUBJECT>^CN=alice,' --yield nobody --position 1 >/dev/null
decides "the first that matches" 1 'rule wall yields nobody' alice.crt alice
daemon_stop
serve
decides "also after a restart" 1 'rule wall yields nobody' alice.crt alice
exits "remove" 0 c rule remove wall
exits "what is gone" 1 c rule remove wall
decides "mapped again" 0 'mapped to alice by rule mail' alice.crt alice
is "the record has it" "$(c audit list --kind admin.rule --json | jq -r '[.events[].kind] | unique | join(" ")')" \
	"admin.rule.add admin.rule.remove"
c anchor remove people >/dev/null
decides "without its anchor" 1 'foreign-ca' alice.crt alice
is "its rules went with it" "$(c rule list --json | jq '.rules | length')" 0
done_testing
