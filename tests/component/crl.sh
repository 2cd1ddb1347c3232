#!/bin/bash
# Revocation lists against a real certlogind: what is taken, what is refused, and what it does to logins.
. "${top_srcdir:?}/tests/harness/tap.sh"
. "$top_srcdir/tests/harness/daemon.sh"
[ "$(id -u)" = 0 ] || skip_all "root alone administers"
cd "$TAP_TMP" || exit 1
mkdir ca

# --- a PKI: root, two keys of one intermediate, people ---
cat >ca.cnf <<'X'
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[mute]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[person]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[signer]
keyUsage = critical,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[crl]
authorityKeyIdentifier = keyid
[critical]
1.2.3.4 = critical,ASN1:NULL
[onlyca]
issuingDistributionPoint = critical,@onlyca_idp
[onlyca_idp]
onlyCA = TRUE
[indirect]
issuingDistributionPoint = critical,@indirect_idp
[indirect_idp]
indirectCRL = TRUE
[default]
X
key() { openssl ecparam -name prime256v1 -genkey -noout -out "ca/$1.key" 2>/dev/null; }
serial=16
# issue NAME SUBJECT SECTION ISSUER [days]
issue() {
	serial=$((serial + 1))
	[ -e "ca/$1.key" ] || key "$1"
	openssl req -new -key "ca/$1.key" -subj "$2" -config ca.cnf |
		openssl x509 -req -CA "ca/$4.crt" -CAkey "ca/$4.key" -set_serial $serial -days "${5:-30}" \
			-extfile ca.cnf -extensions "$3" -out "ca/$1.crt" 2>/dev/null
	echo $serial >"ca/$1.serial"
}
key root
openssl req -x509 -new -key ca/root.key -subj "/O=Test/CN=Root" -days 60 -config ca.cnf -extensions root -out ca/root.crt
issue sub "/O=Test/CN=Issuing" ca root
issue sub2 "/O=Test/CN=Issuing" ca root # the same name, another key
issue mute "/O=Test/CN=Mute" mute root
issue service "/O=Test/CN=Issuing" signer root # signs lists of sub and sub2, and issues nothing
issue evil "/O=Test/CN=Issuing" signer mute # a name that is not mute's
issue alice "/CN=alice" person sub
issue bob "/CN=bob" person sub2
issue carol "/CN=carol" person mute

# crl CA NUMBER OUT [SECTION] [-crldays N | ...] < lines of "NAME REASON [YYMMDDHHMMSSZ]"
crl() {
	local ca=$1 number=$2 out=$3 section=${4:-crl} name reason date
	shift 4 || shift $#
	: >"ca/index"
	echo 'unique_subject = no' >ca/index.attr
	while read -r name reason date; do
		printf 'R\t491231235959Z\t%s,%s\t%02X\tunknown\t/CN=%s\n' "${date:-$(date -u +%y%m%d%H%M%SZ)}" "$reason" \
			"$(cat "ca/$name.serial")" "$name" >>ca/index
	done
	printf '%02X\n' "$number" >ca/number
	cat >ca/ca.cnf <<-X
		[ca]
		default_ca = it
		[it]
		database = ca/index
		crlnumber = ca/number
		certificate = ca/$ca.crt
		private_key = ca/$ca.key
		default_md = sha256
		default_crl_days = 10
		crl_extensions = $section
	X
	sed '/^\[default\]/,$d' ca.cnf >>ca/ca.cnf
	openssl ca -config ca/ca.cnf -gencrl -out "$out" "$@" 2>ca/err || { diag "$(cat ca/err)"; return 1; }
}
import() { cl --json crl import "$@"; }
login() { # NAME [CHAIN]: what the decision says, "allowed" or the reason
	cat "ca/$1.crt" "ca/${2:-sub}.crt" >ca/chain.pem
	cl --json test --cert ca/chain.pem --account "$1" --service sshd | jq -r 'if .allowed then "allowed" else .reason end'
}
warnings() { cl --json status | jq -r '.status.warnings[] | .level + " " + .about'; }
refused() { # NAME WHY CMD...
	local name=$1 why=$2
	shift 2
	exits "$name" 1 "$@"
	like "$name: why" "$(cat "$TAP_TMP/out" "$TAP_TMP/err")" "$why"
}

