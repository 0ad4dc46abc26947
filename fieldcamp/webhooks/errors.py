"""Why something cannot be done with webhooks. Values that cannot be taken are `workspace.errors.InvalidFields`, states
that forbid it `InvalidTransition`."""


class ScopeMissing(Exception):
    """Whoever asks lacks this scope, without which these events may not be sent on."""

    def __init__(self, scope: str):
        self.scope = scope
        super().__init__(
            f"Events that are sent to this webhook need the scope {scope}. Use a key that has it, or leave them out."
        )


class EventsExpired(Exception):
    """The events asked for have been pruned. `resync_from` is the earliest time that can still be asked for."""
