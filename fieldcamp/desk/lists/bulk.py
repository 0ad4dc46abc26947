"""What is done with many rows of a list at once: who may, and how it is said what was done and what was left."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.lists.words import grouped
from fieldcamp.desk.users import desk_user_of

MOST_REASONS = 3


class BulkMixin:
    """An admin class whose actions each name a right (`workspace.roles`) as their permission. Deleting many at once is
    none of them: records are deleted by their service, with what is said before."""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return desk_user_of(request).may("retry")

    def has_ignore_permission(self, request: HttpRequest) -> bool:
        return desk_user_of(request).may("ignore")

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return desk_user_of(request).may("sync")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        found.pop("delete_selected", None)
        return found


def left_out(reasons: Iterable[str]) -> str:
    """Returns "2 left out: …": each reason once, with how many, the commonest first."""
    counted = Counter(reason or gettext("Nothing can be done about it now.") for reason in reasons)
    if not counted:
        return ""
    total = sum(counted.values())
    head = ngettext("{number} left out: ", "{number} left out: ", total).format(number=grouped(total))
    said = [
        reason if len(counted) == 1 else gettext("{reason} ({number})").format(reason=reason, number=grouped(number))
        for reason, number in counted.most_common(MOST_REASONS)
    ]
    more = len(counted) - len(said)
    said += [gettext("and other reasons")] if more > 0 else []
    return head + " ".join(said)


def tell(request: HttpRequest, done: Callable[[int], str], number: int, reasons: Iterable[str], *more: str) -> None:
    """Says what was done and what was not, as one message."""
    left = left_out(reasons)
    sentence = " ".join(text for text in (f"{done(number)}." if number or not left else "", *more, left) if text)
    (messages.success if number else messages.warning)(request, sentence)
