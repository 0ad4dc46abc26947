"""The forms of signing in, of confirming, and of factors."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.signin.factors import NAME_LENGTH

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autocapitalize": "off", "spellcheck": "false"}
LONGEST_CREDENTIAL = 20_000  # characters; a passkey's answer has a few hundred


def _code(autofocus: bool = False, **kwargs: Any) -> forms.CharField:
    attrs = CODE | ({"autofocus": True} if autofocus else {})
    return forms.CharField(max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)


class CredentialField(forms.JSONField):
    """What a browser answers for a passkey: an object, and no endless one."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > LONGEST_CREDENTIAL:
            raise forms.ValidationError(gettext("The passkey was not taken. Try again."))
        found = super().to_python(value)
        if found is not None and not isinstance(found, dict):
            raise forms.ValidationError(gettext("The passkey was not taken. Try again."))
        return found


class SecondStepForm(DeskForm):
    """A code of the authenticator app, a recovery code, or a passkey."""

    code = _code(label=_("Code"), required=False, autofocus=True)
    credential = CredentialField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not cleaned.get("code") and not cleaned.get("credential"):
            self.add_error("code", gettext("Enter the code."))
        return cleaned


class ConfirmForm(DeskForm):
    """Password, code or passkey, beside the fields of the page that is confirmed."""

    confirm_password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    confirm_code = _code(label=_("Or a code of your authenticator app"), required=False)
    confirm_credential = CredentialField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not any(cleaned.values()):
            self.add_error("confirm_password", gettext("Enter your password."))
        return cleaned


class AppForm(DeskForm):
    """The first code of an authenticator app that has read the secret."""

    code = _code(label=_("The code that the app shows now"))


class PasskeyForm(DeskForm):
    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, required=False, initial=_("Passkey"))
    credential = CredentialField()
