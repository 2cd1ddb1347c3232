#!/bin/bash
# certlogin import against a real certlogind: what is shown, what is done, and that a second run does nothing.
. "${top_srcdir:?}/tests/harness/tap.sh"
. "$top_srcdir/tests/harness/daemon.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root (the daemon's administrator)"
for tool in python3 jq ssh-keygen; do command -v $tool >/dev/null || skip_all "$tool is needed"; done
bin=${certlogin:-$daemon_bin/certlogin}
export LC_ALL=C.UTF-8
d=$TAP_TMP
cd "$d" || exit 1
mkdir certs maps

c() { cl "$@"; }
# what is in the daemon, without times
state() { { c identity list --json; c access list --json; } | jq -c 'del(.. | .created?)'; }
refused() { like "left out: $1" "$(jq -r '.refusals[] | "\(.line) \(.why)"' out)" "$2"; }
ops() { jq -c '[.operations[] | [.op, .identity, .state]]' out; }

for key in ed25519 ecdsa rsa; do
	ssh-keygen -q -t $key -N '' -f key-$key
	"$bin" --config-dir "$d/etc" ca create >/dev/null 2>&1
	"$bin" --config-dir "$d/etc" ca issue "$key" --pubkey key-$key.pub --out "$d/certs/$key" >/dev/null
done
{
	echo "# keys of alice"
	cat key-ed25519.pub
	echo "from=\"10.0.0.0/8\" $(cat key-rsa.pub)"
	cat key-ecdsa.pub
	echo "cert-authority $(cat key-rsa.pub)"
	echo "sk-ssh-ed25519@openssh.com AAAA"
} >keys

# --- before there is a daemon ---
exits "dry run without a daemon" 0 c import authorized-keys keys --identity alice --cert-dir certs --dry-run --json
is "the plan" "$(ops)" '[["identity","alice","new"],["enroll","alice","new"],["enroll","alice","new"]]'
exits "not without one" 3 c import authorized-keys keys --identity alice --cert-dir certs --yes
exits "no identity is said" 2 c import authorized-keys keys --cert-dir certs --dry-run
exits "JSON does not ask" 2 c import authorized-keys keys --identity alice --json
exits "no such file" 4 c import authorized-keys none --identity alice --dry-run
exits "no such certificate" 4 c import authorized-keys keys --identity alice --cert none --dry-run
exits "bad service" 2 c import authorized-keys keys --identity alice --service 'a b' --dry-run
daemon_start || { not_ok "the daemon answers"; done_testing; }
for ((i = 0; i < 200; i++)); do c status >/dev/null 2>&1 && break; sleep 0.05; done
before=$(state)

# --- authorized_keys ---
exits "dry run" 0 c import authorized-keys keys --identity alice --cert-dir certs --dry-run
is "changes nothing" "$(state)" "$before"
like "shows what and from where" "$(cat out)" 'new +enroll alice: CN=ed25519 +keys:2'
like "shows what is left out, and why" "$(cat out)" $'Not carried over:.*\nkeys:3: ssh-rsa\n +the option from cannot'
exits "nobody to ask" 1 setsid "$bin" --runtime-dir "$d/run" import authorized-keys keys --identity alice --cert-dir certs </dev/null
like "says so" "$(cat err)" "nothing was changed"
is "changes nothing" "$(state)" "$before"
exits "yes" 0 c import authorized-keys keys --identity alice --cert-dir certs --yes --json
is "did it" "$(ops)" '[["identity","alice","new"],["enroll","alice","new"],["enroll","alice","new"]]'
is "says so" "$(jq .applied out)" true
refused "a restricted key" '3 the option from'
refused "a CA" '5 OpenSSH certificates'
refused "a FIDO key" '6 a FIDO key'
is "no access by itself" "$(c access list --json | jq '.access | length')" 0
is "the certificates are enrolled" "$(c identity show alice --json | jq '.certificates | length')" 2
after=$(state)
exits "again" 0 c import authorized-keys keys --identity alice --cert-dir certs --yes --json
is "all is there" "$(jq -c '[.operations[].state] | unique' out)" '["present"]'
is "changes nothing" "$(state)" "$after"
exits "with access" 0 c import authorized-keys keys --identity alice --cert-dir certs --service sshd --yes
is "it is to the account of the name" "$(c access list --json | jq -c '[.access[] | [.identity, .account, .service]]')" \
	'[["alice","alice","sshd"]]'
