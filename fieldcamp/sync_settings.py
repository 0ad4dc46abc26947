"""The settings of the sync, of pushes and of webhooks, by environment; `settings` passes them on."""

from fieldcamp.env import env_bool, env_int, env_text

SYNC_WINDOW_PAST_DAYS = env_int("SYNC_WINDOW_PAST_DAYS", 30)
SYNC_WINDOW_FUTURE_DAYS = env_int("SYNC_WINDOW_FUTURE_DAYS", 180)
# A visit whose event is moved by more days, or made longer, waits until a person has decided.
ASK_WHEN_MOVED_DAYS = env_int("ASK_WHEN_MOVED_DAYS", 30)
ASK_WHEN_LONGER_HOURS = env_int("ASK_WHEN_LONGER_HOURS", 24)
SYNC_INTERVAL_MINUTES = env_int("SYNC_INTERVAL_MINUTES", 30)
FEED_RETENTION_DAYS = env_int("FEED_RETENTION_DAYS", 30)
# How many reads of the change feed may wait (`wait=`) at a time in a web process: each holds one of its threads.
FEED_WAITERS = env_int("FEED_WAITERS", 4)
JOB_RETENTION_DAYS = env_int("JOB_RETENTION_DAYS", 90)
CHANGE_RETENTION_DAYS = env_int("CHANGE_RETENTION_DAYS", 365)
# What people have deleted is hidden at once, and loses its words for good after so many days (docs/data.md).
DELETED_RETENTION_DAYS = env_int("DELETED_RETENTION_DAYS", 90)
JOB_CALL_RETENTION_DAYS = env_int("JOB_CALL_RETENTION_DAYS", 30)
# The calls behind each record (`/sync/calls`): what was sent of it, and what came back.
RECORD_CALL_RETENTION_DAYS = env_int("RECORD_CALL_RETENTION_DAYS", 7)
METRICS_TOKEN = env_text("METRICS_TOKEN")
PAUSE_AFTER_FAILURES = env_int("PAUSE_AFTER_FAILURES", 10)
OUTAGE_MAIL_AFTER_MINUTES = env_int("OUTAGE_MAIL_AFTER_MINUTES", 30)
# How many accounts a job goes through at a time, each with a database connection of its own.
ACCOUNTS_AT_ONCE = env_int("ACCOUNTS_AT_ONCE", 16)

# How long the events of the API's webhooks are kept, sent or not.
EVENT_RETENTION_DAYS = env_int("EVENT_RETENTION_DAYS", 30)
# For demo and tests: lets webhooks be sent to this machine and to private networks, over plain http as well.
WEBHOOK_ALLOW_PRIVATE = env_bool("WEBHOOK_ALLOW_PRIVATE")
WEBHOOK_ALLOW_PORT_8443 = env_bool("WEBHOOK_ALLOW_PORT_8443")
