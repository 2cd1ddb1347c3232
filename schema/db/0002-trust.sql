-- certlogin database, version 2: kinds of anchors, revocation, mapping rules.

-- ca: issues what is accepted.  intermediate: helps to build paths, is trusted for nothing (cards
-- often carry the leaf alone).  key: one pinned leaf key without a CA; `der` is then its
-- SubjectPublicKeyInfo and `sha256` the hash of that.
ALTER TABLE anchor ADD COLUMN kind TEXT NOT NULL DEFAULT 'ca' CHECK (kind IN ('ca', 'intermediate', 'key'));

-- Who issues CRLs: a name under an anchor.  `hash` is that of the name's canonical form (RFC 5280
-- 7.1), so that spellings of one name are one row.  Without an anchor: removed, what is left of it in
-- `revoked` is cleaned up in slices.  Ids are never used again.
CREATE TABLE crl_issuer (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	anchor INTEGER REFERENCES anchor (id) ON DELETE SET NULL,
	hash   BLOB NOT NULL CHECK (length(hash) = 32),
	name   BLOB NOT NULL,                           -- DER Name
	text   TEXT NOT NULL,                           -- RFC 4514, for people
	UNIQUE (anchor, hash)
) STRICT;

-- The newest CRL of each issuer, signing key and scope: how fresh we are.
DROP TABLE crl;
CREATE TABLE crl (
	id          INTEGER PRIMARY KEY,
	issuer      INTEGER NOT NULL REFERENCES crl_issuer (id) ON DELETE CASCADE,
	signer      BLOB NOT NULL CHECK (length(signer) = 32),  -- SHA-256 of the signer's SPKI
	scope       BLOB NOT NULL,                      -- IssuingDistributionPoint, DER; empty: none
	number      BLOB NOT NULL,                      -- content octets of the INTEGER
	this_update INTEGER NOT NULL,
	next_update INTEGER NOT NULL,
	imported    INTEGER NOT NULL,
	entries     INTEGER NOT NULL,
	source      TEXT NOT NULL,                      -- a URL, or a file's name
	stale       INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),  -- of a restored backup
	revision    INTEGER NOT NULL,
	UNIQUE (issuer, signer, scope)
) STRICT;

-- For whose certificates it speaks: SHA-256 of the SPKI of issuing keys.
CREATE TABLE crl_key (
	crl INTEGER NOT NULL REFERENCES crl (id) ON DELETE CASCADE,
	key BLOB NOT NULL,
	PRIMARY KEY (crl, key)
) STRICT, WITHOUT ROWID;

-- Known revocations.  No foreign key: removing an anchor must not delete a million rows at once.
DROP TABLE revoked;
CREATE TABLE revoked (
	issuer INTEGER NOT NULL,                        -- crl_issuer
	serial BLOB NOT NULL,                           -- content octets of the INTEGER
	reason INTEGER NOT NULL,                        -- RFC 5280 5.3.1; 6: a hold
	since  INTEGER NOT NULL,
	crl    INTEGER NOT NULL,                        -- holds: the row of `crl` that said so last ...
	seen   INTEGER NOT NULL,                        -- ... and its import
	PRIMARY KEY (issuer, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_hold ON revoked (crl, seen) WHERE reason = 6;

-- The newest OCSP answer about a certificate (RFC 6960).  A revocation that is no hold is never
-- replaced by anything else.
CREATE TABLE ocsp (
	id          INTEGER PRIMARY KEY,
	anchor      INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	issuer_key  BLOB NOT NULL CHECK (length(issuer_key) = 32),  -- SHA-256 of the issuer's SPKI
	serial      BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 64),  -- content octets
	status      TEXT NOT NULL CHECK (status IN ('good', 'revoked', 'unknown')),
	reason      INTEGER NOT NULL DEFAULT 0,         -- revoked: RFC 5280 5.3.1; 6: a hold
	since       INTEGER NOT NULL DEFAULT 0,         -- revoked
	this_update INTEGER NOT NULL,
	next_update INTEGER NOT NULL,
	imported    INTEGER NOT NULL,
	source      TEXT NOT NULL,                      -- a URL, or a file's name
	stale       INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),  -- of a restored backup
	UNIQUE (anchor, issuer_key, serial)
) STRICT;

-- Where certlogin-fetch gets CRLs and OCSP answers from, and how it went.
CREATE TABLE source (
	url       TEXT NOT NULL,
	kind      TEXT NOT NULL CHECK (kind IN ('crl', 'ocsp')),
	anchor    INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	origin    TEXT NOT NULL CHECK (origin IN ('configured', 'certificate')),
	seen      INTEGER NOT NULL DEFAULT 0,           -- certificate: stood in one at that time
	tried     INTEGER NOT NULL DEFAULT 0,
	succeeded INTEGER NOT NULL DEFAULT 0,
	due       INTEGER NOT NULL DEFAULT 0,           -- after a success: to be asked again
	error     TEXT NOT NULL DEFAULT '',             -- of the last try; empty: it succeeded
	revision  INTEGER NOT NULL,
	PRIMARY KEY (url, kind)
) STRICT, WITHOUT ROWID;

-- Mapping rules, in the order of `position`; each belongs to one anchor.
DROP TABLE rule;
CREATE TABLE rule (
	id       INTEGER PRIMARY KEY,
	name     TEXT NOT NULL UNIQUE,
	anchor   INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	position INTEGER NOT NULL UNIQUE,
	match    TEXT NOT NULL,                         -- sss-certmap(5) matching rule
	yield    TEXT NOT NULL,                         -- "{mail.local}", "{upn.local}", "alice"
	domains  TEXT NOT NULL DEFAULT '',              -- allowed after the @, spaces between; needed by .local
	goes_on  INTEGER NOT NULL DEFAULT 0 CHECK (goes_on IN (0, 1)),   -- later rules are tried too
	creates  INTEGER NOT NULL DEFAULT 0 CHECK (creates IN (0, 1)),   -- a missing identity is added
	created  INTEGER NOT NULL,
	revision INTEGER NOT NULL
) STRICT;