exits "somebody else's key" 0 c import authorized-keys keys --identity bob --cert-dir certs --yes --json
refused "it is alice's" '2 its key is enrolled for alice'
is "and nobody was added" "$(ops)" '[]'
exits "uid 0" 0 c import authorized-keys keys --identity root --cert-dir certs --yes --json
refused "uid 0" '2 uid 0 is never imported'
is "nothing is done" "$(ops)" '[]'
echo "expiry-time=\"20500101Z\" $(cat key-rsa.pub)" >ends
exits "a key that ends" 0 c import authorized-keys ends --identity carol --cert certs/rsa.crt --service sshd --yes
is "its access ends" "$(c access list carol --json | jq '.access[0].notAfter')" 2524608000000000
exits "again" 0 c import authorized-keys ends --identity carol --cert certs/rsa.crt --service sshd --yes --json
is "all is there" "$(jq -c '[.operations[].state] | unique' out)" '["present"]'
c unenroll certs/rsa.crt >/dev/null

# --- pam_pkcs11: digest ---
digest() { openssl x509 -in "$1" -outform DER | openssl dgst "-$2" -c | sed 's/.*= //' | tr a-f A-F; }
"$bin" --config-dir "$d/etc" ca issue dave --out "$d/certs/dave" >/dev/null
cat >pkcs11.conf <<'X'
pam_pkcs11 {
	use_pkcs11_module = opensc;
	pkcs11_module opensc { ca_dir = /etc/pam_pkcs11/cacerts; cert_policy = signature; }
	use_mappers = digest, pwent, null;
	mapper digest {
		algorithm = "sha256";
		mapfile = file:///etc/pam_pkcs11/digest_mapping;
	}
	mapper null { default_match = false; }
}
X
{ echo "# digests"; echo "$(digest certs/dave.crt sha256) -> dave"; echo "$(digest certs/dave.crt sha1) -> eve"; } \
	>maps/digest_mapping
exits "digests" 0 c import pam_pkcs11 --config pkcs11.conf --mapdir maps --cert-dir certs --service sudo --yes --json
is "did it" "$(ops)" '[["identity","dave","new"],["enroll","dave","new"],["access","dave","new"]]'
is "from the map" "$(jq -r '.operations[0] | "\(.file):\(.line)"' out)" "maps/digest_mapping:2"
refused "a hash of another kind" '3 .* is no sha256 hash'
refused "the mapper that reads GECOS" '4 .*GECOS'
like "the CA is somebody's to add" "$(jq -r '.refusals[] | select(.kind == "setting") | .why' out)" 'WARNING.*|anchor add'
exits "again" 0 c import pam_pkcs11 --config pkcs11.conf --mapdir maps --cert-dir certs --service sudo --yes --json
is "all is there" "$(jq -c '[.operations[].state] | unique' out)" '["present"]'
exits "without the certificate" 0 c import pam_pkcs11 --config pkcs11.conf --mapdir maps --dry-run --json
refused "a hash alone" '2 no given certificate'
exits "a map that is not there" 0 c import pam_pkcs11 --config pkcs11.conf --mapdir state --dry-run --json
refused "the whole mapper" 'cannot be read'
echo 'pam_pkcs11 { use_mappers = digest;' >broken.conf
exits "a configuration that cannot be read" 0 c import pam_pkcs11 --config broken.conf --dry-run --json
refused "all of it" 'a block is not closed: nothing is taken'

