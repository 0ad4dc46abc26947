"""The tables in which the simulated Microsoft keeps mailboxes, calendars and events."""

COLUMNS = (
    "cal, core, kind, series, original_ms, change, written_us, start_ms, end_ms, deleted, mailbox, transaction_id, body"
)

# `change` is the calendar's generation at the last write: a delta token is a generation, and what changed since is an
# index range. A series' `end_ms` is the end of its last occurrence.
SCHEMA = """
CREATE TABLE IF NOT EXISTS m_accounts (
    n INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL, oid TEXT UNIQUE NOT NULL, mailbox BLOB UNIQUE NOT NULL,
    given_name TEXT NOT NULL, family_name TEXT NOT NULL, trait TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS m_calendars (
    n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, account TEXT NOT NULL, body TEXT NOT NULL,
    change INTEGER NOT NULL DEFAULT 0, written_us INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS m_shares (
    cal INTEGER NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL, copy_id TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    accepted INTEGER NOT NULL, PRIMARY KEY (cal, email));
CREATE TABLE IF NOT EXISTS m_events (
    cal INTEGER NOT NULL, core BLOB NOT NULL, kind TEXT NOT NULL, series BLOB, original_ms INTEGER,
    change INTEGER NOT NULL, written_us INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    deleted INTEGER NOT NULL, mailbox BLOB NOT NULL, transaction_id TEXT, body TEXT NOT NULL, PRIMARY KEY (core))
    WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS m_events_by_change ON m_events (cal, change);
CREATE INDEX IF NOT EXISTS m_events_by_end ON m_events (cal, end_ms);
CREATE INDEX IF NOT EXISTS m_events_by_series ON m_events (series, original_ms) WHERE series IS NOT NULL;
CREATE INDEX IF NOT EXISTS m_events_by_transaction ON m_events (mailbox, transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS m_dead_tokens (token TEXT PRIMARY KEY, reason INTEGER NOT NULL) WITHOUT ROWID;
"""
