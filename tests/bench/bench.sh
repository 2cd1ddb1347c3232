#!/bin/bash
# make bench: what a login costs, beside nginx, pam_unix and pam_ssh_agent_auth in the same rounds.
# Not a test.  Ends with lines `bench NAME VALUE UNIT`; docs/ARCHITECTURE.md says what they mean.
#	ROUNDS=5 COUNT=400 CONCURRENCY=64 PAM_COUNT=40 tests/bench/bench.sh
. "${top_srcdir:?}/tests/harness/login-host.sh"
rounds=${ROUNDS:-5} count=${COUNT:-400} concurrency=${CONCURRENCY:-64} pam_count=${PAM_COUNT:-40}
login_host bench >/dev/null
root=$(host_root bench)
# the private host has a /tmp of its own
install -m755 "$builddir/tests/bench/.libs/load" "$root/usr/local/bin/load" 2>/dev/null || install -m755 "$builddir/tests/bench/load" "$root/usr/local/bin/load"
install -m755 "$top_srcdir/tests/bench/measure.py" "$root/usr/local/bin/measure"
load=/usr/local/bin/load
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
say() { echo "# $*"; }
ns() { # PID...: CPU of all threads, ns
	local p
	for p in "$@"; do host bench bash -c "cat /proc/$p/task/*/schedstat"; done | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

# As a PKI has it, a root and an intermediate: one certificate for those who return, and many that
# nobody has seen.  The same for nginx.
cl service set bench --class app --via any --loose yes --redeem-uids any >/dev/null
cl access allow alice alice --service bench >/dev/null
say "issuing $((rounds * count)) certificates"
cat >"$root/root/issue" <<'X'
set -e -o pipefail
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
ids='subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
printf "$ids"'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n' >ca.ext
printf "$ids"'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n' >leaf.ext
by() { openssl x509 -req -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 30 -extfile "$2.ext"; }
leaf() {
	openssl req -new $key -subj "/CN=$1" -keyout "$2.key" | by sub leaf | cat - sub.crt >"$2.crt"
	certlogin enroll "$1" "$2.crt"
}
openssl req -x509 $key -subj "/CN=Bench Root" -days 30 -keyout root.key -out root.crt
openssl req -new $key -subj "/CN=Bench Issuer" -keyout sub.key | by root ca >sub.crt
certlogin anchor add bench root.crt
leaf alice client
mkdir first
for ((i = 0; i < $1; i++)); do
	certlogin identity add u$i
	certlogin access allow u$i alice --service bench
	leaf u$i first/$i
done
X
host bench bash -c "cd /root && bash issue $((rounds * count))" >/dev/null 2>"$TAP_TMP/err" || { tail "$TAP_TMP/err"; exit 1; }

host bench bash -c 'mkdir -p /run/nginx; cat >/root/nginx.conf <<X
worker_processes 1; pid /run/nginx/pid; error_log /root/nginx.err; daemon off;
events { worker_connections 2048; }
http { access_log off; keepalive_timeout 0; lingering_close always;
 server { listen 127.0.0.1:4443 ssl; server_name localhost; ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;
  ssl_certificate /etc/certlogin/host.crt; ssl_certificate_key /etc/certlogin/host.key; ssl_ecdh_curve X25519;
  ssl_client_certificate /root/root.crt; ssl_verify_client on; ssl_verify_depth 2; location / { return 204; } } }
X'
host bench nginx -c /root/nginx.conf &
cl setup --listen=127.0.0.1:4715 >/dev/null
host bench systemctl daemon-reload
host bench systemctl start certlogin-gate@network.socket
sleep 1
host bench "$load" --count 8 --concurrency 1 --mode login --connect 127.0.0.1:4715 --pin-file /etc/certlogin/host.crt \
	--key /root/client.key --cert /root/client.crt --account alice --service bench >/dev/null || exit 1
nginx_pid=$(host bench pgrep -f 'nginx: worker')
gate_pid=$(host bench systemctl show certlogin-gate@network.service -p MainPID --value)
auth_pid=$(host bench systemctl show certlogind.service -p MainPID --value)

drive() { # NAME PIDS -- load arguments: appends CPU us per handshake, p50, p99, per second
	local name=$1 pids=$2 a b out
	shift 3
	# shellcheck disable=SC2086
	a=$(for p in $pids; do ns "$p"; done)
	echo "# $name"; out=$(host bench "$load" --count "$count" --concurrency "$concurrency" --pin-file /etc/certlogin/host.crt "$@") || { echo "$out"; exit 1; }
	b=$(for p in $pids; do ns "$p"; done)
	paste <(echo "$a") <(echo "$b") | awk -v n="$count" '{ printf "%.1f ", ($2 - $1) / 1000 / n } END { print "" }' >>"$TAP_TMP/$name.cpu"
	awk '/^bench/ { print $2, $3 }' <<<"$out" >>"$TAP_TMP/$name.wall"
}
for ((i = 0; i < rounds; i++)); do
	drive nginx "$nginx_pid" -- --mode bare --connect 127.0.0.1:4443 --key /root/client.key --cert /root/client.crt
	drive returning "$gate_pid $auth_pid" -- --mode login --connect 127.0.0.1:4715 --key /root/client.key \
		--cert /root/client.crt --account alice --service bench
	drive first "$gate_pid $auth_pid" -- --mode login --connect 127.0.0.1:4715 --key-dir /root/first \
		--key-first $((i * count)) --account alice --service bench
done
col() { awk -v c="$2" '{ print $c }' "$TAP_TMP/$1.cpu" | median; }
wall() { awk -v k="$2" '$1 == k { print $2 }' "$TAP_TMP/$1.wall" | median; }
n=$(col nginx 1)
echo "bench nginx.cpu $n us"
for w in returning first; do
	g=$(col $w 1) a=$(col $w 2)
	echo "bench $w.gate.cpu $g us"
	echo "bench $w.authority.cpu $a us"
	awk -v w=$w -v g="$g" -v a="$a" -v n="$n" 'BEGIN { printf "bench %s.cpu %.1f us\nbench %s.cpu/nginx.cpu %.3f ratio\n", w, g + a, w, (g + a) / n }'
done
for w in nginx returning first; do
	for k in p50 p99 rate; do
		v=$(wall $w $k) u=ms
		[ $k = rate ] && u=1/s
		echo "bench $w.$k $v $u"
	done
done

# A whole PAM login by pamtester, as alice, key in her agent.
host bench bash -c 'cd /etc/pam.d && echo "auth required pam_certlogin.so" >bench-certlogin &&
	echo "auth required pam_unix.so" >bench-unix &&
	echo "auth required pam_ssh_agent_auth.so file=/etc/security/bench_keys" >bench-agent
	echo alice:pw | chpasswd; ssh-keygen -y -f /home/alice/.config/certlogin/client.key >/etc/security/bench_keys'
cl service set bench-certlogin --class elevate --via local --redeem-uids any >/dev/null
cl access allow alice alice --service bench-certlogin >/dev/null
pam() { # NAME CMD
	local name=$1
	shift
	HOST_ENV=SSH_AUTH_SOCK=/tmp/bench.agent host_as bench alice bash -c "cd; $*" >>"$TAP_TMP/$name.pam" || exit 1
}
host_as bench alice ssh-agent -a /tmp/bench.agent >/dev/null
HOST_ENV=SSH_AUTH_SOCK=/tmp/bench.agent host_as bench alice ssh-add -q /home/alice/.config/certlogin/client.key
host bench mv /home/alice/.config/certlogin /home/alice/.aside
for ((i = 0; i < rounds; i++)); do
	pam certlogin /usr/local/bin/measure "$pam_count" -- pamtester bench-certlogin alice authenticate
	# as root: it becomes the user to reach his agent, and finds none otherwise
	host bench env SSH_AUTH_SOCK=/tmp/bench.agent /usr/local/bin/measure "$pam_count" -- \
		pamtester bench-agent alice authenticate >>"$TAP_TMP/agent.pam" || exit 1
	pam unix /usr/local/bin/measure "$pam_count" -- sh -c '"echo pw | pamtester bench-unix alice authenticate"'
done
for w in certlogin agent unix; do
	echo "bench pam.$w.p50 $(awk '{ print $1 }' "$TAP_TMP/$w.pam" | median) ms"
	echo "bench pam.$w.p99 $(awk '{ print $2 }' "$TAP_TMP/$w.pam" | median) ms"
	echo "bench pam.$w.cpu $(awk '{ print $3 }' "$TAP_TMP/$w.pam" | median) ms"
done
awk -v a="$(awk '{ print $1 }' "$TAP_TMP/certlogin.pam" | median)" -v b="$(awk '{ print $1 }' "$TAP_TMP/agent.pam" | median)" \
	'BEGIN { printf "bench pam.certlogin.p50/pam.agent.p50 %.3f ratio\n", a / b }'

# 1000 logins in parallel: none may fail.
host bench systemctl restart certlogin-gate@network.service
if host bench "$load" --count 1000 --concurrency 1000 --mode login --connect 127.0.0.1:4715 --pin-file /etc/certlogin/host.crt \
	--key /root/client.key --cert /root/client.crt --account alice --service bench >"$TAP_TMP/parallel" 2>&1; then
	echo "bench parallel1000.failures 0 logins"
else
	tail -3 "$TAP_TMP/parallel"
	echo "bench parallel1000.failures $(sed -n 's/^bench failures \([0-9]*\).*/\1/p' "$TAP_TMP/parallel") logins"
fi
