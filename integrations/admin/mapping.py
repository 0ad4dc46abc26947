"""The page that says which tax code, item and account of the books stand for which of FieldCamp's."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q

from fieldcamp.workspace.models import Item, TaxRate
from integrations.admin.values import shown
from integrations.errors import ProblemReason
from integrations.kinds import ITEM, TAX
from integrations.models import BooksSettings, Connection
from integrations.providers import PROVIDERS
from integrations.records import Reference
from integrations.services.books.mapping import mapped, waiting
from integrations.services.books.setup import active, open_books
from integrations.services.books.suggest import likely_codes
from integrations.services.setup import SetupError

ROWS = 50


@dataclass(frozen=True)
class Row:
    """One record of FieldCamp's. `likely` are those that are suggested, `others` the rest that is free, and `taken`
    stand for another record, which may give its place up."""

    record: Any
    chosen: str
    name: str = ""
    likely: list[Reference] = field(default_factory=list)
    others: list[Reference] = field(default_factory=list)
    taken: list[Reference] = field(default_factory=list)

    @property
    def rate(self) -> str:
        return str(shown("rate", self.record.rate))


def mapping_context(
    connection: Connection, query: Mapping[str, str], posted: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The page; `posted` are choices that were refused, to be corrected. Raises ProviderError."""
    books = open_books(connection)
    codes, items = [_with_rate(code) for code in books.references("tax_code")], active(books.references("item"))
    search = query.get("q", "").replace("\x00", "").strip()
    rows, more = _items(connection, items, search, posted or {})
    return {
        "connection": connection,
        "label": PROVIDERS[connection.integration].label,
        "settings": BooksSettings.objects.filter(connection=connection).first(),
        "accounts": active(books.references("income_account")),
        "items": items,
        "taxes": _taxes(connection, codes, posted or {}),
        "item_rows": rows,
        "more_items": more,
        "q": search,
        "waiting_taxes": waiting(connection, ProblemReason.TAX_MAPPING),
        "waiting_items": waiting(connection, ProblemReason.ITEM_MAPPING),
    }


def _with_rate(code: Reference) -> Reference:
    return replace(code, name=f"{code.name} ({shown('rate', code.detail)})") if code.detail else code


def _taxes(connection: Connection, codes: list[Reference], posted: Mapping[str, str]) -> list[Row]:
    chosen = mapped(connection, TAX.name)
    names = {code.id: code.name for code in codes}
    rows = []
    for tax in TaxRate.objects.alive().filter(workspace_id=connection.workspace_id).order_by("name", "pk"):
        now = posted.get(f"tax-{tax.pk}", chosen.get(tax.pk, ""))
        taken = {code_id for pk, code_id in chosen.items() if pk != tax.pk}
        usable = [code for code in codes if code.active or code.id == now]
        free = [code for code in usable if code.id not in taken or code.id == now]
        likely = likely_codes(tax, free)
        others = [code for code in free if code not in likely]
        rows.append(Row(tax, now, names.get(now, ""), likely, others, [code for code in usable if code not in free]))
    return rows


def _items(
    connection: Connection, items: list[Reference], search: str, posted: Mapping[str, str]
) -> tuple[list[Row], bool]:
    """Items that have no counterpart yet; with a search those that it finds, mapped or not."""
    chosen = mapped(connection, ITEM.name)
    names = {item.id: item.name for item in items}
    rows = Item.objects.alive().filter(workspace_id=connection.workspace_id, is_active=True).order_by("name", "pk")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(sku__iexact=search))
    else:
        rows = rows.exclude(pk__in=list(chosen))
    found = list(rows[: ROWS + 1])
    shown = []
    for item in found[:ROWS]:
        now = chosen.get(item.pk, "")
        shown.append(Row(item, now, posted.get(f"item-{item.pk}", names.get(now, now))))
    return shown, len(found) > ROWS


def posted_taxes(posted: Mapping[str, str]) -> dict[str, str]:
    """What the form says of each tax rate."""
    return {name.removeprefix("tax-"): value.strip() for name, value in posted.items() if name.startswith("tax-")}


def posted_items(connection: Connection, posted: Mapping[str, str]) -> dict[str, str]:
    """What the form says of each item; they are chosen by name, because there may be thousands."""
    by_name = {item.name.casefold(): item.id for item in active(open_books(connection).references("item"))}
    chosen = {}
    for name, value in posted.items():
        if not name.startswith("item-"):
            continue
        text = value.strip()
        if text and text.casefold() not in by_name:
            raise SetupError(
                name.removeprefix("item-"), f"There is no active item “{text[:100]}”. Choose one of the list."
            )
        chosen[name.removeprefix("item-")] = by_name.get(text.casefold(), "")
    return chosen
