-- certlogin database, version 1.  STRICT tables; times are microseconds since 1970-01-01 UTC.
-- Migrations are append-only: a later version is a new file, never an edit of this one.

-- Every policy row carries `revision`, a number from setting 'revision' that only grows, so that
-- a second host can later ask "what changed since".

CREATE TABLE setting (
	name      TEXT PRIMARY KEY,
	value     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
	id         INTEGER PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE,
	full_name  TEXT NOT NULL DEFAULT '',
	enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	reason     TEXT NOT NULL DEFAULT '',            -- why it was disabled
	not_before INTEGER NOT NULL DEFAULT 0,
	not_after  INTEGER NOT NULL DEFAULT 9223372036854775807,
	created    INTEGER NOT NULL,
	revision   INTEGER NOT NULL
) STRICT;

-- Enrolled certificates.  SPKI is unique: one key never stands for two people.
CREATE TABLE certificate (
	sha256      BLOB PRIMARY KEY CHECK (length(sha256) = 32),
	spki_sha256 BLOB NOT NULL UNIQUE CHECK (length(spki_sha256) = 32),
	identity    INTEGER NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
	der         BLOB NOT NULL,
	issuer      BLOB NOT NULL,                      -- DER Name
	serial      BLOB NOT NULL,                      -- content octets of the INTEGER
	subject     TEXT NOT NULL,                      -- RFC 4514, for people
	not_before  INTEGER NOT NULL,
	not_after   INTEGER NOT NULL,
	enrolled    INTEGER NOT NULL,
	revision    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_identity ON certificate (identity);

-- What an identity may use.  `service` is a service name, or a class: @login, @elevate, @app.
CREATE TABLE access (
	identity   INTEGER NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
	account    TEXT NOT NULL,
	service    TEXT NOT NULL,
	not_before INTEGER NOT NULL DEFAULT 0,
	not_after  INTEGER NOT NULL DEFAULT 9223372036854775807,
	created    INTEGER NOT NULL,
	revision   INTEGER NOT NULL,
	PRIMARY KEY (identity, account, service)
) STRICT, WITHOUT ROWID;

-- A service without a row is denied.
CREATE TABLE service (
	name        TEXT PRIMARY KEY,
	class       TEXT NOT NULL CHECK (class IN ('login', 'elevate', 'app')),
	redeem_uids TEXT NOT NULL DEFAULT '0',          -- "0", "0,113" or "any"
	via         TEXT NOT NULL DEFAULT 'any' CHECK (via IN ('local', 'network', 'any')),
	loose       INTEGER NOT NULL DEFAULT 0 CHECK (loose IN (0, 1)),
	console     INTEGER NOT NULL DEFAULT 0 CHECK (console IN (0, 1)),
	revision    INTEGER NOT NULL,
	CHECK (NOT (class = 'elevate' AND loose = 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE anchor (
	id       INTEGER PRIMARY KEY,
	name     TEXT NOT NULL UNIQUE,
	sha256   BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
	der      BLOB NOT NULL,
	policy   TEXT NOT NULL DEFAULT '{}',            -- JSON object; unknown members are refused
	created  INTEGER NOT NULL,
	revision INTEGER NOT NULL
) STRICT;

CREATE TABLE rule (
	id       INTEGER PRIMARY KEY,
	anchor   INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	match    TEXT NOT NULL,
	yield    TEXT NOT NULL,
	revision INTEGER NOT NULL,
	UNIQUE (anchor, position)
) STRICT;

CREATE TABLE crl (
	anchor      INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	issuer      BLOB NOT NULL,                      -- DER Name
	aki         BLOB NOT NULL,                      -- empty: none
	number      BLOB NOT NULL,
	this_update INTEGER NOT NULL,
	next_update INTEGER NOT NULL,
	imported    INTEGER NOT NULL,
	stale       INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
	revision    INTEGER NOT NULL,
	PRIMARY KEY (anchor, issuer, aki)
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked (
	anchor INTEGER NOT NULL REFERENCES anchor (id) ON DELETE CASCADE,
	issuer BLOB NOT NULL,
	serial BLOB NOT NULL,
	reason INTEGER NOT NULL,
	since  INTEGER NOT NULL,
	PRIMARY KEY (anchor, issuer, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
	id           INTEGER PRIMARY KEY,
	login_id     TEXT NOT NULL,
	identity     TEXT NOT NULL,                     -- by name: outlives the identity row
	certificate  BLOB NOT NULL,                     -- SHA-256
	account_auth TEXT NOT NULL,                     -- account that was authenticated
	account_now  TEXT NOT NULL,                     -- PAM_USER when the session opened
	service      TEXT NOT NULL,
	tty          TEXT NOT NULL DEFAULT '',
	rhost        TEXT NOT NULL DEFAULT '',
	pid          INTEGER NOT NULL,
	start_time   INTEGER NOT NULL,                  -- of the process, clock ticks since boot
	boot_id      TEXT NOT NULL,
	opened       INTEGER NOT NULL,
	closed       INTEGER,
	ended        TEXT CHECK (ended IN ('closed', 'unclosed', 'reboot', 'terminated')),
	CHECK ((closed IS NULL) = (ended IS NULL))
) STRICT;
CREATE INDEX session_open ON session (id) WHERE closed IS NULL;

-- The audit.  Append-only; `prev` is the SHA-256 of the row before (docs/ARCHITECTURE.md says
-- over which bytes), zeros for the first.  Rows are cut from the front only, by `audit prune`.
CREATE TABLE event (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid        BLOB NOT NULL CHECK (length(uuid) = 16),  -- UUIDv7, RFC 9562 section 5.7: grows with id, so no index
	time        INTEGER NOT NULL,
	kind        TEXT NOT NULL,
	verdict     TEXT NOT NULL DEFAULT '' CHECK (verdict IN ('', 'allow', 'deny')),
	reason      TEXT NOT NULL DEFAULT '',
	identity    TEXT NOT NULL DEFAULT '',
	certificate BLOB NOT NULL DEFAULT x'',
	account     TEXT NOT NULL DEFAULT '',
	service     TEXT NOT NULL DEFAULT '',
	login_id    TEXT NOT NULL DEFAULT '',
	source      TEXT NOT NULL DEFAULT '',           -- "uid 1001", "192.0.2.7", "local gate"
	detail      TEXT NOT NULL DEFAULT '{}',         -- JSON: the ordered checks, what changed
	prev        BLOB NOT NULL CHECK (length(prev) = 32)
) STRICT;
CREATE INDEX event_kind ON event (kind, id);

INSERT INTO setting (name, value) VALUES ('revision', '1'), ('generation', '1'), ('clock_floor', '0');

INSERT INTO service (name, class, redeem_uids, via, loose, console, revision) VALUES
	('sudo',      'elevate', '0', 'local', 0, 0, 1),
	('sudo-i',    'elevate', '0', 'local', 0, 0, 1),
	('su',        'elevate', '0', 'local', 0, 0, 1),
	('su-l',      'elevate', '0', 'local', 0, 0, 1),
	('polkit-1',  'elevate', '0', 'local', 0, 0, 1),
	('login',     'login',   '0', 'local', 0, 1, 1),
	('sshd',      'login',   '0', 'any',   0, 0, 1);
