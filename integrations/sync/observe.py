"""Clearing up what a listing could not tell, before it is written down.

Some providers' listings are short: they do not say whether an event is ours, call gone what has only left the listed
time, or name a series without those of its occurrences that are no more. Only what matters is asked for: most of it is
known already, or none of our business.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from integrations.records import Page, Window
from integrations.sync.ports import Remote


class Memory(Protocol):
    """What is known of the stream."""

    def known(self, names: Collection[str]) -> set[str]:
        """Returns those ids that live links have."""

    def instances(self, series: Sequence[str], window: Window) -> set[str]:
        """Returns ids of what is known of these series, not gone and not over before the window."""


def with_certainty(page: Page, remote: Remote, container_id: str, memory: Memory, window: Window) -> Page:
    """Returns the page as the provider's single answers make it: no doubtful record, no occurrence forgotten."""
    doubtful = [record for record in page.records if record.doubtful]
    if not doubtful and not page.series:
        return page
    known = memory.known([name for record in doubtful for name in (record.id, record.made_with) if name])
    ask = {record.id for record in doubtful if bool({record.id, record.made_with} & known) == record.gone}
    listed = {record.id for record in page.records}
    ask |= memory.instances(page.series, window) - listed if page.series else set()
    found = remote.get(container_id, sorted(ask)) if ask else {}
    records = [
        found.get(record.id, record)
        for record in page.records
        if not (record.doubtful and record.gone and record.id not in ask)
    ]
    return Page([*records, *(found[id] for id in sorted(ask - listed))], page.cursor, page.last, restart=page.restart)
