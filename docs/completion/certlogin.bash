# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for certlogin(1).  tests/component/cli-completion.sh holds it against the verb table.
# shellcheck disable=SC2207  # words without blanks, as completions are

_certlogin_globals='--json --utc --quiet --runtime-dir --config-dir --help'

# verb -> actions
_certlogin_actions() {
	case $1 in
	ca) echo create issue revoke crl ;;
	identity) echo add list show disable enable remove ;;
	access) echo allow deny list ;;
	service) echo list set remove ;;
	anchor) echo add list remove set show ;;
	crl) echo import status forget ;;
	ocsp) echo import list ;;
	rule) echo add list remove test ;;
	source) echo add list remove certificates ;;
	session) echo list show ;;
	audit) echo list follow verify ;;
	import) echo pam_pkcs11 sssd authorized-keys ad ;;
	esac
}

# "verb action" -> options of its own
_certlogin_options() {
	case $1 in
	setup) echo --listen --ca --hostname --enable --unit-dir ;;
	'ca create') echo --name --days ;;
	'ca issue') echo --days --not-before --not-after --eku --out --pubkey --csr --enroll --owner ;;
	'ca revoke') echo --reason ;;
	'ca crl') echo --days --out ;;
	'identity add') echo --full-name --from --until ;;
	'identity disable' | 'identity enable') echo --reason ;;
	'access allow') echo --service --from --until ;;
	'access deny') echo --service ;;
	'service set') echo --class --redeem-uids --via --loose --console ;;
	'crl import') echo --anchor --signer ;;
	'crl forget') echo --issuer --yes ;;
	'anchor add') echo --intermediate --pin-key ;;
	'anchor set') echo --eku-missing --eku-any --smartcard-logon --form --revocation --grace-hours ;;
	'rule add') echo --anchor --match --yield --domain --continue --create-identities --position ;;
	'source add') echo --anchor ;;
	trust) echo --pin --ca --list --remove ;;
	ticket) echo --service --account --login --key --cert --pkcs11 --yes ;;
	ssh) echo --service --gate --key --cert --pkcs11 ;;
	'ocsp import') echo --cert --issuer ;;
	'session list') echo --all ;;
	'audit list') echo --all --last --kind --identity --account --verdict ;;
	'audit follow') echo --last --kind --identity --account --verdict ;;
	test) echo --cert --account --service --at --via ;;
	verify) echo --anchor --chain --crl --at --purpose --max-depth --allow --ocsp ;;
	'import pam_pkcs11') echo --service --cert --yes --config --mapdir --cert-dir --anchor --domain --dry-run ;;
	'import sssd') echo --service --yes --config --anchor --domain --dry-run ;;
	'import authorized-keys') echo --service --cert --yes --identity --cert-dir --dry-run ;;
	'import ad') echo --service --cert --yes --cert-dir --anchor --allow-weak --dry-run ;;
	esac
}

# Names from the daemon, where the caller may ask; nothing is said when not.
_certlogin_names() {
	certlogin "$1" list --json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p'
}

