"""Why something cannot be done with webhooks. Values that cannot be taken are `workspace.errors.InvalidFields`, states
that forbid it `InvalidTransition`."""

import datetime as dt

from django.conf import settings


class ScopeMissing(Exception):
    """Whoever asks lacks this scope, without which these events may not be read or sent on."""

    def __init__(self, scope: str):
        self.scope = scope
        super().__init__(f"These events need the scope {scope}. Use a key that has it, or leave them out.")


class EventsExpired(Exception):
    """The events asked for have been pruned. `resync_from` is the earliest time that can still be asked for."""

    def __init__(self, resync_from: dt.datetime):
        self.resync_from = resync_from
        super().__init__(
            f"Events are kept for {settings.EVENT_RETENTION_DAYS} days, and what you ask for is older. Read your "
            "records anew, then continue with since = details.resync_from."
        )


class TooManyTests(Exception):
    """As many tests of this workspace are on their way as may be at once."""
