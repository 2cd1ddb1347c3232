#!/bin/bash
# The verbs that need no daemon, and what every verb says when there is none.
. "${top_srcdir:?}/tests/harness/tap.sh"
bin=$(cd "$top_builddir" && pwd)/certlogin
bin=${certlogin:-$bin}
export HOME=$TAP_TMP/home LC_ALL=C.UTF-8
unset XDG_CONFIG_HOME SSH_AUTH_SOCK
mkdir "$HOME" "$TAP_TMP/work"
cd "$TAP_TMP/work" || exit 1
c() { "$bin" --config-dir "$TAP_TMP/etc" --runtime-dir "$TAP_TMP/run" "$@"; }
out() { cat "$TAP_TMP/out"; }
err() { cat "$TAP_TMP/err"; }
mode() { stat -c %a "$1"; }

# --- usage ---
exits "no verb" 2 c
exits "unknown verb" 2 c frobnicate
like "says so" "$(err)" "no verb 'frobnicate'"
exits "noun without action" 2 c identity
like "names the actions" "$(err)" 'add, list, show'
exits "unknown action" 2 c identity frobnicate
exits "unknown option" 2 c identity add x --frob
exits "option of another verb" 2 c identity list --full-name x
exits "option without its argument" 2 c ca issue x --days
exits "operand missing" 2 c enroll alice
like "shows the usage" "$(err)" 'Usage: certlogin enroll NAME CERT-FILE'
exits "operand too many" 2 c identity list x
exits "bad number" 2 c ca issue x --days 0
exits "bad time" 2 c identity add x --until tomorrow
exits "bad event number" 2 c explain 12x
exits "access has no default service" 2 c access allow alice root
exits "bad account name" 2 c access allow alice 'a:b' --service sudo
exits "bad service name" 2 c access allow alice root --service '*'
exits "source without its anchor" 2 c source add http://pki.example/ca.crl
exits "neither yes nor no" 2 c source certificates maybe
exits "bad flag value" 2 c service set sudo --class elevate --loose maybe
exits "usage error as JSON" 2 c identity --json frobnicate
is "is one object" "$(out | wc -l)" 0
exits "usage error as JSON" 2 c --json identity frobnicate
is "with its name" "$(jq -r .error "$TAP_TMP/out")" usage
exits "help" 0 c help
exits "help of a verb" 0 c help identity add
like "has its options" "$(out)" '--full-name TEXT'
exits "verb --help" 0 c ca issue --help
exits "help of nothing" 2 c help frobnicate
exits "version" 0 c version --json
like "is a version" "$(jq -r .version "$TAP_TMP/out")" '^[0-9]+\.[0-9]'

# --- no daemon ---
for verb in "identity list" "access list" "service list" "anchor list" "ocsp list" "crl status" "rule list" "source list" "source remove http://x/" fetch "session list" "audit list" "audit verify" \
	"explain 1" status backup; do
	# shellcheck disable=SC2086  # words
	exits "$verb without a daemon" 3 c $verb
done
like "says what to do" "$(err)" "cannot reach certlogind at $TAP_TMP/run/admin: No such file.*systemctl start certlogind.socket"
exits "the same as JSON" 3 c status --json
is "has its name" "$(jq -r .error "$TAP_TMP/out")" unreachable

# --- setup ---
exits "setup" 0 c setup --hostname h.example --hostname h2.example --listen 4716 --unit-dir "$TAP_TMP/units"
like "prints the pin" "$(out)" 'sha256:[A-Za-z0-9+/]{43}='
like "prints the PAM line" "$(out)" 'auth +sufficient +pam_certlogin.so'
like "prints the timer's line" "$(out)" 'systemctl enable --now certlogin-fetch.timer'
unlike "no colours when piped" "$(out)" $'\033'
pin=$(grep -o 'sha256:[A-Za-z0-9+/=]*' "$TAP_TMP/out" | head -1)
is "the pin is that of the key" "$pin" \
	"sha256:$(openssl pkey -in "$TAP_TMP/etc/host.key" -pubout -outform DER | openssl dgst -sha256 -binary | base64)"
