"""The scopes of a key as people see them: a table with a row for each resource, read and write side by side."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from fieldcamp.api.scopes import RESOURCES, SCOPES

LABELS = {
    "clients": _("Clients"),
    "visits": _("Visits"),
    "team": _("Team"),
    "integrations": _("Integrations"),
    "api_keys": _("API keys"),
    "invoices": _("Invoices"),
    "payments": _("Payments"),
    "items": _("Items"),
    "taxes": _("Taxes"),
    "problems": _("Problems"),
    "webhooks": _("Webhooks"),
    "connections": _("Connected accounts"),
}


def scope_table(chosen: Collection[str], *, name: str = "", fixed: bool = False) -> SafeString:
    """Returns tick boxes, or with `fixed` the ticks alone."""
    rows = [
        {
            "label": LABELS[resource],
            "cells": [_cell(resource, access, chosen, name) for access in ("read", "write")],
        }
        for resource in RESOURCES
    ]
    others = sorted(set(chosen) - set(SCOPES))
    return render_to_string("admin/api/scopes.html", {"rows": rows, "name": name, "fixed": fixed, "others": others})


def _cell(resource: str, access: str, chosen: Collection[str], name: str) -> dict[str, Any]:
    scope = f"{resource}:{access}"
    return {"scope": scope, "checked": scope in chosen, "id": f"id_{name}_{resource}_{access}"}


class ScopeTable(forms.CheckboxSelectMultiple):
    """The table as a form's field; what is posted are the ticked scopes, as from any list of tick boxes."""

    use_fieldset = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return scope_table(value or [], name=name)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""
