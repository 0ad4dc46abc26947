"""How many calls a day an account may be billed for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.views.forms.base import ChoicesForm

_WHOLE = _("Write a whole number, 0 for no limit, or nothing for what the installation has.")


class ReadsPerDayForm(ChoicesForm):
    limit = forms.IntegerField(
        label=_("Billed reads a day"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _WHOLE},
    )
