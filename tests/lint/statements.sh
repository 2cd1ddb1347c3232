#!/bin/bash
# Every statement of the catalogue is used, and none is written anywhere else.
. "${top_srcdir:-.}/tests/harness/tap.sh"
cd "${top_srcdir:-.}" || exit 1
unused=$(sed -n 's/^STATEMENT(\([A-Z_]*\),.*/\1/p' schema/db/statements.def | while read -r id; do
	grep -qw "STMT_$id" daemon/store/*.c || echo "$id"
done)
is "every statement is used" "$unused" ""
elsewhere=$(grep -nE '"(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT) ' -r --include='*.[ch]' daemon lib cli pam fetch |
	grep -v '^daemon/store/migrate\.c:')
is "no SQL outside the catalogue" "$elsewhere" ""
done_testing