is "key mode" "$(mode "$TAP_TMP/etc/host.key")" 600
is "certificate mode" "$(mode "$TAP_TMP/etc/host.crt")" 644
is "directory mode" "$(mode "$TAP_TMP/etc")" 755
text=$(openssl x509 -in "$TAP_TMP/etc/host.crt" -noout -text)
like "names in the certificate" "$text" 'DNS:h.example, DNS:h2.example'
like "serverAuth" "$text" 'TLS Web Server Authentication'
unlike "and not clientAuth" "$text" 'TLS Web Client'
like "the drop-in" "$(cat "$TAP_TMP/units/certlogin-gate@network.socket.d/listen.conf")" $'ListenStream=\nListenStream=4716'
before=$(sha256sum "$TAP_TMP"/etc/host.*)
exits "setup again" 0 c setup --json
is "changes nothing" "$(sha256sum "$TAP_TMP"/etc/host.*)" "$before"
is "JSON: the pin" "$(jq -r .pin "$TAP_TMP/out")" "$pin"
is "JSON: no key was made" "$(jq -r .madeKey "$TAP_TMP/out")" false
exits "setup with a bad address" 2 c setup --listen 'x y' --unit-dir "$TAP_TMP/units"
mv "$TAP_TMP/etc/host.crt" "$TAP_TMP/aside"
exits "half a setup is not mended by guessing" 1 c setup
mv "$TAP_TMP/aside" "$TAP_TMP/etc/host.crt"

# --- ca ---
exits "issue without a CA" 1 c ca issue alice
like "says what to do" "$(err)" 'certlogin ca create'
exits "ca create" 0 c ca create --name 'Test CA'
like "no daemon: the command for later" "$(err)" "certlogin anchor add builtin $TAP_TMP/etc/ca/ca.crt"
is "CA key mode" "$(mode "$TAP_TMP/etc/ca/ca.key")" 600
is "CA directory mode" "$(mode "$TAP_TMP/etc/ca")" 700
exits "ca create again" 1 c ca create
text=$(openssl x509 -in "$TAP_TMP/etc/ca/ca.crt" -noout -text)
like "a CA of no CAs" "$text" 'CA:TRUE, pathlen:0'
like "key usage" "$text" 'Certificate Sign, CRL Sign'
exits "ca issue" 0 c ca issue alice --json
is "JSON: the files" "$(jq -r '.certificate + " " + .key' "$TAP_TMP/out")" "alice.crt alice.key"
is "JSON: the fingerprint" "$(jq -r .sha256 "$TAP_TMP/out")" "$(openssl x509 -in alice.crt -outform DER | sha256sum | cut -d' ' -f1)"
is "key mode" "$(mode alice.key)" 600
check "leads to the CA, for clients" openssl verify -purpose sslclient -CAfile "$TAP_TMP/etc/ca/ca.crt" alice.crt
check_not "and not for servers" openssl verify -purpose sslserver -CAfile "$TAP_TMP/etc/ca/ca.crt" alice.crt
text=$(openssl x509 -in alice.crt -noout -text)
like "CN" "$text" 'Subject: CN = alice'
like "key usage" "$text" $'X509v3 Key Usage: critical\n +Digital Signature\n'
like "no CA" "$text" 'CA:FALSE'
like "key identifiers" "$text" 'X509v3 Authority Key Identifier'
is "90 days" "$((($(date -d "$(openssl x509 -in alice.crt -noout -enddate | cut -d= -f2)" +%s) - $(date +%s) + 43200) / 86400))" 90
is "key and certificate belong together" "$(openssl pkey -in alice.key -pubout)" "$(openssl x509 -in alice.crt -noout -pubkey)"
exits "never overwritten" 1 c ca issue alice
exits "exact times, in UTC" 0 c ca issue old --not-before 2020-01-01T00:00:00Z --not-after 2020-02-01T00:00:00Z
like "they are so" "$(openssl x509 -in old.crt -noout -dates)" 'notBefore=Jan  1 00:00:00 2020 GMT.*notAfter=Feb  1 00:00:00 2020 GMT'
exits "an end before the beginning" 2 c ca issue x --not-before 2020-02-01 --not-after 2020-01-01
exits "server EKU" 0 c ca issue srv --eku server
like "it is" "$(openssl x509 -in srv.crt -noout -text)" 'TLS Web Server Authentication'
exits "no EKU" 0 c ca issue plain --eku none
unlike "it has none" "$(openssl x509 -in plain.crt -noout -text)" 'Extended Key Usage'
exits "unknown EKU" 2 c ca issue x --eku other
exits "name that is none" 2 c ca issue 'a/b'
exits "name too long for a CN" 2 c ca issue "$(printf 'a%.0s' {1..65})"

openssl genpkey -algorithm ed25519 -out ed.pem 2>/dev/null
openssl pkey -in ed.pem -pubout -out ed.pub
exits "public key, PEM" 0 c ca issue ed --pubkey ed.pub
is "is certified" "$(openssl x509 -in ed.crt -noout -pubkey)" "$(cat ed.pub)"
[ ! -e ed.key ] && ok "and no key is made" || not_ok "and no key is made"
for type in ed25519 ecdsa rsa; do
	ssh-keygen -q -t $type -N '' -f "ssh-$type"
	exits "public key, OpenSSH $type" 0 c ca issue "ssh-$type" --pubkey "ssh-$type.pub"
