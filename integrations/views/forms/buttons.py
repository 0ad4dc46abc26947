"""What small forms send with their one button."""

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.workspace.models import Workspace
from integrations.models import SyncJob
from integrations.views.forms.base import refusing, tick


class ConsentForm(DeskForm):
    """The way to a provider's consent: `connection` renews that one, `switch` allows another account for it."""

    connection = forms.CharField(required=False, max_length=32)
    switch = tick()


class SyncForm(DeskForm):
    """Sync now. Without a mode it is the incremental one."""

    mode = forms.TypedChoiceField(
        choices=SyncJob.Mode.choices,
        required=False,
        empty_value=SyncJob.Mode.INCREMENTAL.value,
        error_messages=refusing(_("There are incremental and full syncs. None was started.")),
    )


class CompanyForm(DeskForm):
    """Which company is looked at; none is all of them, for an operator."""

    company = forms.ModelChoiceField(Workspace.objects.all(), required=False)
