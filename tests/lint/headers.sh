#!/bin/bash
# Every header compiles alone, and every C file starts with its licence.
. "${top_srcdir:-.}/tests/harness/tap.sh"
src=$(cd "${top_srcdir:-.}" && pwd)
flags=(-std=gnu17 -fsyntax-only -Wall -Wextra "-I$src" '-DRUNTIMEDIR=""' '-DSTATEDIR=""' '-DCONFDIR=""' '-DPKGLIBEXECDIR=""')
bad=$(cd "$src" && find lib daemon pam cli fetch tests/harness -name '*.h' | while read -r h; do
	echo "#include \"$h\"" | gcc "${flags[@]}" -x c - >/dev/null 2>&1 || echo "$h"
done)
if [ -z "$bad" ]; then ok "headers are self-contained"; else not_ok "headers are self-contained"; echo "# $bad"; fi
bad=$(cd "$src" && find lib daemon pam cli fetch tests -name '*.[ch]' -exec grep -L 'SPDX-License-Identifier: GPL-2.0-or-later' {} +)
if [ -z "$bad" ]; then ok "files carry their licence"; else not_ok "files carry their licence"; echo "# $bad"; fi
done_testing
