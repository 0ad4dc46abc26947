"""The page that says which tax code, item and account of the books stand for which of FieldCamp's."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from fieldcamp.workspace.models import Item, TaxRate
from integrations.admin.values import shown
from integrations.errors import ProblemReason
from integrations.kinds import ITEM, TAX
from integrations.models import BooksSettings, Connection
from integrations.providers import PROVIDERS
from integrations.records import Reference
from integrations.services.books.mapping import categories_of, mapped, waiting
from integrations.services.books.setup import active, company_of, open_books
from integrations.services.books.suggest import likely_codes

ROWS = 50


@dataclass(frozen=True)
class TaxRow:
    """One tax rate and its code. `likely` are the codes that are suggested, `others` the rest that is free, and `taken`
    stand for another tax rate, which may give its place up."""

    record: TaxRate
    chosen: str
    likely: list[Reference] = field(default_factory=list)
    others: list[Reference] = field(default_factory=list)
    taken: list[Reference] = field(default_factory=list)

    @property
    def rate(self) -> str:
        return str(shown("rate", self.record.rate))


@dataclass(frozen=True)
class ItemRow:
    """One item, the id of its counterpart, and how that is called there."""

    record: Item
    chosen: str
    name: str


class MappingPage:
    """What the page shows of one company. The provider is asked for each list once, when it is needed; all that needs
    one may raise ProviderError."""

    def __init__(self, connection: Connection, search: str):
        self.connection, self.search = connection, search.replace("\x00", "").strip()
        self._books = open_books(connection)

    @property
    def place(self) -> str:
        return PROVIDERS[self.connection.integration].label

    @cached_property
    def codes(self) -> list[Reference]:
        """Returns the tax codes, their rates in their names."""
        return [_with_rate(code) for code in self._books.references("tax_code")]

    @cached_property
    def items(self) -> list[Reference]:
        return active(self._books.references("item"))

    @cached_property
    def accounts(self) -> list[Reference]:
        return active(self._books.references("income_account"))

    @cached_property
    def categories(self) -> dict[str, list[Reference]]:
        """Returns what new invoices may be sorted by in this company, and its terms; each list is asked for."""
        return categories_of(self._books, company_of(self.settings))

    @cached_property
    def settings(self) -> BooksSettings | None:
        return BooksSettings.objects.filter(connection=self.connection).first()

    def tax_rows(self) -> list[TaxRow]:
        chosen = mapped(self.connection, TAX.name)
        rows = []
        for tax in TaxRate.objects.alive().filter(workspace_id=self.connection.workspace_id).order_by("name", "pk"):
            now = chosen.get(tax.pk, "")
            taken = {code_id for pk, code_id in chosen.items() if pk != tax.pk}
            usable = [code for code in self.codes if code.active or code.id == now]
            free = [code for code in usable if code.id not in taken or code.id == now]
            likely = likely_codes(tax, free)
            others = [code for code in free if code not in likely]
            rows.append(TaxRow(tax, now, likely, others, [code for code in usable if code not in free]))
        return rows

    def item_rows(self) -> tuple[list[ItemRow], bool]:
        """Items that have no counterpart yet, or with a search those that it finds; and whether there are more."""
        chosen = mapped(self.connection, ITEM.name)
        rows = self._own_items().filter(is_active=True)
        if self.search:
            rows = rows.filter(Q(name__icontains=self.search) | Q(sku__iexact=self.search))
        else:
            rows = rows.exclude(pk__in=list(chosen))
        found = list(rows[: ROWS + 1])
        return self._as_rows(found[:ROWS], chosen), len(found) > ROWS

    def item_rows_of(self, ids: Collection[str]) -> list[ItemRow]:
        """Returns these items, as far as they are the company's own."""
        found = self._own_items().filter(pk__in=[pk for pk in ids if "\x00" not in pk])
        return self._as_rows(found, mapped(self.connection, ITEM.name))

    def _own_items(self) -> QuerySet[Item]:
        return Item.objects.alive().filter(workspace_id=self.connection.workspace_id).order_by("name", "pk")

    def _as_rows(self, items: Any, chosen: dict[str, str]) -> list[ItemRow]:
        names = {item.id: item.name for item in self.items}
        ids = [(item, chosen.get(item.pk, "")) for item in items]
        return [ItemRow(item, now, names.get(now, now)) for item, now in ids]

    def context(self) -> dict[str, Any]:
        """Returns what the page shows beside its forms."""
        return {
            "connection": self.connection,
            "label": self.place,
            "items_there": self.items,
            "q": self.search,
            "waiting_taxes": waiting(self.connection, ProblemReason.TAX_MAPPING),
            "waiting_items": waiting(self.connection, ProblemReason.ITEM_MAPPING),
        }


def _with_rate(code: Reference) -> Reference:
    return replace(code, name=f"{code.name} ({shown('rate', code.detail)})") if code.detail else code
