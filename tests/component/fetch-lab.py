# SPDX-License-Identifier: GPL-2.0-or-later
"""An authority that only writes down what it is told, and HTTP servers of every kind, for fetch.sh.

fetch-lab.py DIR: listens at DIR/run/admin; hands out the array in DIR/jobs, two rows at a time; each
call is a line of DIR/calls; a CRL ends in DIR/crl; refuses one that begins with '<'.  DIR/ports: the
port of the server, of one where nobody listens, and of one that never answers a connection.
"""
import base64, http.server, json, os, socket, socketserver, sys, threading, time

top = sys.argv[1]


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, path, text):
        with open(os.path.join(top, path), "a") as f:
            f.write(text + "\n")

    def to(self, where):
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self, chunks, length=None):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
        except OSError:
            pass
        self.close_connection = True

    def drip(self):
        while True:
            time.sleep(0.2)
            yield b"x"

    def do_POST(self):
        with open(os.path.join(top, "posted"), "wb") as f:
            f.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.say("headers", "%s %s" % (self.path, " ".join(k + "=" + v for k, v in self.headers.items())))
        if self.path == "/moved": self.to("/answer")
        elif self.path == "/flood": self.body(b"\x30" * 1024 for _ in range(33))
        elif self.path == "/full": self.body(b"\x30" * 1024 for _ in range(32))
        else: self.body([b"\x30\x03ocs"])

    def do_GET(self):
        here = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.say("asked", self.path)
        self.say("headers", "%s %s" % (self.path, " ".join(k + "=" + v for k, v in self.headers.items())))
        name, _, arg = self.path.lstrip("/").partition("/")
        if name == "loop": self.to(here + "/loop")
        elif name == "hops" and arg != "0": self.to("%s/hops/%d" % (here, int(arg) - 1))
        elif name == "file": self.to("file:///etc/passwd")
        elif name == "ldap": self.to("ldap://127.0.0.1/cn=x")
        elif name == "user": self.to(here.replace("//", "//alice:secret@") + "/hops/0")
        elif name == "drip": self.body(self.drip())
        elif name == "flood": self.body(b"\x30" * 1048576 for _ in range(200))
        elif name == "length": self.body([b"x"], 128 * 1024 * 1024 + 1)
        elif name == "cut": self.body([b"0" * 10], 100)
        elif name == "empty": self.body([], 0)
        elif name == "html": self.body([b"<html>sign in first</html>"])
        elif name == "hops": self.body([b"\x30\x03abc"])
        else: self.send_error(404)


class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class Admin(socketserver.BaseRequestHandler):
    def answer(self, method, p):
        def error(name, **parameters):
            return {"error": "org.certlogin.Admin." + name, "parameters": parameters}
        if method == "ListFetchJobs":
            jobs = json.load(open(os.path.join(top, "jobs")))
            at = int(p.get("after") or 0)
            more = at + 2 < len(jobs)
            return {"parameters": {"jobs": jobs[at:at + 2], **({"next": str(at + 2)} if more else {})}}
        if method == "BeginCrl":
            self.crl, self.size, self.told = b"", p["bytes"], 0
            return {"parameters": {"import": 7}}
        if method == "PutCrl":
            piece = base64.b64decode(p["data"], validate=True)
            if p["import"] != 7 or len(piece) > 512 * 1024: return error("InvalidValue", field="data", why="piece")
            self.crl += piece
            return {"parameters": {}}
        if method == "ApplyCrl":
            if p["import"] != 7 or len(self.crl) != self.size: return error("NotFound", what="import")
            if self.crl[:1] == b"<": return error("InvalidValue", field="crl", why="it is no CRL\033[2J")
            self.told += 1
            if self.told < 3: return {"parameters": {"done": False, "rows": self.told, "total": 3}}
            with open(os.path.join(top, "crl"), "wb") as f: f.write(self.crl)
            return {"parameters": {"done": True, "rows": 3, "total": 3, "crl": {}}}
        if method == "ImportOcsp": return {"parameters": {"ocsp": {}}}
        if method == "ReportFetch": return {"parameters": {}}
        return {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": method}}

    def handle(self):
        pending = b""
        while True:
            data = self.request.recv(65536)
            if not data: return
            pending += data
            while b"\0" in pending:
                text, pending = pending.split(b"\0", 1)
                call = json.loads(text)
                method, p = call["method"].rpartition(".")[2], call.get("parameters", {})
                with open(os.path.join(top, "calls"), "a") as f:
                    f.write(json.dumps([method, {k: v for k, v in p.items() if k != "data"}]) + "\n")
                self.request.sendall(json.dumps(self.answer(method, p)).encode() + b"\0")


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


web = Threads(("127.0.0.1", 0), Http)
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
mute = socket.socket()
mute.bind(("127.0.0.1", 0))
mute.listen(0)
full = [socket.socket() for _ in range(4)]
for s in full:
    s.setblocking(False)
    s.connect_ex(mute.getsockname())
os.makedirs(os.path.join(top, "run"), exist_ok=True)
admin = Unix(os.path.join(top, "run", "admin"), Admin)
os.chmod(os.path.join(top, "run", "admin"), 0o666)
threading.Thread(target=web.serve_forever, daemon=True).start()
with open(os.path.join(top, "ports.new"), "w") as f:
    print(*[s.getsockname()[1] for s in (web.socket, dead, mute)], file=f)
os.rename(os.path.join(top, "ports.new"), os.path.join(top, "ports"))
admin.serve_forever()
