# shellcheck shell=bash
# A private host: a real systemd booted from a throw-away overlay of this machine's own root, with
# certlogin installed in it.  Nothing outside is changed: own mount, pid and network namespaces, and
# everything vanishes with the script, also by kill -9.
#
#	host_private "$@"      before anything else: runs the script again inside its own namespaces
#	host_up NAME           overlay in $(host_root NAME), to be edited before the boot
#	host_install NAME      `make install` of $builddir into it, users made
#	host_boot NAME         boots it; 0 when systemd says "running"
#	host NAME CMD...       runs CMD in it as root
#	host_as NAME USER CMD  runs CMD as a user, with his own environment and nothing else
#	host_down NAME

host_private() {
	[ "$(id -u)" = 0 ] || { echo "this needs root (it makes private namespaces): use sudo" >&2; exit 1; }
	if [ -z "${CERTLOGIN_PRIVATE:-}" ]; then
		CERTLOGIN_PRIVATE=1 exec unshare -m -p -f --kill-child --mount-proc --propagation private -- \
			/bin/bash "$0" "$@"
	fi
}

host_setup() {
	host_tmp=$(mktemp -d /tmp/certlogin-host.XXXXXX)
	mount -t tmpfs -o size=3G,mode=755 certlogin-host "$host_tmp"
	# nspawn wants a cgroup2 tree; where systemd is not running there may be none.
	if [ ! -d /run/systemd/system ]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mkdir -p /run/systemd
		mount -t tmpfs -o mode=755 tmpfs /run/systemd
	fi
	if declare -F on_exit >/dev/null; then on_exit host_cleanup; else trap host_cleanup EXIT; fi
}

host_cleanup() {
	local name
	for name in "${!host_nspawn[@]}"; do host_kill "$name"; done
	umount -l "$host_tmp" 2>/dev/null
	rmdir "$host_tmp" 2>/dev/null
}

declare -A host_nspawn host_leader host_cgroup

host_root() { echo "$host_tmp/$1/root"; }

host_up() {
	local d r u
	[ -n "${host_tmp:-}" ] || host_setup
	d=$host_tmp/$1
	mkdir -p "$d/upper" "$d/work" "$d/root"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$d/upper,workdir=$d/work" "$d/root"
	r=$d/root
	tr -d - </proc/sys/kernel/random/uuid >"$r/etc/machine-id"
	rm -f "$r/var/lib/dbus/machine-id" "$r/usr/sbin/policy-rc.d" "$r/.dockerenv"
	rm -rf "$r"/etc/systemd/system/*.wants "$r/var/log/journal" "$r/var/lib/certlogin" "$r/etc/certlogin"
	for u in systemd-networkd.service systemd-networkd.socket systemd-resolved.service systemd-timesyncd.service \
		systemd-firstboot.service systemd-update-utmp-runlevel.service getty.target console-getty.service \
		apt-daily.timer apt-daily-upgrade.timer; do
		ln -sfn /dev/null "$r/etc/systemd/system/$u"
	done
	ln -sfn /lib/systemd/system/multi-user.target "$r/etc/systemd/system/default.target"
}

# host_install NAME: from $builddir
host_install() {
	local r
	r=$(host_root "$1")
	make -s -C "$builddir" install DESTDIR="$r" >"$host_tmp/install.log" 2>&1 ||
		{ cat "$host_tmp/install.log"; return 1; }
	systemd-sysusers --root="$r" 2>/dev/null
}

host_boot() {
	local name=$1 d=$host_tmp/$1 cg='' p i
	local opts=(--register=no)
	if [ ! -d /run/systemd/system ]; then
		# Parallel nspawns of one cgroup would fight: each gets its own.
		cg=/sys/fs/cgroup/certlogin.$name.$$.$RANDOM
		mkdir "$cg"
		opts+=(--keep-unit)
	fi
	host_cgroup[$name]=$cg
	(
		[ -z "$cg" ] || echo "$BASHPID" >"$cg/cgroup.procs"
		exec systemd-nspawn --quiet -D "$d/root" --boot "${opts[@]}" --private-network \
			--capability=CAP_BPF,CAP_PERFMON \
			--system-call-filter='bpf @keyring landlock_create_ruleset landlock_add_rule landlock_restrict_self' \
			--console=pipe --link-journal=no --resolv-conf=off --timezone=off --machine="certlogin-$name"
	) </dev/null >"$d.console" 2>&1 &
	host_nspawn[$name]=$!
	host_leader[$name]=
	for ((i = 0; i < 1000; i++)); do
		for p in $(pgrep -P "${host_nspawn[$name]}"); do
			[ "$(awk '/^NSpid/ { print $NF }' "/proc/$p/status" 2>/dev/null)" = 1 ] &&
				[ "$(cat "/proc/$p/comm" 2>/dev/null)" = systemd ] && host_leader[$name]=$p
		done
		[ -n "${host_leader[$name]}" ] && [ -S "/proc/${host_leader[$name]}/root/run/systemd/private" ] && break
		kill -0 "${host_nspawn[$name]}" 2>/dev/null || { cat "$d.console"; return 1; }
		sleep 0.02
	done
	[ -n "${host_leader[$name]}" ] || { cat "$d.console"; return 1; }
	host "$name" ip link set lo up 2>/dev/null
	[ "$(host "$name" systemctl is-system-running --wait)" = running ]
}

host() {
	local name=$1
	shift
	nsenter -t "${host_leader[$name]}" -m -u -i -n -p -C -r -w -- "$@"
}

host_as() {
	local name=$1 user=$2
	shift 2
	host "$name" setpriv --reuid="$user" --regid="$user" --init-groups --reset-env -- \
		env "USER=$user" ${HOST_ENV:+"$HOST_ENV"} "$@"
}

host_kill() {
	local name=$1
	[ -n "${host_nspawn[$name]:-}" ] || return 0
	kill -KILL "${host_leader[$name]:-${host_nspawn[$name]}}" 2>/dev/null
	wait "${host_nspawn[$name]}" 2>/dev/null
	unset "host_nspawn[$name]"
	[ -z "${host_cgroup[$name]}" ] || find "${host_cgroup[$name]}" -depth -type d -exec rmdir {} \; 2>/dev/null
	umount -l "$host_tmp/$name/root"
	rm -rf "${host_tmp:?}/$name"
}

host_down() {
	host "$1" systemctl --no-block poweroff 2>/dev/null
	local i
	for ((i = 0; i < 100; i++)); do kill -0 "${host_nspawn[$1]}" 2>/dev/null || break; sleep 0.05; done
	host_kill "$1"
}
