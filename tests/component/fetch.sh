#!/bin/bash
# certlogin-fetch against servers that are good, slow, dead, or lie; the authority is a double.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:-.}/tests/harness/tap.sh"
d=$TAP_TMP bin=$(cd "${top_builddir:-.}" && pwd)/certlogin-fetch
chmod 711 "$d"
mkdir -m 755 "$d/www"
python3 "${top_srcdir:-.}/tests/component/fetch-lab.py" "$d" 2>"$d/lab.err" &
lab=$!
on_exit "kill $lab 2>/dev/null"
for ((i = 0; i < 200; i++)); do [ -e "$d/ports" ] && break || sleep 0.05; done
read -r port dead mute <"$d/ports" || { cat "$d/lab.err"; exit 1; }
web=http://127.0.0.1:$port

# jobs URL...: all due, of anchor corp
jobs() { printf '%s\n' "$@" | jq -R '{kind: "crl", url: ., anchor: "corp", due: true}' | jq -s . >"$d/jobs"; }
fetch() {
	rm -f "$d/calls" "$d/crl" "$d/asked" "$d/headers"
	timeout 60 "$bin" --runtime-dir "$d/run" --user nobody "$@"
}
calls() { jq -r --arg m "$1" 'select(.[0] == $m) | .[1] | tojson' "$d/calls"; }
report() { calls ReportFetch | jq -r '.error // "none"'; }
# refused NAME URL REGEX [OPTION...]: is reported, logged in one line, and in time
refused() {
	local name=$1 url=$2 regex=$3 begin=$SECONDS
	shift 3
	jobs "$url"
	exits "$name: fails" 1 fetch "$@"
	like "$name: is reported" "$(report)" "$regex"
	like "$name: is logged" "$(cat "$d/err")" "^certlogin-fetch: ${url%%\?*}[^ ]*: .*"
	is "$name: in one line" "$(wc -l <"$d/err")" 1
	is "$name: nothing is imported" "$(calls BeginCrl)" ""
	[ $((SECONDS - begin)) -le 10 ] && ok "$name: in time" || not_ok "$name: in time" "$((SECONDS - begin)) s"
}

# --- arguments ---
for bad in --nothing stray "--job-timeout 0" "--job-timeout 301" "--connect-timeout 11" "--stall-timeout 5x"; do
	# shellcheck disable=SC2086
	exits "usage: $bad" 2 "$bin" $bad
done
exits "--version" 0 "$bin" --version
exits "no daemon" 1 fetch --runtime-dir "$d/none"
like "says so" "$(cat "$d/err")" "cannot reach certlogind at $d/none/admin: No such file"

# --- what is good: a file of nginx's ---
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout "$d/k" -out "$d/c" 2>/dev/null
: >"$d/index"
printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s\ndefault_md=sha256\ndefault_crl_days=1\n' "$d/index" >"$d/cnf"
openssl ca -config "$d/cnf" -gencrl -keyfile "$d/k" -cert "$d/c" -out "$d/www/ca.pem" 2>/dev/null
openssl crl -in "$d/www/ca.pem" -outform DER -out "$d/www/ca.crl"
head -c 1500000 /dev/urandom >"$d/www/large"
# nginx takes no port 0: one that was free a moment ago
served=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$d/nginx.conf" <<X
daemon off; pid $d/nginx.pid; error_log $d/nginx.log; worker_processes 1; events {}
http { access_log off; client_body_temp_path $d/t1; proxy_temp_path $d/t2; fastcgi_temp_path $d/t3; uwsgi_temp_path $d/t4;
	scgi_temp_path $d/t5; server { listen 127.0.0.1:$served; root $d/www; } }
X
/usr/sbin/nginx -c "$d/nginx.conf" -e "$d/nginx.log" 2>/dev/null &
nginx=$!
on_exit "kill $nginx 2>/dev/null"
for ((i = 0; i < 100; i++)); do (: <"/dev/tcp/127.0.0.1/$served") 2>/dev/null && break || sleep 0.05; done
good=http://127.0.0.1:$served

jobs "$good/ca.crl"
exits "a CRL" 0 fetch
check "comes as it is" cmp "$d/crl" "$d/www/ca.crl"
is "is said whose it is" "$(calls BeginCrl)" \
	"$(jq -nc --arg u "$good/ca.crl" --argjson n "$(stat -c %s "$d/www/ca.crl")" '{bytes: $n, source: $u, anchor: "corp"}')"
is "is applied until done" "$(calls ApplyCrl | wc -l)" 3
is "is reported" "$(calls ReportFetch)" "{\"kind\":\"crl\",\"url\":\"$good/ca.crl\",\"error\":null}"
like "is logged" "$(cat "$d/err")" "^certlogin-fetch: $good/ca.crl: [0-9]+ bytes, 3 revoked \(anchor corp\)$"
jobs "$good/ca.pem"
exits "a CRL in PEM" 0 fetch
check "is sent as DER" cmp "$d/crl" "$d/www/ca.crl"
head -c 200 "$d/www/ca.pem" >"$d/www/cut.pem"
refused "PEM without an end" "$good/cut.pem" "broken PEM"
jobs "$good/large"
exits "a large one" 0 fetch
check "comes in pieces" cmp "$d/crl" "$d/www/large"
is "of 512 KiB" "$(calls PutCrl | wc -l)" 3
jobs "$web/hops/3"
exits "3 redirects" 0 fetch

