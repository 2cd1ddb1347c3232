#!/bin/bash
# The verb table against what is written by hand: manual, completion, the reasons of decide().
. "${top_srcdir:?}/tests/harness/tap.sh"
certlogin=${certlogin:-$top_builddir/certlogin}
command -v jq >/dev/null || skip_all "jq is needed"

$certlogin help --json >"$TAP_TMP/verbs" || { not_ok "help --json"; done_testing; }
names() { jq -r '.verbs[] | .verb + (if .action then " " + .action else "" end)' "$TAP_TMP/verbs"; }
options() { # "verb action" or "verb"
	jq -r --arg n "$1" '.verbs[] | select(.verb + (if .action then " " + .action else "" end) == $n) | .options[].name' \
		"$TAP_TMP/verbs"
}
[ "$(names | wc -l)" -gt 30 ] && ok "the table has verbs" || not_ok "the table has verbs"

# One paragraph of the manual a verb, and in its head every option that it takes, and no other.
man=$top_srcdir/docs/man/certlogin.1
while read -r name; do
	head=$(awk -v v=".Ic $name" '/^\.It Xo/ { it = 1; next } it && $0 == v { on = 1 } it { it = 0 } on && /^\.Xc/ { exit } on' "$man")
	if [ -z "$head" ]; then not_ok "manual: $name"; continue; fi
	is "manual: $name" "$(sed -n 's/^\.Op Fl -\([a-z0-9-]*\).*/\1/p' <<<"$head" | sort)" "$(options "$name" | sort)"
done < <(names)
while read -r o; do
	check "manual: --$o" grep -Eq "^\.It (Fl . , )?Fl -$o\b" "$man"
done < <(jq -r '.options[].name' "$TAP_TMP/verbs")
is "manual: no verb too many" "$(awk '/^\.It Xo/ { it = 1; next } it { print; it = 0 }' "$man" | wc -l)" "$(names | wc -l)"

# shellcheck source=docs/completion/certlogin.bash
. "$top_srcdir/docs/completion/certlogin.bash"
complete_words() { # WORDS...: what is offered for the last
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_certlogin
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
globals=$(jq -r '.options[].name' "$TAP_TMP/verbs" | sed 's/^/--/')
is "completion: verbs" "$(complete_words certlogin '' | grep -v '^--')" "$(jq -r '.verbs[].verb' "$TAP_TMP/verbs" | sort -u)"
while read -r verb; do
	is "completion: actions of $verb" "$(complete_words certlogin "$verb" '' | grep -v '^--')" \
		"$(jq -r --arg v "$verb" '.verbs[] | select(.verb == $v) | .action' "$TAP_TMP/verbs" | sort)"
done < <(jq -r '.verbs[] | select(.action) | .verb' "$TAP_TMP/verbs" | sort -u)
while read -r name; do
	# shellcheck disable=SC2086  # two words
	is "completion: options of $name" "$(complete_words certlogin $name -)" \
		"$({ options "$name" | sed 's/^/--/'; echo "$globals"; } | sort)"
done < <(names)
is "completion: values" "$(complete_words certlogin service set sudo --class e)" elevate
is "completion: globals before the verb" "$(complete_words certlogin --runtime-dir /x statu)" status

# Each reason that decide() can give has a meaning and an advice.
while read -r reason; do
	name=$(tr 'A-Z_' 'a-z-' <<<"$reason")
	check "reason: $name" grep -q "{ \"$name\"," "$top_srcdir/cli/show.c"
	check "manual: reason $name" grep -Eq "^\.It .*\b$name\b" "$top_srcdir/docs/man/certlogin.7"
done < <(sed -n 's/^\tREASON_\([A-Z_]*\),.*/\1/p' "$top_srcdir/daemon/authority/decide.h" | grep -v -e '^NONE$' -e '_$')
done_testing
