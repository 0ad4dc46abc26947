"""The forms of items, taxes, invoices and payments, each saved by its service together with its rows."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from fieldcamp.desk.forms import PlainTexts
from fieldcamp.money import plain
from fieldcamp.texts import in_one_line
from fieldcamp.workspace import catalog, invoicing, paying
from fieldcamp.workspace.admin.forms import RecordForm
from fieldcamp.workspace.models import Invoice, InvoiceLine, Item, Payment, PaymentAllocation, TaxRate

_ITEM = ("name", "type", "price", "sku", "taxable", "is_active", "description")
_TAX = ("name", "description", "is_active")
_INVOICE = ("client", "number", "date", "due_date", "tax_rate", "discount_percent", "discount_amount", "memo")
_PAYMENT = ("client", "amount", "date", "method", "reference", "notes")
_ROW = re.compile(r"(?:lines|allocations)\.(\d+)")


class MoneyForm(RecordForm):
    """A record whose foreign keys go to the service as ids."""

    def values(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the edited ones of these fields, as the service takes them."""
        found = {name: value for name, value in self.changes().items() if name in names}
        for name in {"client", "tax_rate"} & {*found}:
            row = found.pop(name)
            found[f"{name}_id"] = row.pk if row else None
        return found

    def may_be_empty(self, **hints: Any) -> None:
        """Fields that the service fills in. Who may only look has no fields."""
        for name in hints.keys() & self.fields.keys():
            self.fields[name].required, self.fields[name].help_text = False, hints[name]

    @property
    def is_new(self) -> bool:
        return self.instance._state.adding

    def target(self) -> dict[str, Any]:
        return {"workspace": self.instance.workspace, "check": self.check_version}


class ItemForm(MoneyForm):
    class Meta:
        model = Item
        fields = _ITEM

    def run(self) -> Item:
        values = self.values(_ITEM)
        if self.is_new:
            return catalog.create_item(workspace=self.workspace, **{"name": "", **values})
        return catalog.update_item(item_id=self.instance.pk, changes=values, **self.target())


class TaxForm(MoneyForm):
    """Percentages here, fractions in the record."""

    rate = forms.DecimalField(
        label=_("Rate in %"), required=False, min_value=0, max_value=100, max_digits=7, decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("8 is 8 %. Leave it empty where there are components."),
    )  # fmt: skip
    parts = forms.CharField(
        label=_("Components"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), max_length=1200,
        help_text=_("One a line: a name and its rate in %, such as “State 7.25”. Each is rounded by itself."),
    )  # fmt: skip

    class Meta:
        model = TaxRate
        fields = _TAX

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        parts = self.instance.components
        self.initial["parts"] = "\n".join(f"{part['name']} {_percent(part['rate'])}" for part in parts)
        self.initial["rate"] = None if parts or self.is_new else Decimal(_percent(self.instance.rate))

    def clean_parts(self) -> list[dict[str, str]]:
        return [_part(line) for line in self.cleaned_data["parts"].splitlines() if line.strip()]

    def run(self) -> TaxRate:
        values = self.values(_TAX)
        if self.is_new or {"rate", "parts"} & {*self.changed_data}:
            percent = self.cleaned_data["rate"]
            rate = None if percent is None or self.cleaned_data["parts"] else percent / 100
            values |= {"rate": rate, "components": self.cleaned_data["parts"]}
        if self.is_new:
            return catalog.create_tax_rate(workspace=self.workspace, **{"name": "", **values})
        return catalog.update_tax_rate(tax_rate_id=self.instance.pk, changes=values, **self.target())


def _percent(rate: Decimal | str) -> str:
    return plain(Decimal(rate) * 100)


def _part(line: str) -> dict[str, str]:
    name, _space, percent = line.strip().removesuffix("%").strip().rpartition(" ")
    try:
        rate = Decimal(percent) / 100
    except InvalidOperation:
        rate = Decimal("NaN")
    if not name.strip() or not rate.is_finite() or not 0 <= rate <= 1 or rate != round(rate, 6):
        wrong = gettext("“{line}” is no name with a rate in %, such as “State 7.25”.")
        raise ValidationError(wrong.format(line=line.strip()[:60]))
    return {"name": in_one_line(name)[:100], "rate": plain(rate)}


class RowForm(PlainTexts, forms.ModelForm):
    """A row of an invoice or a payment; `fields_of` names what of it the service takes."""

    fields_of: ClassVar[dict[str, str]]

    def as_row(self) -> dict[str, Any]:
        found = {}
        for name, key in self.fields_of.items():
            value = self.cleaned_data.get(name)
            found[key] = value.pk if key.endswith("_id") and value is not None else value
        return found


class LineForm(RowForm):
    fields_of = {
        "item": "item_id",
        "description": "description",
        "quantity": "quantity",
        "unit_price": "unit_price",
        "taxable": "taxable",
    }

    class Meta:
        model = InvoiceLine
        fields = ("item", "description", "quantity", "unit_price", "taxable")
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 1})}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in {"description", "quantity", "unit_price"} & {*self.fields}:
            self.fields[name].required = False  # what is empty comes from the item
            if not kwargs.get("initial") and self.instance._state.adding:
                self.initial[name] = None
        for name in {"quantity", "unit_price"} & {*self.initial}:
            if self.initial[name] is not None:
                self.initial[name] = Decimal(plain(self.initial[name]))

    def clean_description(self) -> str | None:
        return self.cleaned_data["description"] or None

    def _post_clean(self) -> None:
        """Leaves the row to the service: no instance is made or checked here."""


class AllocationForm(RowForm):
    fields_of = {"invoice": "invoice_id", "amount": "amount"}

    class Meta:
        model = PaymentAllocation
        fields = ("invoice", "amount")

    _post_clean = LineForm._post_clean


class RowsForm(MoneyForm):
    """A record with rows below it, which the service saves as a whole. The admin names the rows' formset."""

    formset_class: type[forms.BaseInlineFormSet]

    def rows(self) -> list[dict[str, Any]]:
        none = self.formset_class.model._default_manager.none()  # type: ignore[union-attr]
        formset: Any = self.formset_class(self.data, instance=self.instance, queryset=none)
        if not formset.is_valid():
            raise ValidationError(gettext("Correct the rows below."))
        kept = [form for form in formset.forms if form.has_changed() and not form.cleaned_data.get("DELETE")]
        return [form.as_row() for form in kept]

    def _refuse(self, name: str | None, sentences: list[str]) -> None:
        if row := _ROW.match(name or ""):
            numbered = gettext("Row {number}: {sentence}")
            sentences = [numbered.format(number=int(row[1]) + 1, sentence=sentence) for sentence in sentences]
        super()._refuse(name, sentences)


class InvoiceForm(RowsForm):
    class Meta:
        model = Invoice
        fields = _INVOICE

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.may_be_empty(number=_("Empty: the next free one."), date=_("Empty: today."))

    def run(self) -> Invoice:
        values = self.values(_INVOICE) | {"lines": self.rows()}
        if self.is_new:
            return invoicing.create_invoice(workspace=self.cleaned_data["client"].workspace, **values)
        return invoicing.update_invoice(invoice_id=self.instance.pk, changes=values, **self.target())


class PaymentForm(RowsForm):
    class Meta:
        model = Payment
        fields = _PAYMENT

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.may_be_empty(date=_("Empty: today."))

    def run(self) -> Payment:
        values = self.values(_PAYMENT) | {"allocations": self.rows()}
        if self.is_new:
            return paying.record_payment(workspace=self.cleaned_data["client"].workspace, **values)
        return paying.update_payment(payment_id=self.instance.pk, changes=values, **self.target())
