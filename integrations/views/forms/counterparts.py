"""What is sent about a record's counterparts."""

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from integrations.views.forms.base import refusing


class AnotherForm(DeskForm):
    """Which of the books' records it is linked with from now on, by our number of it."""

    other = forms.IntegerField(min_value=1, max_value=2**62, error_messages=refusing(_("Choose one of them.")))


class AccountForm(DeskForm):
    """With which account a record is synced."""

    connection = forms.CharField(max_length=32)
