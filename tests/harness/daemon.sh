# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A certlogind of one's own, as whoever runs the test.  Source it after tap.sh:
#
#	daemon_start [faketime SPEC]   with sockets in $TAP_TMP/run, state in $TAP_TMP/state, key in $TAP_TMP/etc
#	daemon_stop [SIGNAL]           and waits for its end
#	cl VERB ...                    certlogin against it
#
# The state stays between starts.  $daemon_pid, and what it said in $TAP_TMP/daemon.log.

daemon_bin=$(cd "${top_builddir:-.}" && pwd)
daemon_pid=
daemon_options=() # more of them
cl() { "${certlogin:-$daemon_bin/certlogin}" --runtime-dir "$TAP_TMP/run" --config-dir "$TAP_TMP/etc" "$@"; }

cat >"$TAP_TMP/activate.py" <<'X'
import os, socket, sys
run, binary = sys.argv[1:3]
socks = []
for name in ("pam", "admin", "link"):
    path = os.path.join(run, name)
    if os.path.exists(path): os.unlink(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET if name == "link" else socket.SOCK_STREAM)
    s.bind(path); s.listen(64)
    socks.append(s)
fds = [os.dup(s.fileno()) for s in socks]
high = [os.dup2(f, 100 + n) for n, f in enumerate(fds)]
for n, f in enumerate(high): os.dup2(f, 3 + n, inheritable=True)
for f in high: os.close(f)
os.environ.update(LISTEN_FDS="3", LISTEN_PID=str(os.getpid()))
os.execv(binary, [binary] + sys.argv[3:])
X

daemon_start() {
	local with=()
	[ "${1-}" = faketime ] && with=(env "LD_PRELOAD=$(faketime -f +0d printenv LD_PRELOAD)" "FAKETIME=$2")
	mkdir -p "$TAP_TMP/run" "$TAP_TMP/state" "$TAP_TMP/etc"
	[ -e "$TAP_TMP/etc/host.key" ] || cl setup --hostname daemon.example --quiet >/dev/null 2>&1 || return 1
	STATE_DIRECTORY=$TAP_TMP/state "${with[@]}" python3 "$TAP_TMP/activate.py" "$TAP_TMP/run" "$daemon_bin/certlogind" \
		--host-key "$TAP_TMP/etc/host.key" --host-cert "$TAP_TMP/etc/host.crt" \
		--gate-users 4711,4712 --admin-group 4713 --audit-group 4714 "${daemon_options[@]}" 2>>"$TAP_TMP/daemon.log" &
	daemon_pid=$!
	for _ in $(seq 100); do
		cl status >/dev/null 2>&1 && return 0
		kill -0 $daemon_pid 2>/dev/null || break
		sleep 0.1
	done
	diag "certlogind does not answer" "$(cat "$TAP_TMP/daemon.log")"
	return 1
}

daemon_stop() {
	[ -n "$daemon_pid" ] || return 0
	kill -"${1:-TERM}" $daemon_pid 2>/dev/null
	wait $daemon_pid 2>/dev/null
	daemon_pid=
	if grep -qE 'ERROR: (Leak|Address)Sanitizer|runtime error:' "$TAP_TMP/daemon.log"; then
		not_ok "certlogind: the sanitizers say nothing" "$(head -60 "$TAP_TMP/daemon.log")"
	fi
}
on_exit daemon_stop
