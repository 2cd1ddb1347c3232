# shellcheck shell=bash
# Installs what is missing of the packages in .ci/packages.  Sourced; wants $top.
#	packages_need build run ...

packages_need() {
	local kinds missing=() kind name
	kinds=" $* "
	while read -r kind name; do
		case $kinds in *" $kind "*) ;; *) continue ;; esac
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
	done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$top/.ci/packages")
	[ ${#missing[@]} -eq 0 ] && return 0
	say "installing ${#missing[@]} packages: ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "these packages are missing; run this once with sudo: ${missing[*]}"
	# Services that come with them (sshd, nginx) must not start on this machine.
	local policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
		trap 'rm -f /usr/sbin/policy-rc.d' RETURN
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -qq -y --no-install-recommends "${missing[@]}" >/tmp/certlogin-apt.$$ 2>&1 ||
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } \
			>/tmp/certlogin-apt.$$ 2>&1 ||
		{ tail -20 /tmp/certlogin-apt.$$; rm -f /tmp/certlogin-apt.$$; die "apt-get could not install them"; }
	rm -f /tmp/certlogin-apt.$$
}
