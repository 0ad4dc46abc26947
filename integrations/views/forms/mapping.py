"""The three forms of the mapping page: taxes, items, and what stands for the rest (`forms.books.DefaultsForm`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.admin.mapping import ItemRow, MappingPage, TaxRow
from integrations.kinds import ITEM, TAX
from integrations.records import Reference
from integrations.services.books.mapping import CATEGORIES
from integrations.views.forms.base import ChoicesForm, refusing
from integrations.views.forms.books import DefaultsForm

LONGEST_NAME = 1000


class RecordsForm(ChoicesForm):
    """One field for each record, named after it. What is not sent of them stays as it is."""

    kind: ClassVar[str]
    before: ClassVar[str]  # the record's id, in a field's name

    def __init__(self, data: QueryDict | None, rows: Mapping[str, Any]):
        self.records = {f"{self.before}{pk}": pk for pk in rows}
        self.rows = {name: rows[pk] for name, pk in self.records.items()}
        self.sent = [name for name in self.records if data is not None and name in data]
        self.unknown = [name for name in data or () if name.startswith(self.before) and name not in self.records]
        if data is not None:
            data = data.copy()
            for name, row in self.rows.items():
                data.setdefault(name, self.stored(row))
        super().__init__(data, initial={name: self.stored(row) for name, row in self.rows.items()})

    def stored(self, row: Any) -> str:
        """Returns what stands in the row's field before anybody has touched it."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        if self.unknown:
            self.add_error(None, gettext("A record of this list is not there any more. Load the page again."))
        return super().clean()

    def name_of(self, field: str) -> str:
        """Returns the field of the record that the service names."""
        return f"{self.before}{field}"

    @property
    def lines(self) -> list[tuple[Any, forms.BoundField]]:
        return [(row, self[name]) for name, row in self.rows.items()]

    @property
    def chosen(self) -> dict[str, str]:
        """Returns the counterparts' ids by the records'."""
        return {self.records[name]: self.cleaned_data[name] for name in self.sent}


class TaxesForm(RecordsForm):
    kind, before = TAX.name, "tax-"

    def __init__(self, data: QueryDict | None, rows: Sequence[TaxRow]):
        super().__init__(data, {row.record.pk: row for row in rows})
        for name, row in self.rows.items():
            self.fields[name] = forms.ChoiceField(
                label=str(row.record),
                required=False,
                widget=forms.Select(attrs={"class": "fc-input"}),
                error_messages=refusing(_("Choose one of the tax codes of the list.")),
            )
            self.offer(name, [(words, _options(codes)) for words, codes in _groups(row) if codes], blank=_("None yet"))

    def stored(self, row: TaxRow) -> str:
        known = any(code.id == row.chosen for _words, codes in _groups(row) for code in codes)
        return row.chosen if known else ""


def _groups(row: TaxRow) -> list[tuple[Any, list[Reference]]]:
    return [
        (_("Same rate"), row.likely),
        (_("Other rates"), row.others),
        (_("Stand for another tax rate"), row.taken),
    ]


def _options(codes: Sequence[Reference]) -> list[tuple[str, str]]:
    return [(code.id, code.name) for code in codes]


class ItemField(forms.CharField):
    """An item of the books by its name, because there may be thousands of them; its value is the item's id."""

    def __init__(self, row: ItemRow, ids: Mapping[str, str], **kwargs: Any):
        super().__init__(required=False, max_length=LONGEST_NAME, **kwargs)
        self.row, self.ids = row, ids

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if text == self.row.name:
            return self.row.chosen  # also where that one is inactive by now
        if text and text.casefold() not in self.ids:
            sentence = gettext("There is no active item “{name}”. Choose one of the list.")
            raise forms.ValidationError(sentence.format(name=text[:100]))
        return self.ids.get(text.casefold(), "")


class ItemsForm(RecordsForm):
    kind, before = ITEM.name, "item-"

    def __init__(self, data: QueryDict | None, page: MappingPage, rows: Sequence[ItemRow], more: bool = False):
        super().__init__(data, {row.record.pk: row for row in rows})
        self.more = more
        ids = {item.name.casefold(): item.id for item in page.items}
        hint = gettext("Item in {provider}").format(provider=page.place)
        attrs = {"class": "fc-input", "list": "their-items", "autocomplete": "off", "placeholder": hint}
        for name, row in self.rows.items():
            self.fields[name] = ItemField(row, ids, label=str(row.record), widget=forms.TextInput(attrs=attrs))

    def stored(self, row: ItemRow) -> str:
        return row.name


def taxes_form(page: MappingPage, data: QueryDict | None) -> TaxesForm:
    return TaxesForm(data, page.tax_rows())


def items_form(page: MappingPage, data: QueryDict | None) -> ItemsForm:
    if data is None:
        return ItemsForm(None, page, *page.item_rows())
    # The rows that were sent, which need not be those of the list any more.
    names = [name for name in data if name.startswith(ItemsForm.before)]
    return ItemsForm(data, page, page.item_rows_of([name.removeprefix(ItemsForm.before) for name in names]))


def defaults_form(page: MappingPage, data: QueryDict | None) -> DefaultsForm:
    settings = page.settings
    stored = {
        "income_account": settings.income_account_id if settings else "",
        "default_item": settings.default_item_id if settings else "",
        **{name: getattr(settings, f"{name}_id", "") for name in CATEGORIES},
    }
    return DefaultsForm(data, initial=stored, accounts=page.accounts, items=page.items, categories=page.categories)


MappingForm = RecordsForm | DefaultsForm
FORMS: dict[str, Callable[[MappingPage, QueryDict | None], MappingForm]] = {
    "taxes": taxes_form,
    "defaults": defaults_form,
    "items": items_form,
}
