#!/bin/bash
# What an unprivileged local user tries: each thing he must not be able to do.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host priv
root=$(host_root priv)
m() { as mallory "$@"; }

for f in /var/lib/certlogin/certlogin.db /var/lib/certlogin /etc/certlogin/host.key /etc/certlogin/ca/ca.key \
	/home/alice/.config/certlogin/client.key; do
	check_not "cannot read $f" m cat $f
done
is "host key: root, 0600" "$(host priv stat -c '%U %a' /etc/certlogin/host.key)" "root 600"
is "ca key: root, 0600" "$(host priv stat -c '%U %a' /etc/certlogin/ca/ca.key)" "root 600"
is "state: certlogin, 0700" "$(host priv stat -c '%U %a' /var/lib/certlogin)" "certlogin 700"
check_not "cannot connect to the link" m /usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/certlogin/link")'
check_not "cannot connect to the admin socket" m /usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/run/certlogin/admin")'
issue mallory
for verb in 'identity list' 'identity add eve' 'enroll alice /home/mallory/.config/certlogin/client.crt' 'session list' \
	'audit list' status 'access list' 'backup /tmp/stolen'; do
	# shellcheck disable=SC2086
	like "certlogin $verb" "$(m certlogin $verb 2>&1)" 'cannot reach certlogind at /run/certlogin/admin: Permission denied'
done

cat >"$root/root/call.py" <<'X'
import base64, json, os, socket, ssl, statistics, subprocess, sys, time, zlib
path, interface = sys.argv[2:] or ("pam", "Service")  # tls: the gate with a certificate
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("/run/certlogin/" + path.replace("tls", "gate"))
if path == "tls":
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    c.load_cert_chain(*(os.path.expanduser("~/.config/certlogin/client." + e) for e in ("crt", "key")))
    c.set_alpn_protocols(["certlogin/1"]); s = c.wrap_socket(s)
def ticket():  # well-formed, and nobody's
    t = os.urandom(16)
    def text(b): return base64.b32encode(b).decode().rstrip("=")
    return "cl1-" + text(t) + "-" + text((zlib.crc32(t) & 0xfffff000).to_bytes(4, "big")[:3])[:4]
def call(m, **p):
    s.send(json.dumps({"method": "org.certlogin.%s.%s" % (interface, m), "parameters": p}).encode() + b"\0")
    data = b""
    while not data.endswith(b"\0"):
        got = s.recv(65536)
        if not got: return {"error": "closed"}
        data += got
    r = json.loads(data[:-1])
    return r if "error" in r else r["parameters"]
def alike(f, a, b, n):  # "alike", or how long f(a) and f(b) take, n times each by turns
    t = {a: [], b: []}
    for i in range(2 * n):
        x = (a, b)[i % 2]; start = time.perf_counter(); f(x); t[x].append(time.perf_counter() - start)
    m = {x: statistics.median(v) for x, v in t.items()}
    return "alike" if max(m.values()) < 1.4 * min(m.values()) else m
exec(sys.argv[1])
X
chmod 755 "$root/root" "$root/root/call.py"
say_as() { host_as priv "$1" /usr/bin/python3 /root/call.py "${@:2}"; } # USER PYTHON [SOCKET INTERFACE]
like "OpenSession is root's" "$(say_as mallory 'print(call("OpenSession", loginId="AAAA-AAAA-AAAA-A", account="alice", pid=1))')" PermissionDenied
like "CloseSession is root's" "$(say_as mallory 'print(call("CloseSession", sessionId=1))')" PermissionDenied
# the same answers for accounts that exist, may log in, or never existed
probe='r = call("Begin", account="ACC", service="sudo"); i = r.pop("loginId"); print(r); print("allowed", call("Redeem", loginId=i, ticket=ticket())["allowed"]); print({k: v for k, v in call("Abandon", loginId=i, reason="x").items() if k != "event"})'
known=$(say_as mallory "${probe/ACC/alice}")
like "a ticket that nobody made is refused" "$known" 'allowed False'
is "an account that may log in and one that never was look alike" "$(say_as mallory "${probe/ACC/nobody-at-all}")" "$known"
is "in time as well" "$(say_as mallory '
def probe(account):
    i = call("Begin", account=account, service="sudo")["loginId"]
    call("Redeem", loginId=i, ticket=ticket()); call("Abandon", loginId=i, reason="x")
