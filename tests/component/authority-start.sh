#!/bin/bash
# certlogind itself: arguments, descriptors, keys, READY, signals, idle exit.
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:-.}/tests/harness/tap.sh"
d=$TAP_TMP bin=$(cd "${top_builddir:-.}" && pwd)/certlogind
mkdir "$d/state"

# activate NAMES ACTION ARG...: sockets as systemd gives them, in $d; then waits for READY, does what
# ACTION says, and prints what was notified, how it ended, and what it said.
cat >"$d/activate" <<'X'
import os, select, signal, socket, subprocess, sys, time
d, binary, names, action = sys.argv[1:5]
socks = []
for name in filter(None, names.split(":")):
    kind = socket.SOCK_SEQPACKET if name == "link" else socket.SOCK_STREAM
    s = socket.socket(socket.AF_UNIX, kind)
    path = os.path.join(d, name)
    if os.path.exists(path): os.unlink(path)
    s.bind(path); s.listen(8)
    socks.append(s)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.path.join(d, "notify")
if os.path.exists(path): os.unlink(path)
notify.bind(path)
env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": path, "STATE_DIRECTORY": os.path.join(d, "state"),
       "LISTEN_FDS": str(len(socks))}
fds = [os.dup(s.fileno()) for s in socks]  # out of the way of 3, 4, 5
def place():
    for i, fd in enumerate([os.dup2(f, 100 + n) for n, f in enumerate(fds)]): os.dup2(fd, 3 + i, inheritable=True)
    for n in range(len(fds)): os.close(100 + n)
    os.environ.clear(); os.environ.update(env, LISTEN_PID=str(os.getpid()))
    os.execv(binary, [binary] + sys.argv[5:])
pid_r, err_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(err_w, 2)
    place()
os.close(err_w)
notify.settimeout(20)
said = b""
def await_text(text):
    """What was notified up to `text`, or until the daemon closed its stderr: it ended."""
    global said
    seen = ""
    while text not in seen:
        r, _, _ = select.select([notify, pid_r], [], [], 20)
        if not r: sys.exit("nothing was notified")
        if notify in r: seen += notify.recv(4096).decode() + "\n"
        if pid_r in r:
            line = os.read(pid_r, 65536)
            if not line: break
            said += line
    return seen
seen = await_text("READY=1")
if "READY=1" in seen:
    print("ready")
    for line in open("/proc/%d/status" % pid):
        if line.startswith("NoNewPrivs"): print("".join(line.split()))
    if action == "hup":
        os.kill(pid, signal.SIGHUP)
        print(await_text("READY=1").split()[0])
    if action in ("term", "hup"): os.kill(pid, signal.SIGTERM)
_, status, = os.waitpid(pid, 0)
os.set_blocking(pid_r, False)
try: said += os.read(pid_r, 65536)
except BlockingIOError: pass
notify.setblocking(False)
try:
    while True: print(notify.recv(4096).decode().split("\n")[0])
except BlockingIOError: pass
print("exit", os.waitstatus_to_exitcode(status))
print(said.decode())
X
start() { python3 "$d/activate" "$d" "$bin" "$@" 2>&1; }

for bad in "--nothing" "stray" "--idle-exit 0" "--idle-exit -1" "--idle-exit 5x" "--idle-exit 99999999999" "--gate-users one"; do
	# shellcheck disable=SC2086
	exits "usage: $bad" 2 "$bin" $bad
done
exits "--version" 0 "$bin" --version
like "says its version" "$(cat "$d/out")" "certlogin"

is "no sockets" "$("$bin" 2>&1)" \
	"certlogind: the socket 'pam' is missing; is certlogind started by its sockets?
certlogind: ending: Transport endpoint is not connected"
like "one missing is named" "$(start pam:admin none)" "the socket 'link' is missing"
like "one of somebody else is not taken" "$(start pam:other:link none)" "the socket 'admin' is missing"

# shellcheck disable=SC2054 # one option, two uids
all=pam:admin:link ids=(--gate-users 4711,4712 --admin-group 4713 --audit-group 4714)
key() { # KIND NAME
	openssl req -x509 -newkey "$1" ${3:+-pkeyopt "$3"} -nodes -subj /CN=host -days 2 -keyout "$d/$2.key" -out "$d/$2.crt" 2>/dev/null
}
key ec good ec_paramgen_curve:P-256
key rsa:2048 rsa
key ed25519 edwards
host() { echo "--host-key $d/$1.key --host-cert $d/$2.crt"; }

like "gates of one uid" "$(start $all none --gate-users 5,5)" "the two gates have one uid"
like "no host key" "$(start $all none "${ids[@]}" --host-key "$d/none" --host-cert "$d/good.crt")" "certlogin setup"
# shellcheck disable=SC2046
like "RSA host key" "$(start $all none "${ids[@]}" $(host rsa rsa))" "must be P-256 or Ed25519"
# shellcheck disable=SC2046
like "key of another certificate" "$(start $all none "${ids[@]}" $(host edwards good))" "do not belong together"

for k in good edwards; do
	# shellcheck disable=SC2046
	is "starts and ends: $k" "$(start $all term "${ids[@]}" $(host $k $k) | head -4)" "ready
NoNewPrivs:1
STOPPING=1
exit 0"
done
# shellcheck disable=SC2046
like "reads its anchors again" "$(start $all hup "${ids[@]}" $(host good good) | xargs)" "RELOADING=1 .*exit 0"
# shellcheck disable=SC2046
like "ends when idle" "$(start $all none "${ids[@]}" --idle-exit 1 $(host good good) | xargs)" "ready .*STOPPING=1 exit 0"
printf 'not a database' >"$d/state/certlogin.db"
# shellcheck disable=SC2046
like "refuses a foreign file" "$(start $all none "${ids[@]}" $(host good good) | xargs)" "exit 1"
done_testing
