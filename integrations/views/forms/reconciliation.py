"""Which days are compared, and which balances are meant so."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from integrations.services.accepting import Accepted

_WRONG = _("Give a day, such as 2026-11-23.")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _WRONG},
        widget=forms.DateInput(attrs={"type": "date", "class": "fc-input"}, format="%Y-%m-%d"),
    )


class DaysForm(DeskForm):
    """Days from `first` to `last`; each may be left out."""

    first = _day(_("From"))
    last = _day(_("To"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", gettext("This is before the first day."))
        return cleaned

    def days(self) -> dict[str, Any]:
        """Returns what a report takes; the chosen first day where none is given."""
        first: dt.date | None = self.cleaned_data["first"]
        last: dt.date | None = self.cleaned_data["last"]
        return {"first": first.isoformat() if first else None, "last": last.isoformat() if last else ""}


class AcceptForm(DeskForm):
    """Balances that are meant so, as the page has shown them: each is a cause, a customer and an amount."""

    chosen = forms.CharField(max_length=20_000)

    def clean_chosen(self) -> list[Accepted]:
        found = []
        for text in self.cleaned_data["chosen"].split(","):
            try:
                cause, customer, amount = text.split(" ")
                value = Decimal(amount)
                if not value.is_finite():
                    raise ValueError(amount)
                found.append(Accepted(cause, customer, value))
            except (ValueError, InvalidOperation):
                raise forms.ValidationError(gettext("Nothing was chosen.")) from None
        return found
