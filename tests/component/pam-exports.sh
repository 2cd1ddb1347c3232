#!/bin/bash
# The module shows pam_sm_* alone and needs libpam and jansson alone.
. "${top_srcdir:-.}/tests/harness/tap.sh"
so=${top_builddir:-.}/.libs/pam_certlogin.so
is "exports" "$(nm -D --defined-only "$so" | awk '{ print $3 }' | sort | xargs)" \
	"pam_sm_acct_mgmt pam_sm_authenticate pam_sm_chauthtok pam_sm_close_session pam_sm_open_session pam_sm_setcred"
is "libraries" "$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | sort | xargs)" "libc libjansson libpam"
for f in signal sigaction pthread_create atexit on_exit fork vfork setenv putenv secure_getenv openlog execve system popen; do
	unlike "does not call $f" " $(nm -D --undefined-only "$so" | sed 's/.* //; s/@.*//' | xargs) " " $f "
done
done_testing