# value of the option before the cursor; fails when the option takes none that we know
_certlogin_value() {
	case $1 in
	--class) COMPREPLY=($(compgen -W 'login elevate app' -- "$2")) ;;
	--via) COMPREPLY=($(compgen -W 'local network any' -- "$2")) ;;
	--loose | --console) COMPREPLY=($(compgen -W 'yes no' -- "$2")) ;;
	--eku) COMPREPLY=($(compgen -W 'client server none' -- "$2")) ;;
	--verdict) COMPREPLY=($(compgen -W 'allow deny' -- "$2")) ;;
	--service | -s) COMPREPLY=($(compgen -W "@login @elevate @app $(_certlogin_names service)" -- "$2")) ;;
	--identity) COMPREPLY=($(compgen -W "$(_certlogin_names identity)" -- "$2")) ;;
	--account | --owner | -a) COMPREPLY=($(compgen -u -- "$2")) ;;
	--eku-missing | --eku-any) COMPREPLY=($(compgen -W 'allow deny' -- "$2")) ;;
	--smartcard-logon) COMPREPLY=($(compgen -W 'require ignore' -- "$2")) ;;
	--form) COMPREPLY=($(compgen -W 'strict lax' -- "$2")) ;;
	--revocation) COMPREPLY=($(compgen -W 'auto hard soft grace' -- "$2")) ;;
	--allow) COMPREPLY=($(compgen -W 'eku-missing eku-any form' -- "$2")) ;;
	--purpose) COMPREPLY=($(compgen -W clientAuth -- "$2")) ;;
	--anchor | --chain | --crl | --signer | --ocsp | --issuer | --key | --pkcs11 | --cert | --csr | --pubkey | --out | -o | --config) COMPREPLY=($(compgen -f -- "$2")) ;;
	--runtime-dir | --config-dir | --unit-dir | --mapdir | --cert-dir) COMPREPLY=($(compgen -d -- "$2")) ;;
	*) return 1 ;;
	esac
}

_certlogin() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' action='' i word actions
	local verbs='setup ca identity enroll unenroll access service anchor crl ocsp source fetch rule trust ticket ssh session audit
		explain test verify status backup import help version'

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--runtime-dir | --config-dir) ((i++)) ;;
		-*) ;;
		*)
			if [ -z "$verb" ]; then verb=$word; else action=$word && break; fi
			;;
		esac
	done
	[ "$verb" = import ] && [ "$prev" = --anchor ] &&
		COMPREPLY=($(compgen -W "$(_certlogin_names anchor)" -- "$cur")) && return
	[ "$verb" = trust ] && [ "$prev" = --ca ] && COMPREPLY=($(compgen -f -- "$cur")) && return
	[ "$verb" = rule ] && [ "$prev" = --anchor ] && COMPREPLY=($(compgen -W "$(_certlogin_names anchor)" -- "$cur")) && return
	_certlogin_value "$prev" "$cur" && return
	if [ -z "$verb" ]; then
		COMPREPLY=($(compgen -W "$verbs $_certlogin_globals" -- "$cur"))
		return
	fi
	actions=$(_certlogin_actions "$verb")
	if [ -n "$actions" ] && [ -z "$action" ]; then
		COMPREPLY=($(compgen -W "$actions --help" -- "$cur"))
		return
	fi
	[ -z "$actions" ] || verb="$verb $action"
	case $cur in
	-*) COMPREPLY=($(compgen -W "$(_certlogin_options "$verb") $_certlogin_globals" -- "$cur")) ;;
	*)
		case $verb in
		help) COMPREPLY=($(compgen -W "$verbs" -- "$cur")) ;;
		identity\ * | access\ * | 'ca issue') COMPREPLY=($(compgen -W "$(_certlogin_names identity)" -- "$cur")) ;;
		service\ *) COMPREPLY=($(compgen -W "$(_certlogin_names service)" -- "$cur")) ;;
		'anchor remove' | 'anchor set' | 'anchor show' | 'crl forget') COMPREPLY=($(compgen -W "$(_certlogin_names anchor)" -- "$cur")) ;;
		'rule remove') COMPREPLY=($(compgen -W "$(_certlogin_names rule)" -- "$cur")) ;;
		'source certificates') COMPREPLY=($(compgen -W 'yes no' -- "$cur")) ;;
		enroll) COMPREPLY=($(compgen -W "$(_certlogin_names identity)" -f -- "$cur")) ;;
		unenroll | 'anchor add' | 'crl import' | 'ocsp import' | 'rule test' | backup | 'import authorized-keys' | 'import ad') COMPREPLY=($(compgen -f -- "$cur")) ;;
		ticket | trust | ssh) COMPREPLY=($(compgen -A hostname -- "$cur")) ;;
		esac
		;;
	esac
}
complete -F _certlogin certlogin
