"""The tables in which the simulated Intuit keeps companies and their books."""

COLUMNS = "realm, type, id, token, created, updated, change, deleted, active, space, name_key, body"

# `id` is text, since a few tax codes are called TAX and NON; `n` is its number, to sort by. `change` grows with every
# write in a company, so that writes of one second keep their order. A deleted object stays as a tombstone without body.
SCHEMA = """
CREATE TABLE IF NOT EXISTS q_companies (
    realm TEXT PRIMARY KEY, name TEXT NOT NULL, zone TEXT NOT NULL, switches TEXT NOT NULL DEFAULT '{}',
    last_second INTEGER NOT NULL DEFAULT 0, change INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS q_sequences (
    realm TEXT NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (realm, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS q_objects (
    realm TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, n INTEGER GENERATED ALWAYS AS (CAST(id AS INTEGER)),
    token INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, change INTEGER NOT NULL,
    deleted INTEGER NOT NULL, active INTEGER NOT NULL, space TEXT, name_key TEXT, body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS q_by_id ON q_objects (realm, type, id);
CREATE INDEX IF NOT EXISTS q_by_number ON q_objects (realm, type, n);
CREATE INDEX IF NOT EXISTS q_by_update ON q_objects (realm, type, updated, change);
CREATE INDEX IF NOT EXISTS q_by_name ON q_objects (realm, space, name_key) WHERE space IS NOT NULL;
CREATE INDEX IF NOT EXISTS q_by_display_name ON q_objects
    (realm, type, json_extract(body, '$.DisplayName') COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS q_by_item_name ON q_objects (realm, type, json_extract(body, '$.Name') COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS q_by_doc_number ON q_objects
    (realm, type, json_extract(body, '$.DocNumber') COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS q_by_customer ON q_objects
    (realm, type, json_extract(body, '$.CustomerRef.value') COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS q_by_day ON q_objects (realm, type, json_extract(body, '$.TxnDate') COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS q_replays (
    realm TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (realm, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS q_refresh_tokens (
    token TEXT PRIMARY KEY, grant_n INTEGER NOT NULL, made_at REAL NOT NULL, hard_end REAL NOT NULL,
    successor TEXT) WITHOUT ROWID;
"""
