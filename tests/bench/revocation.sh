#!/bin/bash
# What a million revoked certificates cost: CPU of a decision, memory, and how long others wait while such
# a list is imported again.  Not a test: figures, one line each, "bench NAME VALUE UNIT".
. "${top_srcdir:?}/tests/harness/tap.sh" >/dev/null
. "$top_srcdir/tests/harness/daemon.sh"
[ "$(id -u)" = 0 ] || skip_all "root alone administers"
cd "$TAP_TMP" || exit 1
openssl ecparam -name prime256v1 -genkey -noout -out root.key
openssl req -x509 -new -key root.key -subj /CN=Root -days 60 -out root.crt -addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out alice.key
openssl req -new -key alice.key -subj /CN=alice | openssl x509 -req -CA root.crt -CAkey root.key -set_serial 17 -days 30 \
	-extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n') -out alice.crt 2>/dev/null
daemon_start || exit 1
cl anchor add root root.crt -q
cl identity add alice -q
cl enroll alice alice.crt -q
cl access allow alice alice --service sshd -q

python3 - "$TAP_TMP" "$daemon_pid" "${SIZES:-1000 100000 1000000}" "$daemon_bin/certlogin" <<'X'
import base64, json, os, random, socket, subprocess, sys, threading, time
tmp, pid, sizes, cl = sys.argv[1], int(sys.argv[2]), [int(s) for s in sys.argv[3].split()], sys.argv[4]

def tlv(tag, body):
    n = len(body)
    head = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + head + body
def utc(t): return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(t)).encode())

def make_crl(entries, number, path):
    rng = random.Random(7)
    name = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403") + tlv(0x0c, b"Root"))))
    alg = bytes.fromhex("300a06082a8648ce3d040302")
    now = time.time()
    when = utc(now - 86400)
    rows = b"".join(tlv(0x30, tlv(2, b"\x40" + rng.randbytes(15)) + when) for _ in range(entries))
    ext = tlv(0xa0, tlv(0x30, tlv(0x30, bytes.fromhex("0603551d14") + tlv(4, tlv(2, bytes([number]))))))
    tbs = tlv(0x30, b"\x02\x01\x01" + alg + name + utc(now - 60) + utc(now + 86400) + tlv(0x30, rows) + ext)
    open(tmp + "/tbs", "wb").write(tbs)
    subprocess.check_call(["openssl", "dgst", "-sha256", "-sign", tmp + "/root.key", "-out", tmp + "/sig", tmp + "/tbs"])
    open(path, "wb").write(tlv(0x30, tbs + alg + tlv(3, b"\0" + open(tmp + "/sig", "rb").read())))

chain = [base64.b64encode(subprocess.check_output(["openssl", "x509", "-in", tmp + "/alice.crt", "-outform", "DER"])).decode()]
call = json.dumps({"method": "org.certlogin.Admin.TestLogin",
                   "parameters": {"chain": chain, "account": "alice", "service": "sshd"}}).encode() + b"\0"
class Client:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX); self.s.connect(tmp + "/run/admin")
    def ask(self):
        self.s.sendall(call); got = b""
        while not got.endswith(b"\0"): got += self.s.recv(65536)
        assert b'"allowed":true' in got, got
def cpu():
    f = open("/proc/%d/schedstat" % pid).read().split()
    return int(f[0]) / 1000  # ns, of the main thread, which is the one that decides
def rss(): return int(open("/proc/%d/statm" % pid).read().split()[1]) * 4096
def peak(): return [int(l.split()[1]) * 1024 for l in open("/proc/%d/status" % pid) if l.startswith("VmHWM")][0]
def cost(n=4000):
    c = Client()
    for _ in range(200): c.ask()
    t = cpu()
    for _ in range(n): c.ask()
    return (cpu() - t) / n
def run_import(path):
    t = time.time()
    subprocess.check_call([cl, "--runtime-dir", tmp + "/run", "-q", "crl", "import", path])
    return time.time() - t
def waits(stop):
    c, all = Client(), []
    while not stop.is_set() or len(all) < 200:
        t = time.perf_counter(); c.ask(); all.append((time.perf_counter() - t) * 1000)
        time.sleep(0.001)
    return sorted(all)
def say(name, value, unit): print("bench %s %s %s" % (name, value, unit), flush=True)

base, number, costs = rss(), 0, {}
say("revocation_none_cpu", round(cost(), 1), "us")
for size in sizes:
    number += 1
    path = "%s/%d.crl" % (tmp, size)
    make_crl(size, number, path)
    took = run_import(path)
    costs[size] = cost()
    say("revocation_%d_import" % size, round(took, 2), "s")
    say("revocation_%d_cpu" % size, round(costs[size], 1), "us")
say("revocation_cpu_ratio", round(costs[sizes[-1]] / costs[sizes[0]], 3), "x")
say("revocation_rss_growth", round((rss() - base) / 2**20, 1), "MiB")
say("revocation_rss_peak_growth", round((peak() - base) / 2**20, 1), "MiB")
again = tmp + "/again.crl"
make_crl(sizes[-1], number + 1, again)
idle = threading.Event(); idle.set()
quiet = waits(idle)
stop, got = threading.Event(), []
t = threading.Thread(target=lambda: got.extend(waits(stop))); t.start()
took = run_import(again)
stop.set(); t.join()
p = lambda a, q: round(a[min(len(a) - 1, int(len(a) * q))], 2)
say("revocation_reimport", round(took, 2), "s")
say("revocation_wait_quiet_p99", p(quiet, .99), "ms")
say("revocation_wait_reimport_p50", p(got, .5), "ms")
say("revocation_wait_reimport_p99", p(got, .99), "ms")
say("revocation_wait_reimport_max", round(got[-1], 2), "ms")
X
