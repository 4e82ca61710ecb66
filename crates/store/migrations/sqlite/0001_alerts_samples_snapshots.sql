-- "BWTH": whose file this is.
PRAGMA application_id = 1113019464;

-- Counters that outlive the process.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('boots', 0), ('fence', 0), ('samples_from', -9223372036854775808);

-- What could not be read, put aside as it was.
CREATE TABLE damaged (
    id       INTEGER PRIMARY KEY,
    source   TEXT    NOT NULL,
    found_at INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    data     BLOB    NOT NULL
) STRICT;

-- Samples. All instants are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE series (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    labels     TEXT    NOT NULL, -- a JSON object, sorted by key
    kind       INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    unit       TEXT    NOT NULL,
    help       TEXT    NOT NULL,
    sealed_seq INTEGER NOT NULL DEFAULT 0, -- head rows up to here are in chunks
    UNIQUE (name, labels)
) STRICT;

CREATE TABLE head (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    boot  INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    t_min INTEGER NOT NULL,
    t_max INTEGER NOT NULL,
    n     INTEGER NOT NULL CHECK (n > 0),
    crc32 INTEGER NOT NULL,
    data  BLOB    NOT NULL,
    UNIQUE (boot, batch)
) STRICT;

-- Chunks of one series never overlap in time.
CREATE TABLE chunks (
    id        INTEGER PRIMARY KEY,
    series_id INTEGER NOT NULL REFERENCES series (id),
    t_min     INTEGER NOT NULL,
    t_max     INTEGER NOT NULL,
    n         INTEGER NOT NULL CHECK (n > 0),
    v_min     REAL    NOT NULL,
    v_max     REAL    NOT NULL,
    v_sum     REAL, -- nothing when it is beyond a double
    v_first   REAL    NOT NULL,
    v_last    REAL    NOT NULL,
    crc32     INTEGER NOT NULL,
    data      BLOB    NOT NULL,
    UNIQUE (series_id, t_min),
    CHECK (t_min <= t_max)
) STRICT;
CREATE INDEX chunks_by_age ON chunks (t_max);

-- Deliveries that are open.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT    NOT NULL,
    key        BLOB    NOT NULL CHECK (length(key) = 16),
    group_key  TEXT    NOT NULL,
    severity   INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 3),
    leads      INTEGER NOT NULL CHECK (leads IN (0, 1)), -- 1: nothing of its group comes before it
    due_at     INTEGER NOT NULL, -- the end of the lease while it is claimed
    attempts   INTEGER NOT NULL DEFAULT 0,
    fence      INTEGER, -- of the claim that holds it
    created_at INTEGER NOT NULL,
    last_error TEXT,
    payload    TEXT    NOT NULL,
    UNIQUE (channel, key)
) STRICT;
CREATE INDEX outbox_worst ON outbox (channel, severity DESC, id) WHERE leads = 1;
CREATE INDEX outbox_due ON outbox (channel, due_at) WHERE leads = 1;
CREATE INDEX outbox_group ON outbox (channel, group_key, id);

-- Deliveries that are not put again.
CREATE TABLE settled (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    key     BLOB NOT NULL CHECK (length(key) = 16),
    UNIQUE (channel, key)
) STRICT;

CREATE TABLE dead_letters (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    channel  TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    payload  TEXT    NOT NULL
) STRICT;

CREATE TABLE notification_log (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    channel  TEXT    NOT NULL,
    key      BLOB    NOT NULL CHECK (length(key) = 16),
    receiver TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    outcome  TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    payload  TEXT    NOT NULL,
    UNIQUE (channel, key, outcome)
) STRICT;
CREATE INDEX notification_log_by_time ON notification_log (at, id);
CREATE INDEX notification_log_by_channel ON notification_log (channel, at, id);
CREATE INDEX notification_log_by_receiver ON notification_log (receiver, at, id);

CREATE TABLE alert_history (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    severity    INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 3),
    category    TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 16),
    current     INTEGER NOT NULL CHECK (current IN (0, 1)), -- 1: the alert still fires
    change      TEXT    NOT NULL
) STRICT;
CREATE INDEX alert_history_by_time ON alert_history (at, id);
CREATE INDEX alert_history_by_severity ON alert_history (severity, at, id);
CREATE INDEX alert_history_by_category ON alert_history (category, at, id);
CREATE INDEX alert_history_current ON alert_history (fingerprint) WHERE current = 1;

CREATE TABLE snapshots (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    scope          TEXT    NOT NULL,
    period         TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    UNIQUE (scope, period, at)
) STRICT;
CREATE INDEX snapshots_by_scope ON snapshots (scope, at, id);
CREATE INDEX snapshots_by_time ON snapshots (at, id);
