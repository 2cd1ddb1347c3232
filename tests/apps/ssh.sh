#!/bin/bash
# Real sshd with the module, and certlogin ssh: a card at home opens a session here.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host ssh
root=$(host_root ssh)

pam_lines "$root/etc/pam.d/sshd"
printf 'PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes\n' >"$root/etc/ssh/sshd_config.d/certlogin.conf"
host ssh systemctl start ssh
pin=$(cl setup --listen=127.0.0.1:4715 2>&1 | grep -o 'sha256:[A-Za-z0-9+/=]*' | head -1)
host ssh systemctl daemon-reload
host ssh systemctl start certlogin-gate@network.socket
[ -n "$pin" ] || pin=$(cl status --json | jq -r .status.hostPin)

# bob's home is far away: he has alice's key and knows this host's ssh key
host ssh bash -c 'cp -r /home/alice/.config /home/bob/; install -d -m700 /home/bob/.ssh
	ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null >/home/bob/.ssh/known_hosts; chown -R bob:bob /home/bob/.config /home/bob/.ssh'
bob() { as bob bash -c "cd; $*" </dev/null 2>&1; }
bob_ssh() { bob timeout 60 certlogin ssh "$@"; }
newest() { cl audit list --last 1 --json --kind "$1" | jq -r ".events[-1].$2"; }

out=$(bob_ssh alice@127.0.0.1 id -un) && not_ok "a host that is not trusted is refused" "$out"
like "with the line that would trust it" "$out" 'certlogin trust 127.0.0.1 --pin sha256:'
like "and ssh was not even started" "$out" '^certlogin: you have not said'
bob certlogin trust 127.0.0.1 --pin "'$pin'" >/dev/null

out=$(bob_ssh alice@127.0.0.1 id -un) && not_ok "no access: refused" "$out"
is "no access: the reason" "$(reason_last)" service-not-allowed
like "no access: the user is told, with the event's number" "$out" 'denied.*event [0-9]+'
cl access allow alice alice --service sshd >/dev/null
out=$(bob_ssh alice@127.0.0.1 id -un)
like "certlogin ssh" "$out" 'alice$'
like "it says what the login is" "$out" 'This login: sshd to alice'
like "options of ssh's before the host" "$(bob_ssh -p 22 -l alice -o LogLevel=ERROR 127.0.0.1 'echo in as \$LOGNAME')" 'in as alice'
like "options of both" "$(bob_ssh --service sshd --gate 127.0.0.1:4715 -- -p 22 alice@127.0.0.1 echo here)" 'here'
is "each has its session, over the network" \
	"$(cl session list --all --json | jq -r '[.sessions[] | .identity + "/" + .accountAuth + "/" + .service] | unique | join(" ")')" "alice/alice/sshd"
is "all of them are closed" "$(cl session list --all --json | jq '[.sessions[] | select(.closed == null)] | length')" 0

# --- what a ticket is good for ---
denied "another account" service-not-allowed bob_ssh root@127.0.0.1 id
cl identity disable alice >/dev/null
denied "a disabled identity" identity-disabled bob_ssh alice@127.0.0.1 id
cl identity enable alice >/dev/null
out=$(bob_ssh --service sudo alice@127.0.0.1 id) && not_ok "a ticket for another service: refused" "$out"
like "a ticket for another service: none is given" "$out" 'another|denied'

# A relay: this sshd shows a login id of its own, the user's gate is another.
bob certlogin trust localhost --pin sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= >/dev/null
out=$(bob_ssh --gate localhost alice@127.0.0.1 id) && not_ok "a gate that is not the trusted one: refused" "$out"
like "a gate that is not the trusted one: why" "$out" 'cannot be authenticated'

# --- the helper's own questions, and those that are not ours ---
out=$(bob CERTLOGIN_SSH= timeout 10 /usr/libexec/certlogin/ssh-askpass "'certlogin ticket (login 7KQ2-M4XD-ABCD-E): '") && not_ok "ssh-askpass by itself" "$out"
host ssh bash -c 'rm /home/bob/.ssh/known_hosts'
cat >"$root/root/hostkey.exp" <<'X'
set timeout 30
spawn -noecho setpriv --reuid=bob --regid=bob --init-groups --reset-env certlogin ssh alice@127.0.0.1 id -un
expect -re {fingerprint is SHA256.*\n}
expect -re {\(yes/no/\[fingerprint\]\)\? }
send "yes\r"
expect -re {\nalice\r?\n} { puts SEEN }
X
like "ssh's own question comes to the terminal" "$(host ssh expect /root/hostkey.exp 2>&1)" 'SEEN'

# --- the daemon away, the gate away ---
host ssh systemctl stop certlogin-gate@network.socket certlogin-gate@network.service
SECONDS=0
out=$(bob_ssh alice@127.0.0.1 id) && not_ok "gate away: refused" "$out"
like "gate away: why" "$out" 'cannot reach 127.0.0.1 port 4715'
[ $SECONDS -lt 30 ] && ok "gate away: nothing hangs" || not_ok "gate away: nothing hangs" $SECONDS
host ssh systemctl start certlogin-gate@network.socket
host ssh systemctl stop certlogind.socket certlogind-link.socket certlogind.service
SECONDS=0
out=$(bob_ssh alice@127.0.0.1 id) && not_ok "daemon away: refused" "$out"
[ $SECONDS -lt 30 ] && ok "daemon away: nothing hangs" || not_ok "daemon away: nothing hangs" $SECONDS
host ssh systemctl start certlogind.socket certlogind-link.socket
like "and back again" "$(bob_ssh alice@127.0.0.1 id -un)" 'alice$'
cl audit verify >/dev/null && ok "the audit's chain verifies" || not_ok "the audit's chain verifies"
done_testing
