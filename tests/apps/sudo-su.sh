#!/bin/bash
# Real sudo, su and sshd on a booted private host: what is allowed, and each refusal with its reason.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host apps

like "sudo by key file" "$(alice sudo -k id -un)" 'root'
like "sudo by agent" "$(with_agent sudo -k id -un)" 'root'
like "su by key file" "$(alice "su -c 'id -un'")" 'root'
like "su - by key file is another service: refused" "$(alice "su - -c 'id -un'" || echo refused)" 'refused'
is "its reason" "$(reason_last)" service-not-allowed
cl access allow alice root --service @elevate >/dev/null
like "su - with access to the class" "$(alice "su - -c 'id -un'")" 'root'

# ssh -A into this host's sshd, then sudo with the agent of the other end
root=$(host_root apps)
host apps systemctl start ssh
install -d -m700 -o "$(stat -c %u "$root/home/alice")" "$root/home/alice/.ssh"
host apps ssh-keygen -q -t ed25519 -N '' -f /root/login
host apps bash -c 'cat /root/login.pub >/home/alice/.ssh/authorized_keys; chown alice /home/alice/.ssh/authorized_keys'
host apps cp /home/alice/.config/certlogin/client.key /root/client.key
host apps mv /home/alice/.config/certlogin /home/alice/.away
like "sudo through ssh -A into a real sshd" "$(host apps bash -c '
	eval $(ssh-agent) >/dev/null; ssh-add -q /root/client.key
	ssh -A -i /root/login -o StrictHostKeyChecking=no -o LogLevel=ERROR alice@127.0.0.1 sudo -k id -un 2>&1
	ssh-agent -k >/dev/null')" 'root'
host apps mv /home/alice/.away /home/alice/.config/certlogin

sessions=$(cl session list --all --json)
is "each login has its session, with the account that was authenticated" \
	"$(jq -r '[.sessions[] | .identity + "/" + .accountAuth + "/" + .accountNow + "/" + .service] | unique | join(" ")' <<<"$sessions")" \
	"alice/alice/root/sudo alice/root/root/su alice/root/root/su-l"
is "all of them are closed" "$(jq '[.sessions[] | select(.closed == null)] | length' <<<"$sessions")" 0

denied "no certificate" no-proof as bob bash -c 'cd; su -c id </dev/null'
host apps openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=alice \
	-addext extendedKeyUsage=clientAuth -keyout /root/foreign.key -out /root/foreign.crt 2>/dev/null
swap() { # KEY CRT: alice's key files, once
	host apps bash -c "cd /home/alice/.config/certlogin && cp -a client.key k.keep && cp -a client.crt c.keep &&
		cat $1 >client.key && cat $2 >client.crt"
}
unswap() { host apps bash -c "cd /home/alice/.config/certlogin && mv k.keep client.key && mv c.keep client.crt"; }
swap /root/foreign.key /root/foreign.crt
denied "foreign CA" foreign-ca alice sudo -k id
unswap
odd() { # NAME REASON ARGS: a certificate of our CA with ARGS, enrolled unless the CLI refuses it
	local name=$1 reason=$2
	shift 2
	cl ca issue alice --out /root/odd "$@" >/dev/null
	swap /root/odd.key /root/odd.crt
	denied "$name" "$reason" alice sudo -k id
	unswap
	host apps rm -f /root/odd.key /root/odd.crt
}
odd "expired" expired --not-before '2020-01-01' --not-after '2020-02-01'
odd "not yet valid" not-yet-valid --not-before '2090-01-01' --not-after '2091-01-01'
odd "server-only EKU" eku --eku server
odd "not enrolled" not-enrolled
cl identity disable alice --reason test >/dev/null
denied "identity disabled" identity-disabled alice sudo -k id
cl identity enable alice >/dev/null
cl access deny alice alice --service sudo >/dev/null
denied "account not allowed" account-not-allowed alice sudo -k id
cl access allow alice alice --service sshd >/dev/null
denied "service not allowed" service-not-allowed alice sudo -k id
cl access allow alice alice --service sudo >/dev/null
cl service remove sudo >/dev/null
denied "service without a row" service-unknown alice sudo -k id
cl service set sudo --class elevate --via local >/dev/null
like "all is well again" "$(alice sudo -k id -un)" root
like "explain names each check" "$(explain_last)" 'service.*(proof|chain)|proof.*service|No service|service'

# Tickets by hand: only for the login, account and service that were signed, once, for a minute
cat >"$root/root/typed.exp" <<'X'
# typed.exp USER ACCOUNT SHELL-MAKING-THE-TICKET: su with a typed ticket
log_user 1
set timeout 30
spawn -noecho setpriv --reuid=[lindex $argv 0] --regid=[lindex $argv 0] --init-groups --reset-env su [lindex $argv 1] -c "echo INSIDE; id -un"
expect -re {login ([A-Z2-7-]+)} { set id $expect_out(1,string) }
set ticket [exec sh -c "[string map [list ID $id] [lindex $argv 2]] 2>>/root/typed.err"]
send "$ticket\r"
expect eof
X
by_hand() { host apps expect /root/typed.exp "$@" 2>&1; }
t='setpriv --reuid=alice --regid=alice --init-groups --reset-env certlogin ticket --yes --service su --account root'
like "mallory's su to root with alice's ticket for that very login" "$(by_hand mallory root "$t --login ID")" 'INSIDE.*root'
unlike "a loose ticket for su" "$(by_hand mallory root "$t 2>/dev/null || true")" 'INSIDE'
is "its reason" "$(cl audit list --last 1 --kind login.commit --json | jq -r '.events[-1].reason')" ticket-loose
like "a ticket for another service" "$(by_hand mallory root "$(sed s/su/sudo/2 <<<"$t") --login ID 2>&1 || true")" '.'
unlike "is refused" "$(by_hand mallory root "$t --service sudo --login ID 2>/dev/null || echo x")" 'INSIDE'
host apps sh -c "touch /root/kept"
unlike "a ticket made for another login" "$(
	by_hand mallory root "$t --login ID | tee /root/kept" >/dev/null
	by_hand mallory root "cat /root/kept")" 'INSIDE'
like "says so" "$(reason_last)" 'ticket-(used|other-login)'

like "the key holder is told what it is for" "$(cat "$root/root/typed.err")" "su to root, started by .*uid $(host apps id -u mallory)"
host apps systemctl stop certlogin-gate@local.socket certlogin-gate@local.service
denied "gate stopped" no-proof alice sudo -k id
host apps systemctl start certlogin-gate@local.socket
host apps systemctl stop certlogind.socket certlogind-admin.socket certlogind-link.socket certlogind.service
start=$SECONDS
alice sudo -k id >/dev/null; r=$?
[ $r -ne 0 ] && ok "daemon stopped: refused" || not_ok "daemon stopped: refused"
[ $((SECONDS - start)) -le 15 ] && ok "in bounded time" || not_ok "in bounded time" "$((SECONDS - start)) s"
host apps systemctl start certlogind.socket certlogind-admin.socket certlogind-link.socket
like "and allowed again when it is back" "$(alice sudo -k id -un)" root
like "the chain verifies" "$(cl audit verify)" '[Gg]ood|verif|intact'
is "nothing failed on the host" "$(host apps systemctl --failed --plain --no-legend | grep -c certlogin)" 0
done_testing
