/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Every limit of certlogin, on one page.  Each has a test that fails when it is lifted. */

#define USEC_PER_SEC 1000000ULL

/* Time, microseconds */
#define LIMIT_OUR_FLIGHT_USEC (5 * USEC_PER_SEC)     /* accept to our flight sent */
#define LIMIT_CLIENT_LOCAL_USEC (60 * USEC_PER_SEC)  /* client's flight, local gate: PIN, touch */
#define LIMIT_CLIENT_NET_USEC (30 * USEC_PER_SEC)    /* client's flight, network gate */
#define LIMIT_CALL_USEC (5 * USEC_PER_SEC)           /* handshake done to the one call */
#define LIMIT_ANSWER_USEC (10 * USEC_PER_SEC)        /* gate: call forwarded to the authority's answer */
#define LIMIT_LINGER_USEC (1 * USEC_PER_SEC)         /* gate: our last byte to the client's close */
#define LIMIT_NO_LINK_USEC (1 * USEC_PER_SEC)        /* gate: a client waits so long for the authority */
#define LIMIT_YIELD_USEC (1 * USEC_PER_SEC)          /* gate: a waiting client keeps its place when its source is full */
#define LIMIT_STOP_USEC (2 * USEC_PER_SEC)           /* gate: SIGTERM to the end of what is in flight */
#define LIMIT_PROOF_USEC (65 * USEC_PER_SEC)         /* authority: SIGN to PROVE */
#define LIMIT_TICKET_USEC (60 * USEC_PER_SEC)        /* commit to redeem, CLOCK_BOOTTIME */
#define LIMIT_REDEEMED_USEC (60 * USEC_PER_SEC)      /* redeem to account/session */
#define LIMIT_LOGIN_USEC (180 * USEC_PER_SEC)        /* begin to redeem */
#define LIMIT_HELPER_USEC (90 * USEC_PER_SEC)        /* PAM waits for the helper */
#define LIMIT_PAM_CALL_USEC (10 * USEC_PER_SEC)      /* PAM waits for one answer of the authority */
#define LIMIT_AGENT_USEC (60 * USEC_PER_SEC)         /* helper waits for ssh-agent (ssh-add -c) */
#define LIMIT_AGENT_LIST_USEC (5 * USEC_PER_SEC)     /* the same for what asks no person */

/* TLS */
#define LIMIT_HANDSHAKE_BYTES (64 * 1024)            /* from the client, until the handshake ends */
#define LIMIT_HELLO_BYTES (16 * 1024)                /* ClientHello */
#define LIMIT_CHAIN_CERTS 6
#define LIMIT_CHAIN_BYTES (32 * 1024)
#define LIMIT_CERT_BYTES (16 * 1024)
#define LIMIT_RSA_MIN_BITS 2048
#define LIMIT_RSA_MAX_BITS 4096
#define LIMIT_RSA_E_BITS 32
#define LIMIT_ALPN_NAMES 8

/* OCSP */
#define LIMIT_OCSP_BYTES (32 * 1024)                 /* one response */
#define LIMIT_OCSP_SKEW_USEC (300 * USEC_PER_SEC)    /* a responder's clock may be so far ahead */
#define LIMIT_OCSP_FRESH_USEC (86400 * USEC_PER_SEC) /* an answer without nextUpdate, from thisUpdate */
#define LIMIT_OCSP_SOURCE 1024                       /* where an answer came from, bytes of its name */

/* Connections */
#define LIMIT_GATE_CONNECTIONS 4096                  /* per gate thread */
#define LIMIT_GATE_PER_SOURCE 32                     /* per uid or address and thread */
#define LIMIT_NONCES_AHEAD 32                        /* FRESH slots per link */
#define LIMIT_SLOTS 8192                             /* slots per link */
#define LIMIT_LINKS 64                               /* of one gate */
#define LIMIT_HELD_BYTES (64 * 1024 * 1024)          /* transcripts of one gate, between SIGN and PROVE */
#define LIMIT_PAM_CONNECTIONS 4096
#define LIMIT_PAM_PER_UID 256                        /* root is not counted */
#define LIMIT_ADMIN_CONNECTIONS 64

/* Messages */
#define LIMIT_WIRE_BYTES (100 * 1024)
#define LIMIT_CALL_BYTES 4096                        /* org.certlogin.Login */
#define LIMIT_VARLINK_BYTES (1024 * 1024)            /* local sockets */
#define LIMIT_JSON_DEPTH 8
#define LIMIT_FIND_SPKIS 32
#define LIMIT_LIST_ROWS 1000                         /* rows in one admin answer */

/* Names, bytes without NUL */
#define LIMIT_ACCOUNT 255
#define LIMIT_SERVICE 64
#define LIMIT_IDENTITY 128
#define LIMIT_TTY 64
#define LIMIT_RHOST 255
#define LIMIT_REASON 256
#define LIMIT_URL 1024

