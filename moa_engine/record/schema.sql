-- The truth is in `body` and `piece.data`; every other column of `entry` is computed from
-- `body`, so that nothing can be changed without breaking a hash. See docs/design/record.md.

CREATE TABLE piece (
    hash BLOB NOT NULL UNIQUE,  -- SHA-256 of the piece's bytes, uncompressed
    data BLOB NOT NULL          -- one byte (0 as it is, 1 zlib), then the bytes
);

CREATE TABLE entry (
    seq  INTEGER PRIMARY KEY,   -- 1, 2, 3, ... without a gap
    prev BLOB NOT NULL,         -- hash of the entry before; the genesis for the first one
    hash BLOB NOT NULL,         -- SHA-256 of prev, seq (8 bytes, big-endian) and body
    body TEXT NOT NULL,         -- JSON
    type TEXT AS (json_extract(body, '$.type')),  -- start, attempt, event or end
    run  TEXT AS (json_extract(body, '$.run')),
    key        TEXT AS (json_extract(body, '$.key')),
    member     TEXT AS (json_extract(body, '$.member')),
    model      TEXT AS (json_extract(body, '$.model')),
    endpoint   TEXT AS (json_extract(body, '$.endpoint')),
    purpose    TEXT AS (json_extract(body, '$.purpose')),
    seconds    REAL AS (json_extract(body, '$.seconds')),
    cost_usd   TEXT AS (json_extract(body, '$.cost_usd')),
    error_code TEXT AS (json_extract(body, '$.error_code'))
);

CREATE INDEX entry_run ON entry (run);
CREATE INDEX entry_start ON entry (run) WHERE type = 'start';
CREATE INDEX entry_same ON entry (key) WHERE type = 'start';
-- Usable answers of members, without the copies of them that later runs took from the record.
CREATE INDEX entry_key ON entry (key) WHERE error_code = '' AND purpose <> 'cached';
CREATE INDEX entry_member ON entry (member, model, endpoint) WHERE error_code = '' AND purpose <> 'cached';

-- Where the chain starts and ends. The next entry is linked to this and not to the last row, so that
-- rows cut off at the end leave a gap for ever.
CREATE TABLE head (
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    genesis BLOB NOT NULL,      -- 32 random bytes: two records share no chain
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL
);
