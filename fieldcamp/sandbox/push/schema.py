"""The tables in which channels, waiting messages and what became of them are kept."""

# `topic` names what a channel is about, in its vendor's own words. Messages of one lane go to one receiver; those of a
# `blocking` lane wait for the ones before them. `batch` is the number of the first message of those that were sent in
# one post: whatever is tried again is tried again as a whole. All times are the sandbox's clock, in seconds.
SCHEMA = """
CREATE TABLE IF NOT EXISTS p_channels (
    vendor TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, client_id TEXT NOT NULL, topic TEXT NOT NULL,
    resource TEXT NOT NULL, url TEXT NOT NULL, state TEXT NOT NULL, opened_at REAL NOT NULL, expires_at REAL,
    ended_at REAL, number INTEGER NOT NULL DEFAULT 0, details TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (vendor, id));
CREATE INDEX IF NOT EXISTS p_channels_by_topic ON p_channels (vendor, topic);
CREATE INDEX IF NOT EXISTS p_channels_by_state ON p_channels (vendor, state);
CREATE TABLE IF NOT EXISTS p_messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT, vendor TEXT NOT NULL, lane TEXT NOT NULL, channel TEXT NOT NULL,
    account TEXT NOT NULL, url TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, made_at REAL NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, batch INTEGER, blocking INTEGER NOT NULL DEFAULT 0,
    held TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS p_messages_by_due ON p_messages (due, n);
CREATE INDEX IF NOT EXISTS p_messages_by_lane ON p_messages (vendor, lane, n);
CREATE INDEX IF NOT EXISTS p_messages_by_channel ON p_messages (vendor, channel);
CREATE TABLE IF NOT EXISTS p_log (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, vendor TEXT NOT NULL, channel TEXT NOT NULL,
    account TEXT NOT NULL, url TEXT NOT NULL, kind TEXT NOT NULL, items INTEGER NOT NULL, headers TEXT NOT NULL,
    body TEXT NOT NULL, attempt INTEGER NOT NULL, status INTEGER NOT NULL, ms INTEGER NOT NULL, outcome TEXT NOT NULL,
    next_at REAL, why TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS p_orders (
    n INTEGER PRIMARY KEY AUTOINCREMENT, vendor TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    times INTEGER NOT NULL, seconds REAL NOT NULL, taken INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS p_pauses (
    vendor TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (vendor, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS p_answers (
    vendor TEXT NOT NULL, host TEXT NOT NULL, at REAL NOT NULL, slow INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS p_answers_by_host ON p_answers (vendor, host, at);
CREATE TABLE IF NOT EXISTS p_hosts (
    vendor TEXT NOT NULL, host TEXT NOT NULL, state TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (vendor, host))
    WITHOUT ROWID;
"""