print(alike(probe, "alice", "nobody-at-all", 100))')" alike
# his own certificate of our CA, and one that is enrolled but may do nothing
cl ca issue mallory --out /home/mallory/enrolled --owner mallory >/dev/null
cl identity add mallory >/dev/null
cl enroll mallory /home/mallory/enrolled.crt >/dev/null
by_cert='
mine, enrolled = (os.path.expanduser(f) for f in ("~/.config/certlogin/client.key", "~/enrolled.key"))
def probe(key):
    r = subprocess.run(["certlogin", "ticket", "--yes", "--service", "sudo", "--account", "alice", "--key", key, "--cert", key[:-3] + "crt"], capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr.split(" (event")[0]
'
is "a certificate that is enrolled and one that is not look alike" \
	"$(say_as mallory "$by_cert"'print(probe(mine)); print(probe(enrolled))' | uniq)" "(1, '', 'certlogin: denied')"
is "though the administrator sees which" "$(cl audit list --last 2 --kind login.commit --json | jq -r '.events[].reason' | xargs)" \
	'not-enrolled ticket-loose'
is "these in time as well" "$(say_as mallory "$by_cert"'print(alike(probe, mine, enrolled, 20))')" alike
host priv openssl ec -in /home/alice/.config/certlogin/client.key -pubout -outform DER -out /root/spki 2>/dev/null
host priv openssl ecparam -name prime256v1 -genkey -noout -out /root/x.key; host priv openssl ec -in /root/x.key -pubout -outform DER -out /root/unknown 2>/dev/null
spki=$(base64 -w0 "$root/root/unknown")
is "an unknown key finds nothing" "$(say_as mallory "print(call('FindCertificates', spkis=['$spki']))")" "{'certificates': []}"
like "a key that he has finds its certificate" "$(say_as mallory "print(call('FindCertificates', spkis=['$(base64 -w0 "$root/root/spki")']))")" "\['MII"
like "33 keys at once are refused" "$(say_as mallory "print(call('FindCertificates', spkis=['$spki'] * 33))")" 'error'
like "mallory cannot redeem for sudo himself, even with alice's ticket" "$(say_as alice '
import subprocess
r = call("Begin", account="alice", service="sudo")
t = subprocess.run(["certlogin", "ticket", "--yes", "--service", "sudo", "--account", "alice", "--login", r["loginId"]], capture_output=True, text=True).stdout.strip()
print(call("Redeem", loginId=r["loginId"], ticket=t))')" "'allowed': False"
is "its reason" "$(reason_last)" service-uid

# alice's login and session, open and known to mallory by their numbers
cat >"$root/root/inside.sh" <<'X'
id=$(certlogin session list --json | jq '.sessions[0].id')
setpriv --reuid=mallory --regid=mallory --init-groups --reset-env /usr/bin/python3 /root/call.py "
i = '$CERTLOGIN_LOGIN'
print(call('CloseSession', sessionId=$id), call('OpenSession', loginId=i, account='root', pid=1))
print(call('Redeem', loginId=i, ticket=ticket()), call('Abandon', loginId=i, reason='x'))
print(call('CheckAccount', loginId=i, account='alice'))"
certlogin session list --json | jq -c '[.sessions[].id] == ['"$id"']'
X
is "mallory cannot close, open, redeem, end or use what is alice's" "$(alice sudo -k sh /root/inside.sh)" "\
{'error': 'org.varlink.service.PermissionDenied'} {'error': 'org.varlink.service.PermissionDenied'}
{'error': 'org.certlogin.Service.InvalidLogin'} {'error': 'org.certlogin.Service.InvalidLogin'}
{'allowed': False, 'event': 0}
true"

# Every method of every interface, as every role: what is not listed for one is refused to him
methods() { sed -n 's/^method \([A-Za-z]*\)(.*/\1/p' "$top_srcdir/schema/api/org.certlogin.$1.varlink" | xargs; }
reads="Status GetIdentity ListIdentities ListCertificates ListAccess ListServices ListAnchors ListSessions GetSession
	ListEvents GetEvent VerifyAudit TestLogin ListOcsp ListCrls ListRules TestRule ListSources"
host priv usermod -aG certlogin-audit bob
host priv usermod -aG certlogin-audit,certlogin-admin alice
may() { # USER SOCKET INTERFACE: the methods that are not PermissionDenied to him
	local m
	for m in $(methods "$3"); do
		case $(say_as "$1" "print(call('$m'))" "$2" "$3" 2>&1 | tail -1) in
		"{'error':"*PermissionDenied* | "{'error':"*MethodNotFound* | "{'error':"*InterfaceNotFound*) ;;
		"{'error': 'closed'}") echo "$m-unanswered" ;;
		"{"*) echo "$m" ;;
		*) echo "$m-unanswered" ;; # an exception
		esac
	done | xargs
}
is "mallory on the admin socket: he does not get there" "$(say_as mallory 'print(call("Status"))' admin Admin 2>&1 | tail -1)" \
	"PermissionError: [Errno 13] Permission denied"
