/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

/* Where things are; configure sets the three directories. */
#define PATH_SOCKET_GATE RUNTIMEDIR "/gate"
#define PATH_SOCKET_PAM RUNTIMEDIR "/pam"
#define PATH_SOCKET_ADMIN RUNTIMEDIR "/admin"
#define PATH_SOCKET_LINK RUNTIMEDIR "/link"

#define PATH_HOST_CERT CONFDIR "/host.crt"   /* 0644: the local trust of every client on this host */
#define PATH_HOST_KEY CONFDIR "/host.key"    /* 0600 root; certlogind gets it by LoadCredential */
#define PATH_CA_CERT CONFDIR "/ca/ca.crt"    /* built-in CA */
#define PATH_CA_KEY CONFDIR "/ca/ca.key"     /* 0600 root; used by the CLI only */

#define PATH_DATABASE STATEDIR "/certlogin.db"
#define PATH_BALLAST STATEDIR "/ballast"
#define PATH_GENERATION STATEDIR "/generation"
#define PATH_BACKUP_DIR STATEDIR "/backup"

#define PATH_PROVE PKGLIBEXECDIR "/prove"
#define PATH_SSH_ASKPASS PKGLIBEXECDIR "/ssh-askpass"
#define PATH_FETCH PKGLIBEXECDIR "/certlogin-fetch"

#define USER_AUTHORITY "certlogin"
#define USER_GATE_LOCAL "certlogin-gate-local"      /* one uid a gate: `via` follows from SO_PEERCRED */
#define USER_GATE_NETWORK "certlogin-gate-network"
#define USER_PROVE "certlogin-prove"
#define USER_FETCH "certlogin-fetch"
#define GROUP_GATE "certlogin-gate"
#define GROUP_ADMIN "certlogin-admin"
#define GROUP_AUDIT "certlogin-audit"

#endif
