#!/bin/bash
# certlogin-fetch between a real certlogind, nginx and OpenSSL's OCSP responder: what comes over HTTP,
# good or bad, and what a login makes of it.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:?}/tests/harness/tap.sh"
# shellcheck source=tests/harness/daemon.sh
. "$top_srcdir/tests/harness/daemon.sh"
[ "$(id -u)" = 0 ] || skip_all "root alone administers"
cd "$TAP_TMP" || exit 1
d=$TAP_TMP
chmod 711 .
mkdir www
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
web=$(free_port) ocsp=$(free_port) dead=$(free_port)

# --- a CA, its people, its lists ---
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ca() { # NAME: all of one subject, each with its key
	# shellcheck disable=SC2086
	openssl req -x509 $key -subj "/CN=Root" -days 60 -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
serial=16
issue() { # NAME ISSUER EXTENSION...
	serial=$((serial + 1))
	printf '%s\n' "${@:3}" >ext
	# shellcheck disable=SC2086
	openssl req -new $key -subj "/CN=$1" -keyout "$1.key" 2>/dev/null |
		openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -set_serial $serial -days 30 -extfile ext -out "$1.crt" 2>/dev/null
	printf '%02X' $serial >"$1.serial"
}
ca root
ca twin
client=extendedKeyUsage=clientAuth
issue alice root $client
issue bob root $client "authorityInfoAccess=OCSP;URI:http://127.0.0.1:$ocsp/"
issue carol root $client
issue delegate root extendedKeyUsage=OCSPSigning noCheck=ignored
issue plain root $client
cat >ca.cnf <<'X'
[ca]
default_ca = it
[it]
database = revoked
crlnumber = number
default_md = sha256
default_crl_days = 10
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
X
list() { # FILE NUMBER CA REVOKED...
	local out=$1 ca=$3
	printf '%02X\n' "$2" >number
	shift 3
	: >revoked
	for name; do
		printf 'R\t491231235959Z\t%s,keyCompromise\t%s\tunknown\t/CN=%s\n' "$(date -u -d -1hour +%y%m%d%H%M%SZ)" "$(cat "$name.serial")" "$name" >>revoked
	done
	openssl ca -config ca.cnf -gencrl -cert "$ca.crt" -keyfile "$ca.key" -out list.pem 2>err || diag "$(cat err)"
	openssl crl -in list.pem -outform DER -out "$out"
}

# --- the servers ---
cat >nginx.conf <<X
daemon off; pid $d/nginx.pid; error_log $d/nginx.log; worker_processes 1; user root; events {}
http { access_log off; client_body_temp_path $d/t1; proxy_temp_path $d/t2; fastcgi_temp_path $d/t3; uwsgi_temp_path $d/t4;
	scgi_temp_path $d/t5; server { listen 127.0.0.1:$web; root $d/www;
	location /moved { return 302 http://127.0.0.1:$web/ca.crl; }
	location /loop { return 302 http://127.0.0.1:$web/loop; }
	location /slow { alias $d/www/; limit_rate 1; } } }
X
/usr/sbin/nginx -c "$d/nginx.conf" -e "$d/nginx.log" 2>/dev/null &
servers=$!
responder=
on_exit 'kill $servers $responder 2>/dev/null'
respond() { # SIGNER [OPTION...]: the responder, anew
	[ -z "$responder" ] || { kill "$responder"; wait "$responder" 2>/dev/null; }
	openssl ocsp -index index -CA root.crt -rsigner "$1.crt" -rkey "$1.key" -port "$ocsp" -ndays 2 "${@:2}" >ocsp.log 2>&1 &
	responder=$!
	# a connection without a request would keep it for ever
	timeout 10 bash -c 'until grep -q "waiting for" ocsp.log; do sleep 0.05; done'
}
entry() { printf '%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n' "$2" "${3-}" "$(cat "$1.serial")" "$1"; }

login() { cl --json test --cert "$1.crt" --account "$1" --service sshd | jq -r 'if .allowed then "allowed" else .reason end'; }
fetch() { timeout 60 "$daemon_bin/certlogin-fetch" --runtime-dir "$d/run" --user nobody --job-timeout 6 --all; }
source_of() { cl --json source list | jq -r --arg u "$1" '.sources[] | select(.url == $u) | if .error == "" then "good" else .error end'; }
# bad NAME PATH REGEX: a list from there is not taken, says so, and changes nothing
bad() {
	local name=$1 url=http://127.0.0.1:${4:-$web}/$2 begin=$SECONDS
	cl source add "$url" --anchor root >/dev/null
	exits "$name: fetch fails" 1 fetch
	like "$name: why" "$(source_of "$url")" "$3"
	is "$name: nothing changes" "$(login alice) $(login carol)" "revoked allowed"
	[ $((SECONDS - begin)) -le 20 ] && ok "$name: in time" || not_ok "$name: in time" "$((SECONDS - begin)) s"
	cl source remove "$url" >/dev/null
}

daemon_options=(--fetch-user nobody)
daemon_start || { not_ok "certlogind starts"; done_testing; }
timeout 10 bash -c "until (: </dev/tcp/127.0.0.1/$web) 2>/dev/null; do sleep 0.1; done"
chmod 666 run/admin
cl source certificates no >/dev/null
cl anchor add root root.crt >/dev/null
for p in alice bob carol; do
	cl identity add $p >/dev/null
	cl enroll $p $p.crt >/dev/null
	cl access allow $p $p --service sshd >/dev/null
done

# --- lists ---
list www/ca.crl 5 root
cl source add "http://127.0.0.1:$web/ca.crl" --anchor root >/dev/null
cl anchor set root --revocation hard >/dev/null
is "without a list nobody gets in" "$(login alice)" revocation
exits "a list" 0 fetch
is "opens" "$(login alice) $(source_of "http://127.0.0.1:$web/ca.crl")" "allowed good"
list www/ca.crl 6 root alice
exits "the next one" 0 fetch
is "revokes" "$(login alice) $(login carol)" "revoked allowed"
exits "the same again" 0 fetch
is "one list, of the newest number" "$(cl --json crl status | jq -r '[.crls[].number] | join(" ")')" 06
cl source remove "http://127.0.0.1:$web/ca.crl" >/dev/null

list www/old.crl 5 root
bad "a replayed list" old.crl "older than the one at hand"
list www/twin.crl 9 twin
bad "a list of a CA of that name with another key" twin.crl "no certificate of its issuer|signature"
python3 - <<'X'
d = bytearray(open("www/ca.crl", "rb").read()); d[-1] ^= 1; open("www/flipped.crl", "wb").write(d)
X
bad "a list with one bit changed" flipped.crl "signature"
echo '<html>sign in to the hotel</html>' >www/html.crl
bad "a web page" html.crl "refused|CRL"
head -c 100 www/ca.crl >www/half.crl
bad "half a list" half.crl "refused|CRL"
bad "one that is not there" none.crl 404
bad "a dead server" ca.crl "[Cc]onnect|refused" "$dead"
bad "a slow one" slow/ca.crl "slow|timed out|too"
bad "one that redirects for ever" loop "redirect"
cl source add "http://127.0.0.1:$web/moved" --anchor root >/dev/null
list www/ca.crl 7 root alice carol
exits "a redirect" 0 fetch
is "is followed" "$(login carol)" revoked
cl source remove "http://127.0.0.1:$web/moved" >/dev/null

# --- responders: bob's certificate names his ---
cl crl forget root --yes >/dev/null
cl source certificates yes >/dev/null
url=http://127.0.0.1:$ocsp/
exits "a dead responder: fails" 1 fetch
is "a dead responder: nobody says that bob is good" "$(login bob)" revocation
# bad_answer NAME REGEX
bad_answer() {
	exits "$1: fails" 1 fetch
	like "$1: why" "$(source_of "$url")" "$2"
	is "$1: bob stays out" "$(login bob)" revocation
}
entry bob V >index
respond plain
bad_answer "a responder that is none" "OCSPSigning|responder"
respond twin
bad_answer "a CA of that name with another key" "refused"
: >index
respond root
exits "one who does not know bob: answers" 0 fetch
is "one who does not know bob: he stays out" "$(login bob) $(cl --json ocsp list | jq -r '[.ocsp[].status] | join(" ")')" "revocation unknown"
sleep 1.1 # answers of one second count as the worse
entry bob V >index
respond root -resp_no_certs
exits "the CA itself: good" 0 fetch
is "the CA itself: bob is in" "$(login bob)" allowed
kill "$responder"
wait "$responder" 2>/dev/null
responder=
fetch >/dev/null 2>&1
is "the responder dies: what it said holds" "$(login bob)" allowed
entry bob R "$(date -u -d '-1 minute' +%y%m%d%H%M%SZ),keyCompromise" >index
respond delegate
exits "a delegate: revoked" 0 fetch
is "a delegate: bob is out" "$(login bob)" revoked
entry bob V >index
respond root
fetch >/dev/null 2>&1
is "and for good" "$(login bob)" revoked
is "status has it all" "$(cl --json ocsp list | jq -r '[.ocsp[] | .status] | join(" ")')" revoked
cl audit verify >/dev/null && ok "the audit's chain verifies" || not_ok "the audit's chain verifies"
daemon_stop
done_testing
