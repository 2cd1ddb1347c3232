#!/bin/bash
# Smart cards: pamtester in a real PAM stack, real module, helper, gate and authority; SoftHSM is the
# card, and tests/component/p11-lab.c what SoftHSM cannot be (it counts no wrong PINs and blocks none).
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
export top_srcdir top_builddir
soft=/usr/lib/softhsm/libsofthsm2.so lab=$top_builddir/tests/component/.libs/p11_lab.so
module=$top_builddir/.libs/pam_certlogin.so
skip_early() { echo "1..0 # SKIP $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip_early "root is needed, for an /etc of its own"
for c in pamtester softhsm2-util p11tool expect jq; do command -v $c >/dev/null || skip_early "$c is needed"; done
[ -e $soft ] && [ -e "$lab" ] || skip_early "SoftHSM and p11-kit's headers are needed"
if ldd "$module" | grep -q asan; then skip_early "pamtester does not load a sanitized module"; fi
[ -n "${CERTLOGIN_PRIVATE:-}" ] || CERTLOGIN_PRIVATE=1 \
	exec unshare -m -p -f --kill-child --mount-proc --propagation private -- /bin/bash "$0" "$@"
# shellcheck source=tests/harness/tap.sh
. "$top_srcdir/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "$top_srcdir/tests/harness/daemon.sh"
export LC_ALL=C.UTF-8

# --- a host: /etc and the helper's directory laid over those of the machine ---
chmod 711 "$TAP_TMP"
mkdir "$TAP_TMP/over"
mount -t tmpfs -o mode=755 over "$TAP_TMP/over" || skip_all "no tmpfs can be mounted"
on_exit "umount -l '$TAP_TMP/over'"
lay_over() { # DIR: may be changed from now on, in here
	local d=$1 n
	while [ ! -d "$d" ]; do d=${d%/*}; done
	[ ! -e "$d/.p11-over" ] || return
	n=$TAP_TMP/over/${d//\//_}
	mkdir "$n" "$n.work"
	mount -t overlay over -o "lowerdir=${d:-/},upperdir=$n,workdir=$n.work" "${d:-/}" || skip_all "no overlay can be mounted"
	touch "$d/.p11-over"
}
named_in() { grep -ao "/[a-zA-Z0-9/_.+-]*/$2" "$1" | head -1; }
prove=$(named_in "$module" prove) host_crt=$(named_in "$top_builddir/prove" 'host\.crt')
lay_over /etc
lay_over "${prove%/*}"
lay_over "${host_crt%/*}"
mkdir -p "${prove%/*}" "${host_crt%/*}"
install -m711 "$top_builddir/prove" "$prove"
home=$TAP_TMP/home console=$TAP_TMP/console
mkdir "$home" "$console"
chown 61834:61834 "$home"
chown 61835:61835 "$console"
printf '%s\n' "alice:x:61834:61834::$home:/bin/sh" "certlogin-prove:x:61835:61835::$console:/bin/sh" >>/etc/passwd

daemon_start || { not_ok "certlogind starts"; exit 1; }
chmod 755 "$TAP_TMP/run"
chmod 666 "$TAP_TMP/run/pam" "$TAP_TMP/run/link"
cp "$TAP_TMP/etc/host.crt" "$host_crt"
chmod 644 "$host_crt"
cat >"$TAP_TMP/gate.py" <<'X'
import os, socket, sys
run, binary = sys.argv[1:3]
s = socket.socket(socket.AF_UNIX)
s.bind(run + "/gate"); os.chmod(run + "/gate", 0o666); s.listen(16)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.setgroups([]); os.setresgid(4711, 4711, 4711); os.setresuid(4711, 4711, 4711)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="gate", LISTEN_PID=str(os.getpid()))
os.execv(binary, [binary, "--threads", "1", "--link", run + "/link"])
X
python3 "$TAP_TMP/gate.py" "$TAP_TMP/run" "$top_builddir/certlogin-gate" 2>"$TAP_TMP/gate.log" &
gate=$!
on_exit "kill $gate 2>/dev/null"
for _ in $(seq 50); do [ -S "$TAP_TMP/run/gate" ] && break; sleep 0.1; done

cl ca create >/dev/null && cl identity add alice >/dev/null && cl access allow alice alice --service card >/dev/null &&
	cl service set card --class elevate --via local >/dev/null &&
	cl service set desk --class login --via local --console yes >/dev/null &&
	cl access allow alice alice --service desk >/dev/null || not_ok "alice is set up" "$(cat "$TAP_TMP/daemon.log")"

# --- cards ---
conf() { # HOME NAME: a card box of its own, which SoftHSM finds there
	mkdir -p "$1/.config/softhsm2" "$1/$2"
	printf 'directories.tokendir = %s/%s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n' \
		"$1" "$2" >"$1/.config/softhsm2/softhsm2.conf"
	export SOFTHSM2_CONF=$1/.config/softhsm2/softhsm2.conf
}
box() { conf "$home" "$1"; } # NAME: alice's other cards
p11() { GNUTLS_PIN=${pin:-1234} GNUTLS_SO_PIN=87654321 p11tool --provider "$soft" --batch "$@" 2>>"$TAP_TMP/p11tool.log"; }
token() { # LABEL [PIN]
	softhsm2-util --init-token --free --label "$1" --so-pin 87654321 --pin "${2:-1234}" >/dev/null
}
key() { # LABEL ID ARGS: a key that is made on the token, and its public half in $TAP_TMP/ID.pub
	local label=$1 id=$2
	shift 2
	p11 --login --generate-privkey="$1" "${@:2}" --id "$id" --label "key $id" --outfile "$TAP_TMP/$id.pub" "pkcs11:token=${label// /%20}" >/dev/null
}
cert() { # LABEL ID ARGS: a certificate of the built-in CA for it, on the token unless LABEL is ""
	local label=$1 id=$2
	shift 2
	cl ca issue alice --pubkey "$TAP_TMP/$id.pub" --out "$TAP_TMP/$id" "$@" >/dev/null && chmod 644 "$TAP_TMP/$id.crt"
	[ -z "$label" ] || p11 --login --write --load-certificate "$TAP_TMP/$id.crt" --id "$id" --label "cert $id" "pkcs11:token=${label// /%20}" >/dev/null
}
enroll() { cl enroll alice "$TAP_TMP/$1.crt" >/dev/null; }

# --- logins ---
stack() { printf 'auth required %s runtime_dir=%s %s\n' "$module" "$TAP_TMP/run" "$*" | tee /etc/pam.d/card >/etc/pam.d/desk; }
cat >"$TAP_TMP/log-in.exp" <<'X'
# log-in.exp RUID SERVICE ANSWER...: what is asked is answered, in turn; an empty line when they are used up
set timeout 30
set answers [lrange $argv 2 end]
spawn -noecho setpriv --ruid=[lindex $argv 0] pamtester [lindex $argv 1] alice authenticate
expect {
	-re {: $} { send "[lindex $answers 0]\r"; set answers [lrange $answers 1 end]; exp_continue }
	eof {}
	timeout { puts TIMEOUT }
}
X
as_uid=61834 service=card
log_in() {
	chown -R 61834:61834 "$home"
	chown -R 61835:61835 "$console"
	rm -f "$home/p11-pins"
	env -u SOFTHSM2_CONF expect "$TAP_TMP/log-in.exp" "$as_uid" $service "$@" 2>&1 | tr -d '\r'
}
pins() { [ ! -e "$home/p11-pins" ] || tr '\n' ' ' <"$home/p11-pins"; }
be() { printf '%s\n' "$@" >"$home/p11-lab"; rm -f "$home/p11-tries"; }
yes='successfully authenticated'

box one
token "Alice's card"
key "Alice's card" 01 ecdsa --curve secp256r1 && cert "Alice's card" 01 && enroll 01 || not_ok "a card is made" "$(cat "$TAP_TMP/p11tool.log")"
stack "pkcs11=$soft"
like "P-256 on a card" "$(log_in 1234)" "certlogin: PIN for Alice's card: .*$yes"
is "the event names her" "$(cl audit list --kind login.redeem --last 1 --json | jq -r '.events[0].identity')" alice
like "a wrong PIN, then the right one" "$(log_in wrong-pin 1234)" "PIN for Alice's card: .*that was wrong; .*PIN for Alice's card: .*$yes"
out=$(log_in wrong-pin wrong-pin wrong-pin)
like "three wrong ones" "$out" "no ticket .*Alice's card: the PIN is wrong"
is "are asked for, and no more" "$(grep -c 'PIN for' <<<"$out")" 3
unlike "and let nobody in" "$out" "$yes"
out=$(log_in '')
like "no PIN" "$out" "Alice's card: no PIN was given"
is "is no try" "$(grep -c 'PIN for' <<<"$out")" 1
unlike "no PIN is in any log" "$(cl audit list --all --json; cat "$TAP_TMP/daemon.log" "$TAP_TMP/gate.log")" 'wrong-pin'

# --- names ---
stack "[pkcs11=pkcs11:token=Alice's%20card?module-path=$soft]"
like "a URI with its module" "$(log_in 1234)" "$yes"
stack "pkcs11=pkcs11:token=Bob?module-path=$soft"
like "a token that is not there" "$(log_in)" "no smart card or other token is there"
stack "pkcs11=$TAP_TMP/none.so"
like "a module that is not there" "$(log_in)" "PKCS#11 module $TAP_TMP/none.so cannot be loaded"
echo 'not a library' >"$TAP_TMP/bad.so"
chmod 644 "$TAP_TMP/bad.so"
stack "pkcs11=$TAP_TMP/bad.so"
like "a module that is none" "$(log_in)" "PKCS#11 module $TAP_TMP/bad.so cannot be loaded"
stack "pkcs11=pkcs11:?pin-value=1234"
out=$(log_in 1234)
like "a PIN in a URI is a mistake" "$out" 'Error in service module'
unlike "which lets nobody in" "$out" "$yes"
stack ""
mkdir -p "$home/.config/certlogin"
echo "$soft" >"$home/.config/certlogin/pkcs11"
like "named by the user" "$(log_in 1234)" "$yes"
rm "$home/.config/certlogin/pkcs11"
unlike "named by nobody: no card is looked at" "$(log_in)" "PIN for"

# --- kinds of keys, and where the certificate is ---
stack "pkcs11=$soft"
box rsa
token RSA
key RSA 02 rsa --bits 2048 && cert RSA 02 && enroll 02
like "RSA by PSS" "$(log_in 1234)" "$yes"
box p384
token P384
key P384 03 ecdsa --curve secp384r1 && cert "" 03 && enroll 03
like "P-384, its certificate found by the public key" "$(log_in 1234)" "$yes"
box file
token File
key File 04 ecdsa --curve secp256r1 && cert "" 04
like "a key without a certificate" "$(log_in)" "no ticket .*the token File has keys or certificates, but no certificate for logins"
cp "$TAP_TMP/04.crt" "$home/.config/certlogin/client.crt"
like "its certificate in a file, that nobody enrolled: denied" "$(log_in 1234)" "PIN for File.*denied \(event"
enroll 04
like "and enrolled" "$(log_in 1234)" "$yes"
rm "$home/.config/certlogin/client.crt"
box empty
like "no token" "$(log_in)" "no smart card or other token is there"
token Bare
like "a token with nothing on it" "$(log_in '')" "Bare: no PIN was given"
like "also behind its PIN" "$(log_in 1234)" "shows no key and no certificate"

# --- a choice ---
box two
token Work
token Home 5678
key Work 06 ecdsa --curve secp256r1 && cert Work 06 && enroll 06
pin=5678 key Home 07 ecdsa --curve secp256r1 && pin=5678 cert Home 07 && enroll 07
out=$(log_in 1 1234)
like "two cards: which one?" "$out" 'which key\?.* 1  .*\((Work|Home)\).* 2  .*\((Work|Home)\).*number \(1-2\): '
number() { sed -n "s/^ \\([12]\\)  .*($1).*/\\1/p" <<<"$out" | head -1; }
like "the one" "$(log_in "$(number Work)" 1234)" "PIN for Work: .*$yes"
like "the other" "$(log_in "$(number Home)" 5678)" "PIN for Home: .*$yes"
like "not one of them, then one" "$(log_in 3 "$(number Work)" 1234)" "number.*number.*PIN for Work: .*$yes"
none=$(log_in 0 3 x 1234)
is "none of them, three times" "$(grep -c 'number (1-2)' <<<"$none")" 3
unlike "ends it" "$none" "PIN for|$yes"
cat >"$TAP_TMP/module.py" <<'X'
# module.py PROVE NAME ANSWER: the helper's choice gets these octets for an answer; what it then says, and how it ends.
import os, socket, struct, subprocess, sys
os.setgroups([]); os.setresgid(61834, 61834, 61834); os.setresuid(61834, 61834, 61834)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
ours.settimeout(20)
helper = subprocess.Popen([sys.argv[1], "invoker"], stdin=theirs, env={})
theirs.close()
text = lambda s: struct.pack(">H", len(s)) + s
ours.send(b"\1" + b"".join(map(text, (b"", b"alice", b"card", b"/nowhere", sys.argv[2].encode()))))
asked = ours.recv(1024)
print("choice of", asked[2] if asked[:2] == b"\2\4" else asked)
ours.send(bytes.fromhex(sys.argv[3]))
said = ours.recv(1024)[:2].hex()
ours.close()
print("said", said, "ended", helper.wait(20))
X
answer() { python3 "$TAP_TMP/module.py" "$prove" "$soft" "$1" 2>&1 | tr '\n' ' '; }
chown -R 61834:61834 "$home"
is "the helper's choice" "$(answer 0301)" "choice of 2 said 0201 ended 1 "
for a in 0302 03ff 03 030100 0201; do
	is "an answer that is none ends it ($a)" "$(answer $a)" "choice of 2 said  ended 1 "
done
stack "pkcs11=pkcs11:token=Home?module-path=$soft"
out=$(log_in 5678)
like "one is named" "$out" "PIN for Home: .*$yes"
unlike "nothing is to be chosen" "$out" "which key"
be
mkdir -p /etc/pkcs11/modules
echo "module: $lab" >/etc/pkcs11/modules/lab.module
like "a module that is named" "$(log_in 5678)" "$yes"
check_not "is the only one that is loaded" [ -e "$home/p11-loaded" ]
stack "pkcs11=pkcs11:token=Home"
like "without one" "$(log_in 1 5678)" "$yes"
check "all are loaded that p11-kit has" [ -e "$home/p11-loaded" ]
rm /etc/pkcs11/modules/lab.module "$home/p11-lab"
if grep -qs softhsm /usr/share/p11-kit/modules/*.module; then
	stack "pkcs11=pkcs11:token=Home"
	like "of the modules that p11-kit has" "$(log_in 5678)" "PIN for Home: .*$yes"
fi
stack "pkcs11=$soft"
box renewed
token Card
key Card 08 ecdsa --curve secp256r1 && cert Card 08 --not-before 2020-01-01 --not-after 2020-02-01
key Card 09 ecdsa --curve secp256r1 && cert Card 09 --eku server
key Card 0a ecdsa --curve secp256r1 && cert Card 0a && enroll 0a
p11 --login --write --load-certificate "$TAP_TMP/etc/ca/ca.crt" --id 0b --label ca pkcs11:token=Card >/dev/null
openssl req -x509 -newkey rsa:1024 -nodes -keyout /dev/null -subj /CN=weak -addext extendedKeyUsage=clientAuth \
	-addext basicConstraints=critical,CA:FALSE -out "$TAP_TMP/weak.crt" 2>/dev/null
p11 --login --write --load-certificate "$TAP_TMP/weak.crt" --id 0c --label weak pkcs11:token=Card >/dev/null
is "a card with many certificates" "$(p11 --list-all-certs pkcs11:token=Card | grep -c '^Object')" 5
out=$(log_in 1234)
like "expired ones, those for servers, CAs and weak ones are no choice" "$out" "PIN for Card: .*$yes"
unlike "nothing is asked about them" "$out" "which key"

# --- a chain ---
x509() { # NAME ISSUER EXTENSIONS...: a certificate for NAME.pub of the CA ISSUER, or its own
	openssl x509 -new -force_pubkey "$TAP_TMP/$1.pub" -subj "/CN=$1" -days 9 -extfile <(printf '%s\n' "${@:3}") \
		-CA "$TAP_TMP/$2.crt" -CAkey "$TAP_TMP/$2.key" -CAcreateserial -out "$TAP_TMP/$1.crt" 2>>"$TAP_TMP/openssl.log"
}
ca_ext=("basicConstraints=critical,CA:TRUE" "keyUsage=critical,keyCertSign" "subjectKeyIdentifier=hash")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Root -days 9 -keyout "$TAP_TMP/root.key" \
	-out "$TAP_TMP/root.crt" -addext "${ca_ext[1]}" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$TAP_TMP/sub.key" 2>/dev/null
openssl pkey -in "$TAP_TMP/sub.key" -pubout -out "$TAP_TMP/sub.pub"
x509 sub root "${ca_ext[@]}" authorityKeyIdentifier=keyid
box chain
token Chain
key Chain 0e ecdsa --curve secp256r1
x509 0e sub basicConstraints=CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth authorityKeyIdentifier=keyid
p11 --login --write --load-certificate "$TAP_TMP/0e.crt" --id 0e pkcs11:token=Chain >/dev/null
cl anchor add corp "$TAP_TMP/root.crt" >/dev/null
enroll 0e
like "the leaf alone: denied" "$(log_in 1234)" "denied \(event"
p11 --login --write --load-certificate "$TAP_TMP/sub.crt" --id 0f pkcs11:token=Chain >/dev/null
like "its CA is beside it" "$(log_in 1234)" "PIN for Chain: .*$yes"

box full
token Full
key Full 10 ecdsa --curve secp256r1 && cert Full 10 && enroll 10
for i in $(seq 70); do
	p11 --login --write --load-certificate "$TAP_TMP/root.crt" --id "$(printf 11%02x "$i")" --label "$i" pkcs11:token=Full >/dev/null
done
like "a card full of CAs" "$(log_in 1234)" "PIN for Full: .*$yes"

# --- what SoftHSM cannot be ---
box one
stack "pkcs11=$lab timeout=20"
be
like "the lab's module" "$(log_in 1234)" "$yes"
be always
out=$(log_in 1234)
like "a key that wants the PIN for each signature" "$out" "PIN for Alice's card: .*$yes"
is "asks for it once" "$(grep -c 'PIN for' <<<"$out")" 1
is "and has it for its token and itself" "$(pins)" "1234 1234 "
be removable
like "a removable one as well" "$(log_in 1234)" "$yes"
be few
like "few tries are left: told before" "$(log_in 1234)" "only a few tries are left; PIN for Alice's card: .*$yes"
be final
like "the last try: told before" "$(log_in 1234)" "LAST TRY before the token is blocked; PIN for Alice's card: .*$yes"
be locked
out=$(log_in)
like "blocked: told" "$out" "no ticket .*Alice's card: its PIN is blocked"
unlike "and not asked" "$out" "PIN for"
is "no try is spent" "$(pins)" ""
be counts
like "each try is told" "$(log_in 1 2 3)" \
	"certlogin: PIN for Alice's card: .*that was wrong; only a few tries are left; PIN.*that was wrong; LAST TRY.*its PIN is blocked|the PIN is wrong"
be counts
echo 1 >"$home/p11-tries"
out=$(log_in 1 2)
like "blocked on the way: told" "$out" "LAST TRY before the token is blocked; PIN for.*its PIN is blocked"
is "and no more PINs are given" "$(pins)" "1 2 "
be counts
echo 2 >"$home/p11-tries"
out=$(log_in '')
like "who stops before the last try" "$out" "LAST TRY.*no PIN was given"
is "has it still" "$(pins)" ""
be pad
out=$(log_in)
like "a PIN pad: told" "$out" "type the PIN at the reader of Alice's card.*$yes"
unlike "and not asked" "$out" "PIN for"
is "no PIN goes through us" "$(pins | tr ' ' '\n' | sort -u | tr -d '\n')" "pad"
be pad-wrong
out=$(log_in)
like "wrong at the PIN pad: told" "$out" "that was wrong; type the PIN at the reader.*the PIN is wrong"
is "three times and no more" "$(grep -c 'at the reader' <<<"$out")" 3
be pad locked
out=$(log_in)
like "blocked, with a PIN pad" "$out" "its PIN is blocked"
unlike "nobody is sent there" "$out" "at the reader"
be pad escape
out=$(log_in)
like "a PIN pad with control sequences" "$out" 'at the reader of \?\[2J.*'"$yes"
be noise
out=$(log_in 1234)
like "a module that makes noise" "$out" "$yes"
unlike "is not heard" "$out" NOISE
be escape
out=$(log_in 1234)
like "a label with control sequences" "$out" 'PIN for \?\[2J\?\]0;gone\?\?.*'"$yes"
unlike "is made printable" "$out" $'\e|\a'
be hidden
like "a token that shows nothing before it has the PIN" "$(log_in 1234)" "PIN for Alice's card: .*$yes"
is "which is asked for once" "$(log_in 1234 | grep -c 'PIN for')" 1
be hang
stack "pkcs11=$lab timeout=2"
start=$SECONDS
like "a module that hangs" "$(log_in)" "the helper took too long"
[ $((SECONDS - start)) -le 8 ] && ok "is not waited for" || not_ok "is not waited for" "$((SECONDS - start)) s"
is "and does not stay" "$(pgrep -u 61834 -x prove)" ""
stack "pkcs11=$lab timeout=20"
box rsa
be no-pss
like "RSA without PSS: told" "$(log_in 1234)" "no ticket .*RSA.*token RSA"
be

# --- the console: nobody is known yet ---
as_uid=0 service=desk
stack ""
like "the console, and no module is named" "$(log_in)" "no PKCS#11 module is named for the console"
cp -a "$home/one" "$console/one"
conf "$console" one
stack "pkcs11=$lab"
like "a card at the console" "$(log_in 1234)" "PIN for Alice's card: .*$yes"
is "the module ran as certlogin-prove" "$(stat -c %u "$console/p11-pins")" 61835
mkdir -p "$console/.config/certlogin"
echo "$soft" >"$console/.config/certlogin/pkcs11"
stack ""
unlike "a name in a home is not looked at there" "$(log_in)" "PIN for"
echo /nonexistent.so >"$console/.config/certlogin/pkcs11"
stack "pkcs11=$lab"
like "nor when the administrator names one" "$(log_in 1234)" "PIN for Alice's card: .*$yes"

as_uid=61834 service=card

# --- by hand, and a file ---
cl service set mail --class app --redeem-uids any >/dev/null && cl access allow alice alice --service mail >/dev/null
cat >"$TAP_TMP/by-hand.exp" <<'X'
# by-hand.exp PIN COMMAND...: the PIN is typed at the terminal
set timeout 30
spawn -noecho {*}[lrange $argv 1 end]
expect {
	-re {PIN for [^:]*: $} { send "[lindex $argv 0]\r"; exp_continue }
	eof {}
	timeout { puts TIMEOUT }
}
X
by_hand() {
	env -u SOFTHSM2_CONF "HOME=$home" expect "$TAP_TMP/by-hand.exp" "$1" setpriv --reuid=61834 --regid=61834 --clear-groups \
		"$top_builddir/certlogin" --runtime-dir "$TAP_TMP/run" --config-dir "${host_crt%/*}" \
		ticket --service mail --account alice "${@:2}" 2>&1
}
box one
like "ticket --pkcs11" "$(by_hand 1234 --pkcs11 "$soft")" "PIN for Alice's card: .*cl1-"
out=$(by_hand wrong-pin --pkcs11 "$soft")
like "ticket with a wrong PIN" "$out" "the PIN is wrong"
unlike "is no ticket" "$out" "cl1-"
unlike "and no PIN is shown" "$out" "wrong-pin"
like "ticket: a PIN in the URI" "$(by_hand 1234 --pkcs11 "pkcs11:?pin-value=1234")" "URI without PIN"
like "ticket: a file and a token" "$(by_hand 1234 --pkcs11 "$soft" --key x)" "which one"
box empty2
stack ""
openssl ecparam -name prime256v1 -genkey -noout -out "$TAP_TMP/p12.key" 2>/dev/null
openssl pkey -in "$TAP_TMP/p12.key" -pubout -out "$TAP_TMP/p12.pub"
cert "" p12 && enroll p12
openssl pkcs12 -export -inkey "$TAP_TMP/p12.key" -in "$TAP_TMP/p12.crt" -certfile "$TAP_TMP/etc/ca/ca.crt" -passout pass:sesame \
	-out "$home/.config/certlogin/client.p12"
chmod 600 "$home/.config/certlogin/client.p12"
like "PKCS#12 of OpenSSL's" "$(log_in open sesame)" "passphrase for client.p12: .*that was wrong; passphrase for client.p12: .*$yes"

check "the audit's chain verifies" cl audit verify
done_testing