is "an auditor reads" "$(may bob admin Admin | tr ' ' '\n' | sort | xargs)" "$(xargs -n1 <<<"$reads" | sort | xargs)"
is "an administrator does all but trust, services and backups" "$(may alice admin Admin)" \
	"$(methods Admin | xargs -n1 | grep -vE '^((Set|Remove)Service|(Add|Set|Remove)Anchor|Backup|(Add|Remove)Rule|ForgetCrl|ListFetchJobs|ReportFetch)$' | xargs)"
is "root does all" "$(may root admin Admin)" "$(methods Admin)"
is "nobody administers through the services' socket" "$(may alice pam Admin)" ""
is "nor is a service of the admin socket" "$(may alice admin Service)" ""
for u in mallory bob alice; do
	is "$u at the services' socket: sessions are root's" "$(may $u pam Service)" \
		"$(methods Service | sed 's/ OpenSession CloseSession//')"
done
is "root there" "$(may root pam Service)" "$(methods Service)"
for i in Admin Service Login; do
	unlike "without TLS the gate answers nothing of $i" "$(may mallory gate $i | sed 's/[A-Za-z]*-unanswered//g')" '[A-Z]'
done
is "a key holder at the gate: no administration" "$(may mallory tls Admin)" ""
is "nor what services ask" "$(may mallory tls Service)" ""
is "but a client's calls" "$(may mallory tls Login)" "$(methods Login)"
is "a client's calls are not for these sockets" "$(may root pam Login)$(may root admin Login)" ""

# The helper: 0711, not dumpable, holds nothing that its own user could take
is "prove is root's, 0711" "$(host priv stat -c '%U %a' /usr/libexec/certlogin/prove)" "root 711"
check_not "prove cannot be read" m dd if=/usr/libexec/certlogin/prove of=/dev/null
cat >"$root/root/attach.py" <<'X'
# attach.py [PID]: tries to attach to it and to read its descriptors and memory; without PID: to a
# prove of his own, started as PAM does
import ctypes, os, socket, sys, time
pid = int(sys.argv[1]) if sys.argv[1:] else 0
if not pid:
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        os.dup2(b.fileno(), 0); os.execv("/usr/libexec/certlogin/prove", ["prove", "invoker"])
    time.sleep(0.3)
libc = ctypes.CDLL(None, use_errno=True)
print("attach", libc.ptrace(16, pid, 0, 0), "errno", ctypes.get_errno())
for what in ("fd", "mem", "environ", "maps"):
    p = "/proc/%d/%s" % (pid, what)
    try:
        os.listdir(p) if what == "fd" else os.open(p, os.O_RDONLY)
        print(what, "readable")
    except PermissionError: print(what, "refused")
X
refused=$'attach -1 errno 1\nfd refused\nmem refused\nenviron refused\nmaps refused'
like "a process of his own he can take" "$(m sh -c 'sleep 9 >/dev/null & /usr/bin/python3 /root/attach.py $!; kill -KILL $!')" \
	$'attach 0 errno 0\nfd readable\nmem readable\nenviron readable\nmaps readable'
is "but not his own prove" "$(m /usr/bin/python3 /root/attach.py)" "$refused"
# alice's login, while her helper waits for a passphrase
host priv openssl pkcs8 -topk8 -v2 aes256 -passout pass:plum-7-tree -in /home/alice/.config/certlogin/client.key -out /root/locked
host priv cp /root/locked /home/alice/.config/certlogin/client.key # keeps owner and mode
cat >"$root/root/locked.exp" <<'X'
set timeout 30
spawn -noecho setpriv --reuid=alice --regid=alice --init-groups --reset-env sudo -k id -un
expect -re {assphrase}
exec sh -c "p=\$(pgrep -u alice -x prove) && setpriv --reuid=mallory --regid=mallory --init-groups --reset-env /usr/bin/python3 /root/attach.py \$p >/root/looked"
send "plum-7-tree\r"
expect eof
X
like "alice logs in with a passphrase" "$(host priv expect /root/locked.exp)" root
is "meanwhile mallory cannot take her helper" "$(cat "$root/root/looked")" "$refused"
for p in certlogind certlogin-gate; do
	pid=$(host priv pgrep -x "${p:0:15}" | head -1)
	check_not "cannot look into $p" m ls "/proc/$pid/fd"
done
cl audit list --last 50 >"$TAP_TMP/audit"
unlike "no ticket or passphrase is in the audit" "$(cat "$TAP_TMP/audit")" 'cl1-[A-Z2-7]{26}|plum-7'
unlike "nor in the journal" "$(host priv journalctl -b --no-pager)" 'cl1-[A-Z2-7]{26}|plum-7'
done_testing
