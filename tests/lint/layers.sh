#!/bin/bash
# Who may include whom (docs/ARCHITECTURE.md): one direction only.
. "${top_srcdir:-.}/tests/harness/tap.sh"
cd "${top_srcdir:-.}" || exit 1

# none WHAT PATTERN PATHS...: no C file below PATHS has a line that matches
none() {
	local what=$1 pattern=$2 hits
	shift 2
	hits=$(grep -rnE --include='*.[ch]' "$pattern" "$@" 2>/dev/null)
	if [ -z "$hits" ]; then ok "$what"; else not_ok "$what"; printf '%s\n' "$hits" | sed 's/^/# /'; fi
}

none "base includes nothing of ours above it" '#include "(lib/(varlink|api|pki|prove)|daemon|cli|pam)/' lib/base
none "varlink includes base only" '#include "(lib/(api|pki|prove)|daemon|cli|pam)/' lib/varlink
none "api includes base and varlink only" '#include "(lib/(pki|prove)|daemon|cli|pam)/' lib/api
none "pki includes base only" '#include "(lib/(varlink|api|prove)|daemon|cli|pam)/' lib/pki
none "prove is below the programs" '#include "(daemon|cli|pam)/' lib/prove
none "sqlite3.h only in daemon/store" '#include <sqlite3\.h>' lib daemon/wire daemon/authority daemon/gate pam cli fetch
none "GnuTLS only in pki, prove, gate, signer and the CLI" '#include <gnutls/' lib/base lib/varlink lib/api \
	daemon/store daemon/wire pam $(find daemon/authority -name '*.[ch]' ! -name 'signer.*')
none "OpenSSL in tests only" '#include <openssl/' lib daemon pam cli
none "gate and authority do not know each other" '#include "daemon/(authority|store)/' daemon/gate daemon/wire
none "authority does not know the gate" '#include "daemon/gate/' daemon/authority daemon/store
none "the module knows base, varlink and api only" '#include "(lib/(pki|prove)|daemon|cli)/' pam
none "fetch knows base and varlink only" '#include "(lib/(pki|prove|api)|daemon|cli|pam)/' fetch
none "libcurl only in fetch" '#include <curl/' lib daemon pam cli
none "no path of the file system in the gate but the link" '"/(etc|var|home|tmp)/' daemon/gate
none "nothing is left open" '\b(TODO|FIXME|XXX|HACK)\b' lib daemon pam cli fetch
done_testing