daemon_start || { not_ok "certlogind starts"; done_testing; }
cl anchor add root ca/root.crt >/dev/null
for p in alice bob carol; do
	cl identity add $p >/dev/null
	cl enroll $p ca/$p.crt >/dev/null
	cl access allow $p $p --service sshd >/dev/null
done

# --- without lists ---
is "no list: alice" "$(login alice)" allowed
is "no list: bob" "$(login bob sub2)" allowed
is "no list: nothing to see to" "$(warnings)" ""
cl anchor set root --revocation hard >/dev/null
is "no list, where one is asked for" "$(login alice) $(warnings)" "revocation error root"
cl anchor set root --revocation auto >/dev/null
like "status says that nothing is known" "$(cl crl status 2>&1)" "no revocation lists"

# --- what is refused ---
crl sub 1 good.pem </dev/null
refused "unknown signer" "no certificate of its issuer" import good.pem
crl mute 1 mute.pem </dev/null
refused "signer without cRLSign" "cRLSign" import mute.pem --signer ca/mute.crt
echo nonsense >none.pem
exits "no CRL at all" 2 import none.pem
printf '\x30\x03\x02\x01\x05' >bad.der
refused "DER that is none" "cannot be read as a CRL" import bad.der
openssl crl -in good.pem -outform DER -out good.der
python3 - <<'X'
d = bytearray(open("good.der", "rb").read()); d[-1] ^= 1; open("flipped.der", "wb").write(d)
X
refused "a signature with one bit changed" "signature does not verify" import flipped.der --signer ca/sub.crt
crl sub 1 critical.pem critical </dev/null
refused "a critical extension" "critical extension" import critical.pem --signer ca/sub.crt
crl sub 1 indirect.pem indirect </dev/null
refused "an indirect list" "indirect" import indirect.pem --signer ca/sub.crt
crl sub 1 future.pem crl -crl_lastupdate 20480101000000Z -crl_nextupdate 20480201000000Z </dev/null
refused "one from the future" "future" import future.pem --signer ca/sub.crt
refused "an anchor that there is not" "anchor" import good.pem --signer ca/sub.crt --anchor none
issue foreign "/O=Test/CN=Foreign" ca sub
openssl req -x509 -new -key ca/foreign.key -subj "/O=Test/CN=Foreign" -days 60 -config ca.cnf -extensions root -out ca/foreign.crt
crl foreign 1 foreign.pem </dev/null
refused "a list of a CA that leads to no anchor" "no good path" import foreign.pem --signer ca/foreign.crt
crl evil 1 evil.pem </dev/null
refused "a list by somebody who certified the name himself" "speaks for no CA" import evil.pem --signer ca/evil.crt --signer ca/mute.crt \
	--signer ca/sub.crt
is "nothing of these was taken" "$(cl --json crl status | jq '.crls | length')" 0
is "and logins go on" "$(login alice)" allowed

# --- a list, and what it does ---
crl sub 1 one.pem <<<"alice keyCompromise"
exits "a list" 0 import one.pem --signer ca/sub.crt
is "has its numbers" "$(jq -r '.crls[0] | [.anchor, .issuer, .number, .entries] | join(" ")' out)" "root CN=Issuing,O=Test 01 1"
is "alice is revoked" "$(login alice)" revoked
# an intermediate is asked for by the root's list: there never was one, so it is let pass
is "bob, of the other key of the name, has no list" "$(login bob sub2)" revocation
is "carol, of another name" "$(login carol mute)" allowed
crl sub2 1 two.pem </dev/null
exits "the list of the other key" 0 import two.pem --signer ca/sub2.crt
is "bob is good" "$(login bob sub2)" allowed
cl --json test --cert ca/bob.crt --account bob --service sshd >out
like "explained with number and time" "$(cl test --cert <(cat ca/bob.crt ca/sub2.crt) --account bob --service sshd)" \
	"revocation +not on CRL 01 of CN=Issuing"
like "the table" "$(cl crl status)" "root +CN=Issuing,O=Test +01 +1 .*fresh"
is "audited with who did it" "$(cl --json audit list --kind admin.crl --last 1 | jq -r '.events[0] | [.kind, .source, .detail.number] | join(" ")')" \
	"admin.crl.import uid 0 01"

