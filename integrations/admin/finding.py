"""Finding problems and jobs by what people know: names of records and clients, numbers, accounts, integrations."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from fieldcamp.workspace.searching import words
from integrations.models import JobPart, Problem, SyncJob
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import models
from integrations.services.problems.fix_reasons import REASONS
from integrations.services.problems.fixes import TITLES

_PERSON = ("company_name", "display_name", "first_name", "last_name")
_OF_CLIENT = tuple(f"client__{name}" for name in _PERSON)
# By which of their columns records are found, by kind.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "visit": ("title", *_OF_CLIENT, "technician__first_name", "technician__last_name"),
    "customer": (*_PERSON, "email"),
    "item": ("name", "sku"),
    "tax": ("name",),
    "invoice": ("number", *_OF_CLIENT),
    "payment": ("reference", *_OF_CLIENT),
}


def _any(names: Iterable[str], word: str) -> Q:
    condition = Q(pk__in=[])
    for name in names:
        condition |= Q(**{f"{name}__icontains": word})
    return condition


def integrations_called(word: str) -> list[str]:
    """Returns the integrations whose label or name has the word in it."""
    folded = word.casefold()
    return [name for name, each in PROVIDERS.items() if folded in each.label.casefold() or folded in name]


def find_problems(rows: QuerySet[Problem], search: str) -> QuerySet[Problem]:
    """Returns the problems in which each word is found: in the sentence, the record that it is about, its client, the
    account and its person, the integration, or what the problem is called."""
    for word in words(search):
        folded = word.casefold()
        condition = _any(
            ("message", "connection__account_name", "connection__member__first_name", "connection__member__last_name"),
            word,
        )
        condition |= Q(pk=word) | Q(record_id=word) | Q(integration__in=integrations_called(word))
        condition |= Q(code__in=[code for code, title in TITLES.items() if folded in str(title).casefold()])
        if reasons := [str(reason) for reason, fix in REASONS.items() if folded in str(fix.title).casefold()]:
            condition |= Q(data__reason__in=reasons)
        for kind, model in models().items():
            records: Any = model._default_manager
            named = _any(_NAMES.get(kind, ()), word)
            found = records.filter(named, pk=OuterRef("record_id"), workspace=OuterRef("workspace_id"))
            condition |= Q(Exists(found), record_kind=kind)
        rows = rows.filter(condition)
    return rows


def find_jobs(rows: QuerySet[SyncJob], search: str) -> QuerySet[SyncJob]:
    """Returns the jobs in which each word is found: in the integration, who asked for it, an account of it; or those
    of this id."""
    for word in words(search):
        parts = JobPart.objects.filter(
            _any(("connection__account_name", "connection__member__first_name", "connection__member__last_name"), word),
            job=OuterRef("pk"),
        )
        rows = rows.filter(
            Q(pk=word)
            | Q(request_id=word)
            | Q(integration__in=integrations_called(word))
            | Q(actor__icontains=word)
            | Exists(parts)
        )
    return rows
