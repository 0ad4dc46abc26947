"""The tables in which the simulated Google keeps calendars and events."""

# `change` is the calendar's counter at the last write: a sync token is a counter value, and what changed since is
# an index range. `g_versions` keeps what listings still being paged through must show although it was overwritten.
_EVENT_COLUMNS = """
    cal INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, change INTEGER NOT NULL, updated_us INTEGER NOT NULL,
    status TEXT NOT NULL, series TEXT, original_ms INTEGER, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    recurring INTEGER NOT NULL, event_type TEXT NOT NULL, ical_uid TEXT NOT NULL, body TEXT NOT NULL"""

COLUMNS = (
    "cal, id, seq, change, updated_us, status, series, original_ms, start_ms, end_ms, recurring, event_type, ical_uid,"
    " body"
)

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS g_accounts (
    email TEXT PRIMARY KEY, sub TEXT NOT NULL, given_name TEXT NOT NULL, family_name TEXT NOT NULL,
    list_change INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS g_calendars (
    n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, made_by TEXT NOT NULL,
    body TEXT NOT NULL, change INTEGER NOT NULL, updated_us INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS g_entries (
    account TEXT NOT NULL, cal INTEGER NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL, change INTEGER NOT NULL,
    updated_us INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, cal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS g_rules (
    cal INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, role TEXT NOT NULL,
    change INTEGER NOT NULL, PRIMARY KEY (cal, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS g_ends (cal INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS g_events ({_EVENT_COLUMNS}, PRIMARY KEY (cal, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS g_events_by_seq ON g_events (cal, seq);
CREATE UNIQUE INDEX IF NOT EXISTS g_events_by_change ON g_events (cal, change);
CREATE INDEX IF NOT EXISTS g_events_by_end ON g_events (cal, end_ms);
CREATE INDEX IF NOT EXISTS g_events_by_uid ON g_events (cal, ical_uid);
CREATE INDEX IF NOT EXISTS g_events_by_series ON g_events (cal, series) WHERE series IS NOT NULL;
CREATE TABLE IF NOT EXISTS g_versions ({_EVENT_COLUMNS}, superseded INTEGER NOT NULL, PRIMARY KEY (cal, change))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS g_snapshots (
    cal INTEGER NOT NULL, change INTEGER NOT NULL, opened REAL NOT NULL, PRIMARY KEY (cal, change)) WITHOUT ROWID;
"""
