#!/bin/bash
# Never a login without a record: daemon and gates are killed at random points under load; afterwards
# each login that PAM allowed is in event and session, the chain verifies, nothing needs repair.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host kill
kills=${KILLS:-200}
root=$(host_root kill)
# ours alone: a refusal comes at once, not after pam_unix' two seconds
sed -i -e '/common-auth/d' -e 's/auth sufficient/auth required/' "$root/etc/pam.d/sudo"

# A user's loop of logins.  What sudo ran, it ran after PAM's allow and the open session.
cat >"$root/root/load.sh" <<'X'
#!/bin/bash
cd /home/alice
while [ ! -e /run/load-stop ]; do sudo -k sh -c 'echo $CERTLOGIN_LOGIN' 2>/dev/null; done >"/tmp/allowed.$1"
X
host kill chmod 755 /root /root/load.sh
for i in 1 2 3; do host_as kill alice bash /root/load.sh $i </dev/null & done
n=0
while [ $n -lt "$kills" ]; do
	sleep "0.$(printf %03d $((RANDOM % 300 + 20)))"
	case $((RANDOM % 3)) in
	0) unit=certlogin-gate@local.service ;;
	*) unit=certlogind.service ;;
	esac
	host kill systemctl kill --signal=KILL $unit 2>/dev/null && n=$((n + 1))
done
host kill touch /run/load-stop
wait $(jobs -p | grep -v "${host_nspawn[kill]}") 2>/dev/null
ok "$n kills"
sleep 1
host kill bash -c "cat /tmp/allowed.*" | grep . | sort >"$TAP_TMP/allowed"
allowed=$(wc -l <"$TAP_TMP/allowed")
[ "$allowed" -gt 50 ] && ok "logins went on ($allowed were allowed)" || not_ok "logins went on" "$allowed"
like "a login works at once, nobody repaired anything" "$(alice sudo -k id -un)" root

db=$TAP_TMP/copy.db
cl backup /root/copy.db >/dev/null && cp "$root/root/copy.db" "$db"
sqlite3 "$db" "SELECT login_id FROM session" | sort >"$TAP_TMP/sessions"
sqlite3 "$db" "SELECT login_id FROM event WHERE kind = 'login.redeem' AND verdict = 'allow'" | sort >"$TAP_TMP/events"
is "each allowed login is in session" "$(comm -23 "$TAP_TMP/allowed" "$TAP_TMP/sessions" | wc -l)" 0
is "each allowed login is in event" "$(comm -23 "$TAP_TMP/allowed" "$TAP_TMP/events" | wc -l)" 0
check "the chain verifies" cl audit verify
is "no session is left open" "$(cl session list --json | jq '.sessions | length')" 0
is "the database is sound" "$(sqlite3 "$db" 'PRAGMA integrity_check')" ok
done_testing