/* Logins */
#define LIMIT_LOGINS 65536
#define LIMIT_TICKETS_PER_LOGIN 4
#define LIMIT_TICKETS_PER_IDENTITY 16384             /* outstanding */
#define LIMIT_LOOSE_PER_IDENTITY 2
#define LIMIT_REDEEM_TRIES 8                         /* failed redeems of one login */
#define LIMIT_DENY_ROWS 30                           /* audit rows for denials per source and minute */
#define LIMIT_POOL_ROWS 600                          /* of all sources of a pool together */
#define LIMIT_SOURCES 4096                           /* sources of a pool counted at a time */
#define LIMIT_CHAIN_CACHE 65536                      /* verified chains remembered */
#define LIMIT_TURN_REPLIES 128                       /* answers waiting for one commit */
#define LIMIT_TURN_USEC 2000                         /* oldest of them waits at most so long */

/* Revocation */
#define LIMIT_CRL_BYTES (128 * 1024 * 1024)
#define LIMIT_CRL_PIECE (512 * 1024)                 /* of an upload */
#define LIMIT_CRL_SLICE 2000                         /* entries between two turns */
#define LIMIT_CRL_SIGNERS 8                          /* certificates given with one */
#define LIMIT_CLOCK_SKEW_USEC (300 * USEC_PER_SEC)   /* thisUpdate may be ahead so far */
#define LIMIT_CRL_WARN_USEC (24 * 3600 * USEC_PER_SEC) /* `status` warns so long before nextUpdate */

/* Helper */
#define LIMIT_HELPER_QUESTIONS 8
#define LIMIT_HELPER_LABEL 64
#define LIMIT_HELPER_KEYS 4                          /* keys tried in one login */
#define LIMIT_PASSPHRASE_TRIES 3
#define LIMIT_KEY_FILE_BYTES (64 * 1024)
#define LIMIT_AGENT_BYTES (256 * 1024)               /* one answer of an ssh-agent */
#define LIMIT_SECRET 512                             /* PIN or passphrase, bytes */
#define LIMIT_PKCS11 512                             /* a URI, or the path of a module */
#define LIMIT_HELPER_CHOICES 6                       /* keys that a person is offered: one prompt (PAM_MAX_MSG_SIZE) */
#define LIMIT_CHOICE_TRIES 3
#define LIMIT_TOKEN_OBJECTS 64                       /* certificates, and public keys, that are looked at */

/* Mapping rules */
#define LIMIT_RULES 256
#define LIMIT_RULE_BYTES 1024                        /* a matching rule */
#define LIMIT_RULE_COMPONENTS 16
#define LIMIT_RULE_OIDS 16                           /* in one component */
#define LIMIT_RULE_COST 2048                         /* a regular expression with its repetitions written out */
#define LIMIT_RULE_GROUPS 32                         /* parentheses within parentheses */
#define LIMIT_RULE_VALUE 1024                        /* bytes of a name that is looked at */
#define LIMIT_RULE_NAMES 64                          /* names in a subjectAltName */
#define LIMIT_RULE_DOMAINS 16
#define LIMIT_RULE_DOMAINS_BYTES 1024                /* of all, with the spaces between */
#define LIMIT_RULE_IDENTITIES 16                     /* that one certificate is mapped to */
#define LIMIT_YIELD_BYTES 256
#define LIMIT_YIELD_PARTS 8                          /* fields, and texts between them */

/* Fetching: certlogin-fetch, and what the authority hands it */
#define LIMIT_FETCH_OCSP_BYTES LIMIT_OCSP_BYTES
#define LIMIT_FETCH_REDIRECTS 3
#define LIMIT_FETCH_CONNECT_SEC 10
#define LIMIT_FETCH_JOB_SEC 300                      /* a download, redirects and all */
#define LIMIT_FETCH_SLOW_SEC 30                      /* below LIMIT_FETCH_SLOW_BYTES a second for so long: given up */
#define LIMIT_FETCH_SLOW_BYTES 512
#define LIMIT_FETCH_RETRY_USEC (600 * USEC_PER_SEC)  /* after a failure, and at least between two of a kind */
#define LIMIT_FETCH_AGAIN_USEC (3600 * USEC_PER_SEC) /* where no nextUpdate says when */
#define LIMIT_FETCH_SEEN_USEC (2 * 86400 * USEC_PER_SEC) /* addresses that stood in a certificate since */
#define LIMIT_FETCH_FORGET_USEC (30 * 86400 * USEC_PER_SEC)
#define LIMIT_FETCH_CERTIFICATES 8                   /* looked through between two turns */
#define LIMIT_FETCH_SOURCES 256
#define LIMIT_FETCH_IMPORT_USEC (300 * USEC_PER_SEC) /* the authority reads and verifies a CRL */

/* Storage */
#define BALLAST_BYTES (8 * 1024 * 1024)

#endif
