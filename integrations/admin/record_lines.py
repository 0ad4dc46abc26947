"""How a record is named wherever something is decided about it: client, what, date or number, amount, and the way to
it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import Client, Invoice, Item, Payment, TaxRate, Visit
from fieldcamp.workspace.tracking import TrackedModel
from integrations.admin.record_pages import page_of

SHOWN = 5  # the others are unfolded


class Foldable:
    """A list of which the first lines are seen and the others unfolded."""

    lines: Sequence[Any]

    @property
    def first(self) -> Sequence[Any]:
        return self.lines[:SHOWN]

    @property
    def rest(self) -> Sequence[Any]:
        return self.lines[SHOWN:]


@dataclass(frozen=True)
class RecordLine:
    """One record in a list. `value` is what its box sends, `note` what else is to be known of it; `here`, `there` and
    `why` are for lists that compare, `page` leads to its own question."""

    name: str
    url: str = ""
    client: str = ""
    when: str = ""
    amount: str = ""
    note: str = ""
    value: str = ""
    here: Any = ""
    there: Any = ""
    why: str = ""
    page: str = ""

    @property
    def facts(self) -> str:
        return " · ".join(part for part in (self.when, self.client, self.amount, self.note) if part)


def line_of(record: TrackedModel | None, desk_user: DeskUser, missing: str, **more: Any) -> RecordLine:
    """Returns the line of this record; `missing` is how one is called that FieldCamp does not have."""
    if record is None:
        return RecordLine(missing, **more)
    facts = _facts(record)
    name = facts.pop("name", "") or str(record)
    if record.deleted_at:
        facts["note"] = gettext("deleted in FieldCamp")
    return RecordLine(name, page_of(record, desk_user), **facts, **more)


def _facts(record: TrackedModel) -> dict[str, str]:
    if isinstance(record, Visit):
        when = formats.moment(record.scheduled_start) if record.scheduled_start else gettext("without a date")
        return {"client": str(record.client), "when": when}
    if isinstance(record, Invoice):
        return {
            "client": str(record.client),
            "when": formats.day(record.date),
            "amount": formats.money(record.total),
        }
    if isinstance(record, Payment):
        return {
            "name": gettext("Payment"),
            "client": str(record.client),
            "when": formats.day(record.date),
            "amount": formats.money(record.amount),
        }
    if isinstance(record, Client):
        return {"note": record.email or ""}
    if isinstance(record, Item):
        return {"amount": formats.price(record.price)}
    return {"amount": formats.percent(record.rate)} if isinstance(record, TaxRate) else {}
