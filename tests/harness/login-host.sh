# shellcheck shell=bash
# The private host of the application tests: certlogin set up, alice enrolled, sudo and su take it.
#
#	. login-host.sh; login_host NAME        alice may use alice@sudo and root@su
#	issue WHO ARGS...                       certificate in /home/WHO/.config/certlogin/client.{key,crt}
#	explain_last                            text of the newest denial
#	reason_of EVENT                         as `certlogin explain --json` gives it
#	reason_last                             of the newest denial

export builddir=${top_builddir:?run by make check-host}
builddir=$(cd "$builddir" && pwd)
# shellcheck source=tests/harness/host.sh
. "${top_srcdir:?}/tests/harness/host.sh"
host_private "$@"
# shellcheck source=tests/harness/tap.sh
. "${top_srcdir:?}/tests/harness/tap.sh"

pam_lines() { # SERVICE: the module before what the distribution has
	local f=$1
	sed -i -e '1i auth sufficient pam_certlogin.so' -e '1i account required pam_certlogin.so' \
		-e '1i session required pam_certlogin.so' "$f"
}

login_host() {
	local name=$1 root u
	H=$name
	host_up "$name"
	host_install "$name" || { not_ok "make install"; exit 1; }
	root=$(host_root "$name")
	for u in alice bob mallory; do
		useradd --root "$root" -m -s /bin/bash $u 2>/dev/null
		echo "$u ALL=(ALL) ALL" >>"$root/etc/sudoers.d/test"
	done
	echo 'Defaults env_keep += "SSH_AUTH_SOCK"' >>"$root/etc/sudoers.d/test"
	chmod 440 "$root/etc/sudoers.d/test"
	for u in sudo su su-l; do pam_lines "$root/etc/pam.d/$u"; done
	host_boot "$name" || { not_ok "the private host boots"; host "$name" journalctl -b --no-pager | tail -40; exit 1; }
	cl setup >/dev/null || { not_ok "setup"; exit 1; }
	host "$name" systemctl enable --now --quiet certlogind.socket certlogin-gate@local.socket
	cl ca create >/dev/null && cl identity add alice >/dev/null && cl access allow alice alice --service sudo >/dev/null &&
		cl access allow alice root --service su >/dev/null &&
		issue alice && cl enroll alice /home/alice/.config/certlogin/client.crt >/dev/null ||
		{ not_ok "alice is set up"; host "$name" journalctl -b --no-pager -u 'certlogin*' | tail -30; exit 1; }
}

cl() { host "$H" certlogin "$@"; }
as() { host_as "$H" "$@"; }
# alice CMD: a shell line of alice's, in her home, nothing on standard input
alice() { as alice bash -c "cd; $*" </dev/null 2>&1; }
issue() {
	local who=$1
	shift
	cl ca issue "$who" --out "/home/$who/.config/certlogin/client" --owner "$who" "$@" >/dev/null
}
# with_agent CMD: alice's key in an agent alone
with_agent() {
	alice "eval \$(ssh-agent) >/dev/null; ssh-add -q .config/certlogin/client.key; mv .config/certlogin .aside;
		$*; s=\$?; mv .aside .config/certlogin; ssh-agent -k >/dev/null; exit \$s"
}
last_deny() { cl audit list --last 1 --verdict deny --json; }
reason_of() { cl explain "$1" --json | jq -r '.event.reason'; }
reason_last() { reason_of "$(last_deny | jq -r '.events[-1].id')"; }
explain_last() { cl explain "$(last_deny | jq -r '.events[-1].id')"; }
# denied NAME REASON CMD: CMD fails, and the newest denial's reason is REASON
denied() {
	local name=$1 reason=$2 before out
	shift 2
	before=$(last_deny | jq -r '.events[-1].id // 0')
	if out=$("$@"); then not_ok "$name: refused" "$out"; else ok "$name: refused"; fi
	is "$name: reason" "$(reason_last)" "$reason"
	[ "$(last_deny | jq -r '.events[-1].id // 0')" != "$before" ] || not_ok "$name: has an event of its own" "$out"
}
