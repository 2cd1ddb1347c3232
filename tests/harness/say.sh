# shellcheck shell=bash
# What quickstart and check print.  Colours on a terminal only, and NO_COLOR is respected.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	c_step=$'\e[1;36m' c_cmd=$'\e[1m' c_bad=$'\e[1;31m' c_good=$'\e[32m' c_off=$'\e[0m'
else
	c_step='' c_cmd='' c_bad='' c_good='' c_off=''
fi

say() { printf '%s==>%s %s\n' "$c_step" "$c_off" "$*"; }
die() {
	printf '%serror:%s %s\n' "$c_bad" "$c_off" "$*" >&2
	exit 1
}

# quietly WHAT CMD...: runs it with its output kept aside, seconds counted on a terminal.
quietly() {
	local what=$1 log start=$SECONDS pid
	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1 &
	pid=$!
	while [ -t 1 ] && kill -0 $pid 2>/dev/null; do
		printf '\r    %s … %ds ' "$what" $((SECONDS - start))
		sleep 0.5
	done
	if wait $pid; then
		if [ -t 1 ]; then printf '\r'; fi
		printf '    %s: %sdone%s (%ds)\n' "$what" "$c_good" "$c_off" $((SECONDS - start))
		rm -f "$log"
		return 0
	fi
	if [ -t 1 ]; then printf '\r'; fi
	printf '    %s: %sfailed%s\n' "$what" "$c_bad" "$c_off"
	tail -40 "$log"
	rm -f "$log"
	return 1
}

# build DIR CONFIGURE-ARGUMENTS...: out-of-tree build; $top is the checkout.
build() {
	local dir=$1
	shift
	mkdir -p "$dir"
	[ -x "$top/configure" ] && [ "$top/configure" -nt "$top/configure.ac" ] ||
		quietly "autoreconf" sh -c "cd '$top' && mkdir -p m4 && autoreconf -fi" || return 1
	[ -e "$dir/Makefile" ] || quietly "configure ($(basename "$dir"))" sh -c \
		'd=$1 t=$2; shift 2; cd "$d" && exec "$t/configure" -q "$@"' sh "$dir" "$top" "$@" || return 1
	quietly "make ($(basename "$dir"))" make -s -C "$dir" -j"$(nproc)" all
}

# Where Debian keeps things; what a package would pass.
configure_debian() {
	echo --prefix=/usr --sysconfdir=/etc --localstatedir=/var "--libdir=/usr/lib/$(gcc -print-multiarch)" \
		--libexecdir=/usr/libexec --with-unitdir=/lib/systemd/system "--with-pamdir=/lib/$(gcc -print-multiarch)/security"
}