# --- which ---
jq -n --arg u "$good/ca.crl" '[{kind: "crl", url: $u, anchor: "corp", due: false}]' >"$d/jobs"
exits "nothing is due" 0 fetch
is "nothing is fetched" "$(calls BeginCrl)" ""
exits "--all" 0 fetch --all
check "fetches it" cmp "$d/crl" "$d/www/ca.crl"
echo '[{"kind": "telepathy", "url": "http://x/", "due": true}]' >"$d/jobs"
exits "a job of another version" 1 fetch
jobs "$web/404" "$good/ca.crl" "$web/html" "$good/ca.pem" "$good/large"
exits "one of many fails" 1 fetch
is "the others do not" "$(report | grep -c none)" 3

# --- what is not ---
refused "404" "$web/404" "404"
jobs "$web/html"
exits "what the authority refuses" 1 fetch
is "is reported in its words, without its control characters" "$(report)" "refused: it is no CRL?[2J"
refused "nobody listens" "http://127.0.0.1:$dead/x.crl" "(refused|connect)"
refused "nobody answers" "http://127.0.0.1:$mute/x.crl" "(timed out|[Tt]imeout)" --connect-timeout 1
refused "no such host" "http://no-such-host.invalid/x.crl" "resolve"
refused "a byte now and then" "$web/drip" "(timed out|too slow)" --job-timeout 2
refused "too slow for too long" "$web/drip" "too slow" --stall-timeout 2
refused "more than 128 MiB" "$web/flood" "more than 134217728 bytes"
refused "more than 128 MiB, announced" "$web/length" "more than 134217728 bytes"
refused "cut short" "$web/cut" "(transfer closed|bytes remaining)"
refused "empty" "$web/empty" "the answer is empty"
refused "a redirect loop" "$web/loop" "more than 3 redirects"
is "is followed 3 times" "$(wc -l <"$d/asked")" 4
refused "4 redirects" "$web/hops/4" "more than 3 redirects"
refused "a redirect to a file" "$web/file" "neither http nor https"
refused "a redirect to ldap" "$web/ldap" "neither http nor https"
refused "a redirect with a password" "$web/user" "Login denied"
for url in "ldap://127.0.0.1:$port/x" "file:///etc/passwd" "ftp://127.0.0.1/x" "http://alice:secret@127.0.0.1:$port/hops/0"; do
	refused "${url%%:*}" "$url" "not asked for"
done
[ ! -e "$d/asked" ] && ok "and nobody is" || not_ok "and nobody is"

# --- OCSP ---
ocsp() { # URL
	jq -n --arg u "$1" '[{kind: "ocsp", url: $u, anchor: "corp", due: true, request: "MAMBAQA=", certificate: "QQ==", issuer: "QkI="}]' \
		>"$d/jobs"
}
for path in responder moved; do
	rm -f "$d/posted"
	ocsp "$web/$path"
	exits "an OCSP answer: $path" 0 fetch
	is "the request is posted" "$(base64 "$d/posted")" "MAMBAQA="
	is "the answer is handed over" "$(calls ImportOcsp)" \
		"{\"response\":\"MANvY3M=\",\"certificate\":\"QQ==\",\"issuer\":\"QkI=\",\"source\":\"$web/$path\"}"
	is "is reported" "$(calls ReportFetch)" "{\"kind\":\"ocsp\",\"url\":\"$web/$path\",\"error\":null}"
done
like "says what it is" "$(cat "$d/headers")" "Content-Type=application/ocsp-request"
ocsp "$web/full"
exits "32 KiB" 0 fetch
ocsp "$web/flood"
exits "more than 32 KiB" 1 fetch
like "is reported" "$(report)" "more than 32768 bytes"
is "and not handed over" "$(calls ImportOcsp)" ""

# --- one server, many jobs ---
begin=$SECONDS
jobs "http://127.0.0.1:$mute/1" "http://127.0.0.1:$mute/2" "http://127.0.0.1:$mute/3" "$good/ca.crl"
exits "a server that is down" 1 fetch --connect-timeout 2
[ $((SECONDS - begin)) -le 4 ] && ok "costs its time once" || not_ok "costs its time once" "$((SECONDS - begin)) s"
is "what was not tried is not reported" "$(calls ReportFetch | wc -l)" 2
check "the rest goes on" cmp "$d/crl" "$d/www/ca.crl"

# --- nothing of the caller's ---
jobs "$web/hops/0"
exits "a proxy of the environment" 0 env http_proxy="http://127.0.0.1:$dead" ALL_PROXY="http://127.0.0.1:$dead" \
	timeout 60 "$bin" --runtime-dir "$d/run" --user nobody
refused "a proxy by option" "$web/hops/0" "(refused|connect)" --proxy "http://127.0.0.1:$dead"
echo 'machine 127.0.0.1 login alice password secret' >"$d/.netrc"
chmod 644 "$d/.netrc"
jobs "$web/hops/0"
exits "a netrc" 0 env HOME="$d" timeout 60 "$bin" --runtime-dir "$d/run" --user nobody
unlike "is not used" "$(cat "$d/headers")" "Authorization"
like "who asks" "$(cat "$d/headers")" "User-Agent=certlogin/"
done_testing
