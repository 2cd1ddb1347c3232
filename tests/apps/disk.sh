#!/bin/bash
# A full disk releases the ballast and logins go on; then they are refused; a read-only one refuses at once.
. "${top_srcdir:?}/tests/harness/login-host.sh"
login_host disk
root=$(host_root disk)
state=/var/lib/certlogin

# the state directory on a small file system of its own
host disk systemctl stop certlogind.socket certlogind-admin.socket certlogind-link.socket certlogind.service
host disk bash -c "mv $state /var/lib/keep && mkdir -m700 $state && chown certlogin: $state &&
	mount -t tmpfs -o size=16M,mode=700,uid=\$(id -u certlogin),gid=\$(id -g certlogin) tmpfs $state && cp -a /var/lib/keep/. $state/"
host disk systemctl start certlogind.socket certlogind-admin.socket certlogind-link.socket
like "a login on the small file system" "$(alice sudo -k id -un)" root
host disk bash -c "dd if=/dev/zero of=$state/filler bs=4k 2>/dev/null; true"
like "the disk is full: the ballast is released and logins go on" "$(alice sudo -k id -un)" root
like "status says so" "$(cl status --json)" '"ballastReleased": true'
like "the journal shouts" "$(host disk journalctl -b --no-pager -u certlogind.service)" '[Bb]allast'
host disk bash -c "dd if=/dev/zero of=$state/filler2 bs=4k 2>/dev/null; true"
full=0
for _ in $(seq 2000); do
	out=$(alice sudo -k id -un) || { full=1; break; }
done
is "full again: refused, since no record can be written" $full 1
like "the user is told" "$out" 'certlogin: (no ticket|authority not reachable)'
like "the journal says why" "$(host disk journalctl -b --no-pager -u certlogind.service)" \
	'record cannot be written, logins are refused: No space left on device'
host disk rm -f $state/filler $state/filler2
like "room again: allowed, nobody repaired anything" "$(alice sudo -k id -un)" root
check "the chain verifies" cl audit verify

# Read-only: no record can be written, so nobody is let in, in bounded time.
host disk systemctl stop certlogind.service
host disk mount -o remount,ro $state
start=$SECONDS
if out=$(alice sudo -k id); then not_ok "a read-only database: refused" "$out"; else ok "a read-only database: refused"; fi
[ $((SECONDS - start)) -le 20 ] && ok "in bounded time" || not_ok "in bounded time" "$((SECONDS - start)) s"
like "the user is told" "$out" 'certlogin: authority not reachable'
like "the journal says why" "$(host disk journalctl -b --no-pager -u certlogind.service)" 'cannot be written \(Read-only file system\)'
host disk mount -o remount,rw $state
like "writable again: allowed" "$(alice sudo -k id -un)" root
check "the chain verifies still" cl audit verify
done_testing