# --- pam_pkcs11: the users' own files ---
homes() { # in a namespace of its own, with other users
	cat >passwd <<-X
		root:x:0:0::$d/home/root:/bin/sh
		toor:x:0:0::$d/home/toor:/bin/sh
		frank:x:4801:4801::$d/home/frank:/bin/sh
		grace:x:4802:4802::$d/home/grace:/bin/sh
		heidi:x:4803:4803::$d/home/heidi:/bin/sh
	X
	unshare -m -- timeout 20 /bin/bash -c 'mount --bind "$1/passwd" /etc/passwd && shift && exec "$@"' - "$d" "$bin" \
		--runtime-dir "$d/run" "$@"
}
if unshare -m true 2>/dev/null; then
	for u in root:0 toor:0 frank:4801 grace:4802 heidi:4803; do
		mkdir -p "home/${u%:*}/.ssh" "home/${u%:*}/.eid"
		cp key-rsa.pub "home/${u%:*}/.ssh/authorized_keys"
		chown -R "${u#*:}" "home/${u%:*}"
	done
	echo 'pam_pkcs11 { use_mappers = openssh, opensc; }' >homes.conf
	exits "one key in several homes" 0 homes import pam_pkcs11 --config homes.conf --cert-dir certs --dry-run --json
	is "is nobody's" "$(ops)" '[]'
	refused "both claims" '1 its key is that of'
	refused "uid 0" '1 uid 0'
	rm home/{root,toor,heidi,grace}/.ssh/authorized_keys
	cp certs/ed25519.crt home/grace/.eid/authorized_certificates # alice's
	chown 4802 home/grace/.eid/authorized_certificates
	"$bin" --config-dir "$d/etc" ca issue heidi --out "$d/home/heidi/h" >/dev/null
	mv home/heidi/h.crt home/heidi/.eid/authorized_certificates
	chown 4803 home/heidi/.eid/authorized_certificates
	exits "homes" 0 homes import pam_pkcs11 --config homes.conf --cert-dir certs --yes --json
	is "did it" "$(ops)" \
		'[["identity","frank","new"],["enroll","frank","new"],["identity","heidi","new"],["enroll","heidi","new"]]'
	refused "what is alice's" 'its key is enrolled for alice'
	exits "again" 0 homes import pam_pkcs11 --config homes.conf --cert-dir certs --yes --json
	is "all is there" "$(jq -c '[.operations[].state] | unique' out)" '["present"]'
	chmod 666 home/frank/.ssh/authorized_keys
	ln -s /etc/hostname home/grace/.ssh/authorized_keys
	mkfifo home/toor/.ssh/authorized_keys
	chown 4803 home/heidi/.eid/authorized_certificates
	exits "files that must not be used" 0 homes import pam_pkcs11 --config homes.conf --cert-dir certs --dry-run --json
	like "one that others can write" "$(jq -r '.refusals[] | "\(.what) \(.why)"' out)" 'frank it cannot be used: Operation not permitted'
	like "one behind a link" "$(jq -r '.refusals[] | "\(.what) \(.why)"' out)" 'grace it cannot be used: Too many levels'
	like "one that is a pipe" "$(jq -r '.refusals[] | "\(.what) \(.why)"' out)" 'toor it cannot be used: Invalid'
	is "the others are" "$(jq -c '[.operations[] | .identity] | unique' out)" '["heidi"]'
else
	skip "the users' own files" "no namespaces"
fi

# --- sssd, Active Directory: what makes no rule ---
printf '[certmap/example/x]\nmaprule = (uid={subject_rfc822_name.short_name})\n' >sssd.conf
exits "sssd" 0 c import sssd --config sssd.conf --anchor corp --dry-run --json
refused "a directory" '1 its domain is no domain of local users'
mkdir conf.d
touch conf.d/10.conf conf.d/README
exits "sssd with snippets" 0 c import sssd --config sssd.conf --dry-run --json
is "they are told" "$(jq -r '[.refusals[] | select(.file | startswith("conf.d")) | .file] | join(" ")' out)" conf.d/10.conf
serial=$(openssl x509 -in certs/dave.crt -noout -serial | cut -d= -f2 | sed 's/../& /g' | tr ' ' '\n' | tac | tr -d '\n')
printf 'dave\tX509:<I>CN=%s<SR>%s\nerin\tX509:<RFC822>e@x\n' \
	"$(openssl x509 -in certs/dave.crt -noout -issuer -nameopt multiline | sed -n 's/.*commonName *= //p')" "$serial" >ad
exits "altSecurityIdentities" 0 c import ad ad --cert certs/dave.crt --dry-run --json
is "dave's is there" "$(ops)" '[["identity","dave","present"],["enroll","dave","present"]]'
refused "a weak one" '2 .*KB5014754'
done_testing