done
is "is certified" "$(ssh-keygen -i -m PKCS8 -f <(openssl x509 -in ssh-ecdsa.crt -noout -pubkey))" "$(cut -d' ' -f1,2 ssh-ecdsa.pub)"
exits "no public key" 2 c ca issue x --pubkey alice.crt
openssl req -new -newkey rsa:2048 -nodes -keyout r.key -out r.csr -subj /CN=root 2>/dev/null
exits "request" 0 c ca issue r --csr r.csr
like "its name is not taken from it" "$(openssl x509 -in r.crt -noout -subject)" 'CN = r$'
openssl req -new -newkey rsa:1024 -nodes -keyout w.key -out w.csr -subj /CN=w 2>/dev/null
exits "weak key" 2 c ca issue w --csr w.csr
sed '3s/[A-Za-y]/z/5' r.csr >bad.csr
exits "request with a broken signature" 2 c ca issue x --csr bad.csr
exits "both" 2 c ca issue x --csr r.csr --pubkey ed.pub
is "all that was issued is written down" "$(wc -l <"$TAP_TMP/etc/ca/issued.log")" 9
is "log mode" "$(mode "$TAP_TMP/etc/ca/issued.log")" 600
is "serials differ" "$(cut -f2 "$TAP_TMP/etc/ca/issued.log" | sort -u | wc -l)" 9
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$TAP_TMP"
	install -d -o nobody "$TAP_TMP/nobody"
	exits "files of a user" 0 c ca issue n --owner nobody --out "$TAP_TMP/nobody/.config/x/client"
	is "are the user's" "$(stat -c '%U %a' "$TAP_TMP/nobody/.config/x/client.key")" "nobody 600"
	is "directories as well" "$(stat -c '%U %a' "$TAP_TMP/nobody/.config/x")" "nobody 700"
	ln -s /etc "$TAP_TMP/nobody/trap"
	exits "no link leads further than the user's rights" 4 c ca issue n --owner nobody --out "$TAP_TMP/nobody/trap/client"
	[ ! -e /etc/client.key ] && ok "nothing is there" || not_ok "nothing is there"
else
	skip "files of a user" "needs root"
fi
exits "unknown owner" 2 c ca issue x --owner no.such.user

# --- trust ---
exits "trust by pin" 0 c trust DB1.example.org --pin "$pin"
exits "trust by CA" 0 c trust db2 --ca "$TAP_TMP/etc/ca/ca.crt"
is "file mode" "$(mode "$HOME/.config/certlogin/trust")" 600
exits "list" 0 c trust --list --json
is "JSON" "$(jq -c '[.hosts[] | [.host, .by, .what]]' "$TAP_TMP/out")" \
	"[[\"db1.example.org\",\"pin\",\"$pin\"],[\"db2\",\"ca\",\"CN=Test CA\"]]"
exits "another pin replaces the first" 0 c trust db1.example.org --pin "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
is "one line a host" "$(wc -l <"$HOME/.config/certlogin/trust")" 2
exits "bad pin" 2 c trust db3 --pin sha256:AAAA
exits "two ways at once" 2 c trust db3 --pin "$pin" --remove
exits "no way" 2 c trust db3
exits "remove" 0 c trust db1.example.org --remove
exits "remove again" 1 c trust db1.example.org --remove
exits "untrusted host" 1 c ticket db1.example.org --service sshd
like "says which line would trust it" "$(err)" 'certlogin trust db1.example.org --pin'
echo 'db9 pin garbage' >>"$HOME/.config/certlogin/trust"
exits "a line that cannot be read" 4 c ticket db2 --service sshd
like "trusts nobody" "$(err)" 'line 2 .*no host is trusted'
rm "$HOME/.config/certlogin/trust"

# --- ticket ---
exits "ticket for no service" 2 c ticket
exits "bad login id" 2 c ticket --service sudo --login 7KQ2
exits "no key" 1 c ticket --service sudo
export SSH_AUTH_SOCK=/nonexistent
exits "a named key that is not there" 1 c ticket --service sudo --key none.key
unlike "no agent is asked for it" "$(cat "$TAP_TMP/out" "$TAP_TMP/err" 2>/dev/null)" "agent"
unset SSH_AUTH_SOCK
is "stdout stays empty" "$(out)" ""
exits "no gate" 3 c ticket --service sudo --key alice.key --cert alice.crt
like "says what to do" "$(err)" 'certlogin-gate@local.socket'
is "stdout stays empty" "$(out)" ""
done_testing
