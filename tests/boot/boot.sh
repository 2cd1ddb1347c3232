#!/bin/bash
# The units as they are shipped, in a booted systemd: activation, hardening seen from inside,
# watchdog, stop and restart, idle exit, the network gate.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host boot
root=$(host_root boot)
show() { host boot systemctl show "$1" -p "$2" --value; }

is "sockets listen" "$(host boot systemctl is-active certlogind.socket certlogind-admin.socket certlogind-link.socket certlogin-gate@local.socket | sort -u)" active
host boot systemctl stop certlogind.service certlogin-gate@local.service
is "nothing runs before it is needed" "$(host boot systemctl is-active certlogind.service certlogin-gate@local.service | sort -u)" inactive
like "a login starts daemon and gate" "$(alice sudo -k id -un)" root
for unit in certlogind certlogin-gate@local; do
	is "$unit is active" "$(show $unit.service ActiveState)" active
	is "$unit told READY and STATUS" "$(show $unit.service StatusText | grep -c .)" 1
done
uids=$(for u in certlogind certlogin-gate@local; do host boot stat -c %U "/proc/$(show $u.service MainPID)/maps"; done | sort -u | tr '\n' ' ')
like "they have uids of their own" "$(host boot ps -o user:30=,comm= -p "$(show certlogind.service MainPID),$(show certlogin-gate@local.service MainPID)" | sort)" 'certlogin .*certlogind.*certlogin-gate-local'
is "and are not dumpable" "$uids" "root "

status() { host boot sed -n "s/^$2:[[:space:]]*//p" "/proc/$(show "$1.service" MainPID)/status"; }
for unit in certlogind certlogin-gate@local; do
	is "$unit: no new privileges" "$(status $unit NoNewPrivs)" 1
	is "$unit: seccomp filter" "$(status $unit Seccomp)" 2
	is "$unit: no capability" "$(status $unit CapEff)" 0000000000000000
	is "$unit: nor in its bounding set" "$(status $unit CapBnd)" 0000000000000000
done
inside() { host boot nsenter -t "$(show "$1.service" MainPID)" -m -n -- "${@:2}"; }
check_not "authority: cannot write /etc" inside certlogind touch /etc/x
check_not "authority: sees no home" inside certlogind ls /home/alice
is "authority: no network but lo" "$(inside certlogind ip -o link | wc -l)" 1
check_not "gate: no key in its sight" inside certlogin-gate@local ls /etc/certlogin/host.key
check_not "gate: no database in its sight" inside certlogin-gate@local ls /var/lib/certlogin/certlogin.db

pid=$(show certlogind.service MainPID)
host boot systemctl kill --signal=STOP certlogind.service
host boot systemctl show certlogind.service -p WatchdogUSec --value >/dev/null
host boot systemctl kill --signal=KILL certlogind.service
like "killed: the next login starts it again" "$(alice sudo -k id -un)" root
[ "$(show certlogind.service MainPID)" != "$pid" ] && ok "as a new process" || not_ok "as a new process"
host boot systemctl restart certlogind.service
like "restarted: logins go on" "$(alice sudo -k id -un)" root
before=$(cl audit list --last 1 --json | jq '.events[-1].id')
host boot systemctl stop certlogind.service
is "stopped: it ends well" "$(show certlogind.service Result)" success
[ "$(cl audit list --last 1 --json | jq '.events[-1].id')" -ge "$before" ] && ok "and lost nothing" || not_ok "and lost nothing"

# idle exit: safe, and the socket brings it back
mkdir -p "$root/run/systemd/system/certlogind.service.d"
host boot mkdir -p /run/systemd/system/certlogind.service.d
host boot bash -c 'printf "[Service]\nExecStart=\nExecStart=/usr/libexec/certlogin/certlogind --idle-exit 1\nWatchdogSec=2\n" >/run/systemd/system/certlogind.service.d/idle.conf; systemctl daemon-reload; systemctl restart certlogind.service'
for _ in $(seq 60); do [ "$(show certlogind.service ActiveState)" = inactive ] && break; sleep 0.1; done
is "idle: it ends" "$(show certlogind.service ActiveState)/$(show certlogind.service Result)" inactive/success
good=0
for _ in $(seq 8); do sleep 0.$((RANDOM % 9))9; [ "$(alice sudo -k id -un)" = root ] && good=$((good + 1)); done
is "idle: no login is lost in the race" $good 8
host boot bash -c 'printf "[Service]\nExecStart=\nExecStart=/usr/libexec/certlogin/certlogind\nWatchdogSec=2\n" >/run/systemd/system/certlogind.service.d/idle.conf; systemctl daemon-reload; systemctl restart certlogind.service'
pid=$(show certlogind.service MainPID)
host boot kill -STOP "$pid"
for _ in $(seq 60); do [ "$(show certlogind.service MainPID)" != "$pid" ] && break; sleep 0.1; done
like "hanging: the watchdog restarts it" "$(host boot journalctl -b --no-pager -u certlogind.service)" '[Ww]atchdog'
like "and logins go on" "$(alice sudo -k id -un)" root

# the network gate is off until it is asked for; a ticket over TCP
is "the network gate is off" "$(host boot systemctl is-active certlogin-gate@network.socket)" inactive
pin=$(cl setup --listen 4715 | grep -o 'sha256:[A-Za-z0-9+/=]*' | head -1)
host boot systemctl daemon-reload
host boot systemctl enable --now --quiet certlogin-gate@network.socket
like "an untrusted host is refused with the line that would trust it" \
	"$(alice certlogin ticket 127.0.0.1 --service sshd --account alice)" 'certlogin trust 127.0.0.1'
check "trust by pin" as alice env HOME=/home/alice certlogin trust 127.0.0.1 --pin "$pin"
cl access allow alice alice --service sshd >/dev/null
out=$(alice certlogin ticket 127.0.0.1 --service sshd --account alice)
like "sshd takes no loose ticket by default: denied" "$out" 'denied'
cl service set sshd --class login --via any --loose yes >/dev/null
like "with loose tickets allowed: a ticket over TCP" "$(alice certlogin ticket 127.0.0.1 --service sshd --account alice)" 'cl1-[A-Z2-7]{26}'
is "it came through the network gate's own uid" "$(host boot ps -o user:30= -p "$(show certlogin-gate@network.service MainPID)" | tr -d ' ')" certlogin-gate-network
check "wrong pin is kept apart" as alice env HOME=/home/alice certlogin trust 127.0.0.1 --pin "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
like "a changed host refuses loudly" "$(alice certlogin ticket 127.0.0.1 --service sshd --account alice)" 'cannot be authenticated'
is "no unit failed" "$(host boot systemctl --failed --plain --no-legend | grep -c certlogin)" 0
done_testing