# --- a known revocation stays ---
crl sub 2 without.pem </dev/null
exits "a newer list without alice" 0 import without.pem --signer ca/sub.crt
is "alice stays revoked" "$(login alice)" revoked
crl sub 1 old.pem </dev/null
refused "rollback to an older list" "older than the one at hand" import old.pem --signer ca/sub.crt
exits "the same list again" 0 import without.pem --signer ca/sub.crt

# --- hold and release ---
crl sub2 2 hold.pem <<<"bob certificateHold"
exits "a hold" 0 import hold.pem --signer ca/sub2.crt
is "bob is held" "$(login bob sub2)" revoked
crl sub 3 other.pem </dev/null
exits "the other key's list" 0 import other.pem --signer ca/sub.crt
is "releases nothing of this one's" "$(login bob sub2)" revoked
crl sub2 3 release.pem </dev/null
exits "a newer list without it" 0 import release.pem --signer ca/sub2.crt
is "bob is released" "$(login bob sub2)" allowed
crl sub2 4 hold.pem <<<"bob certificateHold"
import hold.pem --signer ca/sub2.crt >/dev/null
crl sub2 5 more.pem <<<"bob keyCompromise"
import more.pem --signer ca/sub2.crt >/dev/null
crl sub2 6 release.pem </dev/null
import release.pem --signer ca/sub2.crt >/dev/null
is "what became more than a hold stays" "$(login bob sub2)" revoked

# --- it survives: a restart, kill -9 ---
daemon_stop
daemon_start || not_ok "starts again"
is "after a restart" "$(login alice) $(login bob sub2)" "revoked revoked"
daemon_stop KILL
daemon_start || not_ok "starts after kill -9"
is "after kill -9" "$(login alice) $(login bob sub2)" "revoked revoked"

# --- stale ---
issue dave "/CN=dave" person sub
cl identity add dave >/dev/null
cl enroll dave ca/dave.crt >/dev/null
cl access allow dave dave --service sshd >/dev/null
is "dave" "$(login dave)" allowed
crl sub 7 short.pem crl -crlsec 2 </dev/null
exits "a short list" 0 import short.pem --signer ca/sub.crt
is "is fresh" "$(login dave)" allowed
sleep 3
is "and stale after its nextUpdate" "$(login dave)" revocation
is "alice is revoked by whatever is known" "$(login alice)" revoked
like "shown as stale" "$(cl crl status)" STALE
like "status: an error, with what to do" "$(cl status)" \
	'error: root: the revocation list of CN=Issuing,O=Test should have been replaced: 20.*certlogin fetch'
is "and for scripts" "$(warnings)" "error root"
cl anchor set root --revocation soft >/dev/null
is "where it denies nobody: a warning" "$(warnings)" "warning root"
cl anchor set root --revocation auto >/dev/null

# --- scope ---
crl sub 8 onlyca.pem onlyca </dev/null
exits "a list about CAs alone" 0 import onlyca.pem --signer ca/sub.crt
is "says nothing about people" "$(login dave)" revocation
crl sub 9 full.pem </dev/null
exits "a full one" 0 import full.pem --signer ca/sub.crt
is "does" "$(login dave)" allowed

# --- a signer of its own, certified by the CA's issuer ---
crl sub 10 short2.pem crl -crlsec 1 </dev/null
import short2.pem --signer ca/sub.crt >/dev/null
sleep 2
is "stale again" "$(login dave)" revocation
crl service 1 service.pem </dev/null
refused "its list, where the CA is not known" "speaks for no CA" import service.pem --signer ca/service.crt
exits "its list" 0 import service.pem --signer ca/service.crt --signer ca/sub.crt
is "is as good" "$(login dave)" allowed
is "and what it took over is no worry" "$(warnings)" ""

# --- the CA above ---
crl root 1 root.pem <<<"sub superseded"
exits "the root's list revokes the intermediate" 0 import root.pem
is "its people are out" "$(login dave)" revoked
refused "and so are its lists" "signer is revoked" import full.pem --signer ca/sub.crt

# --- forget ---
exits "forget asks" 1 cl crl forget root
exits "forget" 0 cl crl forget root --yes
is "nothing is known any more" "$(login dave) $(login alice)" "allowed allowed"
is "audited" "$(cl --json audit list --kind admin.crl.forget | jq '.events | length')" 1
exits "forget what is not there" 1 cl crl forget none --yes
cl anchor remove root >/dev/null
is "without its anchor" "$(login dave)" foreign-ca
daemon_stop
done_testing
