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
for verb in 'identity list' 'identity add eve' 'enroll alice /dev/null' 'session list' 'audit list' status 'access list'; do
	# shellcheck disable=SC2086
	check_not "certlogin $verb" m certlogin $verb
done

cat >"$root/root/call.py" <<'X'
import base64, json, os, socket, sys, zlib
path, interface = sys.argv[2:] or ("pam", "Service")
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("/run/certlogin/" + path)
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
host priv openssl ec -in /home/alice/.config/certlogin/client.key -pubout -outform DER -out /root/spki 2>/dev/null
host priv openssl ecparam -name prime256v1 -genkey -noout -out /root/x.key; host priv openssl ec -in /root/x.key -pubout -outform DER -out /root/unknown 2>/dev/null
spki=$(base64 -w0 "$root/root/unknown")
is "an unknown key finds nothing" "$(say_as mallory "print(call('FindCertificates', spkis=['$spki']))")" "{'certificates': []}"
like "33 keys at once are refused" "$(say_as mallory "print(call('FindCertificates', spkis=['$spki'] * 33))")" 'error'
like "mallory cannot redeem for sudo himself, even with alice's ticket" "$(say_as alice '
import subprocess
r = call("Begin", account="alice", service="sudo")
t = subprocess.run(["certlogin", "ticket", "--yes", "--service", "sudo", "--account", "alice", "--login", r["loginId"]], capture_output=True, text=True).stdout.strip()
print(call("Redeem", loginId=r["loginId"], ticket=t))')" "'allowed': False"
is "its reason" "$(reason_last)" service-uid

# Every method of every interface, as every role: what is not listed for one is refused to him
methods() { sed -n 's/^method \([A-Za-z]*\)(.*/\1/p' "$top_srcdir/schema/api/org.certlogin.$1.varlink" | xargs; }
reads="Status GetIdentity ListIdentities ListCertificates ListAccess ListServices ListAnchors ListSessions GetSession
	ListEvents GetEvent VerifyAudit TestLogin"
host priv usermod -aG certlogin-audit bob
host priv usermod -aG certlogin-audit,certlogin-admin alice
may() { # USER SOCKET INTERFACE: the methods that are not PermissionDenied to him
	local m
	for m in $(methods "$3"); do
		say_as "$1" "print(call('$m'))" "$2" "$3" 2>/dev/null | grep -q 'PermissionDenied\|MethodNotFound\|InterfaceNotFound' || echo "$m"
	done | xargs
}
is "mallory on the admin socket: he does not get there" "$(say_as mallory 'print(call("Status"))' admin Admin 2>&1 | tail -1)" \
	"PermissionError: [Errno 13] Permission denied"
is "an auditor reads" "$(may bob admin Admin | tr ' ' '\n' | sort | xargs)" "$(xargs -n1 <<<"$reads" | sort | xargs)"
is "an administrator does all but trust, services and backups" "$(may alice admin Admin)" \
	"$(methods Admin | xargs -n1 | grep -vE '^((Set|Remove)Service|(Add|Remove)Anchor|Backup)$' | xargs)"
is "root does all" "$(may root admin Admin)" "$(methods Admin)"
is "nobody administers through the services' socket" "$(may alice pam Admin)" ""
is "nor is a service of the admin socket" "$(may alice admin Service)" ""
is "mallory at the services' socket: sessions are root's" "$(may mallory pam Service)" \
	"$(methods Service | sed 's/ OpenSession CloseSession//')"
is "root there" "$(may root pam Service)" "$(methods Service)"
is "a client's calls are not for these sockets" "$(may root pam Login)$(may root admin Login)" ""

# The helper: 0711, not dumpable, holds nothing that its own user could take
is "prove is root's, 0711" "$(host priv stat -c '%U %a' /usr/libexec/certlogin/prove)" "root 711"
check_not "prove cannot be read" m dd if=/usr/libexec/certlogin/prove of=/dev/null
cat >"$root/root/attach.py" <<'X'
# starts prove as PAM does, then tries to attach and to read its descriptors
import ctypes, os, socket, sys
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
pid = os.fork()
if pid == 0:
    os.dup2(b.fileno(), 0); os.execv("/usr/libexec/certlogin/prove", ["prove", "invoker"])
import time; time.sleep(0.3)
libc = ctypes.CDLL(None, use_errno=True)
r = libc.ptrace(16, pid, 0, 0)
print("attach", r, "errno", ctypes.get_errno())
for what in ("fd", "mem", "environ", "maps"):
    try:
        p = "/proc/%d/%s" % (pid, what)
        os.listdir(p) if what == "fd" else open(p, "rb").read(1)
        print(what, "readable")
    except OSError as e: print(what, "refused")
X
out=$(m /usr/bin/python3 /root/attach.py)
like "its own user cannot attach to prove" "$out" 'attach -1 errno 1'
unlike "nor read its descriptors or memory" "$out" readable
for p in certlogind certlogin-gate; do
	pid=$(host priv pgrep -x "${p:0:15}" | head -1)
	check_not "cannot look into $p" m ls "/proc/$pid/fd"
done
cl audit list --last 50 >"$TAP_TMP/audit"
unlike "no ticket is in the audit" "$(cat "$TAP_TMP/audit")" 'cl1-[A-Z2-7]{26}'
unlike "no ticket is in the journal" "$(host priv journalctl -b --no-pager)" 'cl1-[A-Z2-7]{26}'
done_testing
