#!/bin/bash
# Real sudo, su and sshd on a booted private host: what is allowed, and each refusal with its reason.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host apps

# A ticket that is typed after its minute: begun here, looked at when that is over.
cl identity add bob >/dev/null
cl access allow bob root --service su >/dev/null
issue bob
cl enroll bob /home/bob/.config/certlogin/client.crt >/dev/null
cat >"$(host_root apps)/root/typed.exp" <<'X'
# typed.exp LOGIN-COMMAND TICKET-COMMAND SECONDS LOGINS: logins of mallory's, a ticket typed SECONDS late into the last.
# ID in TICKET-COMMAND is the login id of the first.
log_user 1
set timeout 100
for {set i 0} {$i < [lindex $argv 3]} {incr i} {
	eval spawn -noecho setpriv --reuid=mallory --regid=mallory --init-groups --reset-env [lindex $argv 0]
	expect -re {login ([A-Z2-7-]+)}
	if {$i == 0} { set id $expect_out(1,string) }
}
set ticket [exec sh -c "{ [string map [list ID $id] [lindex $argv 1]]; } 2>>/root/typed.err"]
sleep [lindex $argv 2]
send "$ticket\r"
expect {
	"assword:" { send "\r"; exp_continue }
	eof
}
X
su_root='su root -c {echo INSIDE; id -un}'
by_hand() { host apps expect /root/typed.exp "$@" 2>&1; }
ticket_of() { echo "setpriv --reuid=$1 --regid=$1 --init-groups --reset-env certlogin ticket --yes"; }
by_hand "$su_root" "$(ticket_of bob) --service su --account root --login ID" 61 1 >"$TAP_TMP/late" &
late=$!

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

denied "no certificate" no-proof as mallory bash -c 'cd; su -c id </dev/null'
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
t=$(ticket_of alice)
newest() { cl audit list --last 1 --kind "login.$1" --verdict deny --json | jq -r '.events[-1].id // 0'; } # KIND
typed() { # NAME REASON KIND LOGINS LOGIN-COMMAND TICKET-COMMAND: not let in, and why
	local before
	before=$(newest "$3")
	unlike "$1: refused" "$(by_hand "$5" "$6" 0 "$4")" 'INSIDE|successfully'
	is "$1: reason, in an event of its own" "$([ "$(newest "$3")" = "$before" ] || reason_of "$(newest "$3")")" "$2"
}
like "mallory's su to root with alice's ticket for that very login" \
	"$(by_hand "$su_root" "$t --service su --account root --login ID | tee /root/used" 0 1)" 'INSIDE.*root'
wait $late
unlike "a ticket after its minute: refused" "$(cat "$TAP_TMP/late")" INSIDE
is "a ticket after its minute: reason" "$(reason_of "$(cl audit list --last 1 --kind login.redeem --identity bob --json | jq -r '.events[-1].id')")" ticket-expired
typed "a ticket reused" ticket-used redeem 1 "$su_root" "cat /root/used"
typed "a ticket made for another login" ticket-other-login redeem 2 "$su_root" "$t --service su --account root --login ID"
typed "a loose ticket for su" ticket-loose commit 1 "$su_root" "$t --service su --account root || :"
typed "a loose ticket for sudo" ticket-loose commit 1 "$su_root" "$t --service sudo --account alice || :"
like "explain says what to do" "$(cl explain "$(newest commit)")" 'ticket --login'
unlike "our own program makes none for another account than the login's" \
	"$(by_hand "$su_root" "$t --service su --account alice --login ID || :" 0 1)" INSIDE
host apps sh -c 'echo "auth required pam_certlogin.so" >/etc/pam.d/imap'
for s in imap smtp; do
	cl service set $s --class app --redeem-uids any >/dev/null
	cl access allow alice alice --service $s >/dev/null
done
imap='pamtester imap alice authenticate'
like "a loose ticket where they are taken" "$(by_hand "$imap" "$t --service imap --account alice" 0 1)" successfully
typed "a ticket made for another account" ticket-other-account redeem 1 "${imap/alice/bob}" "$t --service imap --account alice"
typed "a ticket made for another service" ticket-other-service redeem 1 "$imap" "$t --service smtp --account alice"
like "the key holder is told what it is for" "$(cat "$root/root/typed.err")" "su to root, started by .*uid $(host apps id -u mallory)"
host apps systemctl stop certlogin-gate@local.socket certlogin-gate@local.service
denied "gate stopped" no-proof alice sudo -k id
host apps systemctl start certlogin-gate@local.socket
host apps systemctl stop certlogind.socket certlogind-admin.socket certlogind-link.socket certlogind.service
start=$SECONDS
out=$(alice sudo -k id); r=$?
[ $r -ne 0 ] && ok "daemon stopped: refused" || not_ok "daemon stopped: refused"
[ $((SECONDS - start)) -le 15 ] && ok "in bounded time" || not_ok "in bounded time" "$((SECONDS - start)) s"
host apps systemctl start certlogind.socket certlogind-admin.socket certlogind-link.socket
like "the user is told" "$out" 'certlogin: authority not reachable'
like "and so is the administrator" "$(host apps journalctl -b --no-pager -n 20)" 'auth: authority not reachable, account alice'
like "and allowed again when it is back" "$(alice sudo -k id -un)" root
like "the chain verifies" "$(cl audit verify)" '[Gg]ood|verif|intact'
is "nothing failed on the host" "$(host apps systemctl --failed --plain --no-legend | grep -c certlogin)" 0
done_testing
