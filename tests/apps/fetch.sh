#!/bin/bash
# certlogin-fetch as installed: its unit, its user, its sandbox, and what it may not do.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host fetch
root=$(host_root fetch)

# A web server of the host's own, which has nothing: each job ends in an answer that can be told.
cat >"$root/etc/systemd/system/web.service" <<'X'
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv 8080
X
host fetch systemctl daemon-reload
host fetch systemctl start web.service
host fetch timeout 20 bash -c 'until (: </dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.1; done'
url=http://127.0.0.1:8080/none.crl
unit() { host fetch systemctl show -P "$1" certlogin-fetch.service; }
log() { host fetch journalctl -b --no-pager -o cat -u certlogin-fetch.service; }

cl fetch >/dev/null
is "nothing to do: it went well" "$(unit Result) $(unit ExecMainStatus)" "success 0"
like "and says so" "$(log)" "nothing is due"
cl source add $url --anchor builtin >/dev/null
cl fetch >"$TAP_TMP/out" 2>"$TAP_TMP/err"
is "a list that is not there: fails" $? 1
like "shows why" "$(cat "$TAP_TMP/out")" "$url .*404"
like "says where there is more" "$(cat "$TAP_TMP/err")" "journalctl -u certlogin-fetch"
like "the line in the journal" "$(log)" "$url: .*404"
is "the daemon keeps it" "$(cl source list --json | jq -r '.sources[0].error | test("404")')" true
cl fetch >/dev/null
is "not again within ten minutes: nothing is due" "$(unit Result)" success
host fetch systemctl enable --now --quiet certlogin-fetch.timer
is "the timer waits" "$(host fetch systemctl is-active certlogin-fetch.timer)" active

# --- by hand ---
host fetch /usr/libexec/certlogin/certlogin-fetch --all >"$TAP_TMP/out" 2>&1
like "root by hand: the daemon takes its word" "$(cat "$TAP_TMP/out")" "404"
unlike "and does not refuse" "$(cat "$TAP_TMP/out")" "not recorded"

# --- what the user may not do, though it is in the group that reads ---
fetcher() { host fetch setpriv --reuid certlogin-fetch --regid certlogin-fetch --groups certlogin-audit "$@"; }
like "not: certlogin status" "$(fetcher certlogin status 2>&1)" "permission denied"
for verb in 'identity list' 'audit list' 'access list' 'anchor list' 'session list' 'source list' 'identity add eve' \
	'source add http://x/ --anchor builtin' 'source certificates no' 'backup'; do
	# shellcheck disable=SC2086
	like "not: certlogin $verb" "$(fetcher certlogin $verb 2>&1)" "permission denied"
done
like "others may not ask for jobs" "$(host fetch setpriv --reuid nobody --regid nogroup --groups certlogin-audit \
	/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/certlogin/admin")
s.send(b"{\"method\":\"org.certlogin.Admin.ListFetchJobs\"}\0"); print(s.recv(4096))' 2>&1)" "PermissionDenied"

# --- the sandbox, as the unit makes it ---
mkdir -p "$root/etc/systemd/system/certlogin-fetch.service.d"
cat >"$root/etc/systemd/system/certlogin-fetch.service.d/probe.conf" <<'X'
[Service]
ExecStart=
ExecStart=/bin/bash -c 'id -un; for p in /etc/certlogin/host.crt /var/lib/certlogin /root; do ls $p >/dev/null 2>&1 && echo reads $p; done; touch /var/x /etc/x /run/x 2>/dev/null && echo writes; ls /dev/mem 2>/dev/null; grep -h NoNewPrivs /proc/self/status; grep -h CapEff /proc/self/status'
X
host fetch systemctl daemon-reload
host fetch systemctl start certlogin-fetch.service
is "it reads and writes nothing of ours" \
	"$(log | grep -xE 'certlogin-fetch|(reads|/dev|NoNewPrivs|CapEff).*|writes' | tr '\t\n' '  ')" \
	"certlogin-fetch NoNewPrivs: 1 CapEff: 0000000000000000 "

# --- the built-in CA's own list ---
host fetch systemctl start certlogin-ca-crl.service
is "nobody was revoked: there is no list to make" "$(host fetch systemctl show -P ConditionResult certlogin-ca-crl.service)" no
cl ca issue eve --out /root/eve >/dev/null
like "the first revocation names the timer" "$(cl ca revoke /root/eve.crt)" "certlogin-ca-crl.timer"
host fetch systemctl start certlogin-ca-crl.service
is "the unit makes the next list" "$(cl crl status --json | jq -r '.crls[] | .number + " " + (.entries | tostring)')" "02 1"
host fetch systemctl enable --now --quiet certlogin-ca-crl.timer
is "its timer waits" "$(host fetch systemctl is-active certlogin-ca-crl.timer)" active
done_testing
