"""Clients, who are customers in the books."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Trim

from fieldcamp.workspace.books import apply_client, import_client
from fieldcamp.workspace.models import Client
from integrations.books.asking import NOT_PLAIN, rejected
from integrations.books.base import BooksSide
from integrations.books.matching import Candidate, Matches, match_people
from integrations.kinds import CUSTOMER
from integrations.models import Link
from integrations.providers import PROVIDERS
from integrations.records import Fields, tidy
from integrations.sync import folding
from integrations.sync.state import Local, Pair

_NAMES = {"given_name": "first_name", "family_name": "last_name", "company": "company_name", "email": "email"}
_ADDRESSES = {"bill_address": "billing_address", "ship_address": "property_address"}
_PARTS = ("street", "city", "state", "postalCode", "country")


class Clients(BooksSide):
    kind, model = CUSTOMER, Client
    removed = "Its customer was removed in {books}. The client is unchanged. Make the customer again, or leave it so."

    def wanted(self) -> QuerySet[Any]:
        return Client.objects.alive()

    def views(self, records: Sequence[Client]) -> dict[str, Local]:
        return {
            client.pk: Local(None if client.deleted_at else self._kept(customer_fields(client)), version=client.version)
            for client in records
        }

    def _kept(self, fields: Fields) -> Fields:
        """Returns the client as the books will keep it: what cannot be kept there (a colon in a name) is no
        difference."""
        return PROVIDERS[self.connection.integration].kept(self.kind.name, fields)

    def matches(self, records: Sequence[Client], unmatched: Sequence[Link]) -> Matches:
        ours = [
            Candidate(client.pk, email=client.email, name=str(client), phone=phone_of(client.phone_number))
            for client in records
        ]
        return match_people(ours, [_candidate(link) for link in unmatched])

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        if not self.settings.import_customers:
            return super().rejections(links)
        reasons = {link.pk: f"Inactive in {self.label}." for link in links if (link.seen or {}).get("active") is False}
        addresses = {link.pk: folding.emails((link.seen or {}).get("email")) for link in links}
        taken = self._taken(frozenset().union(*addresses.values()))
        for pk, known in addresses.items():
            if known & taken:
                reasons[pk] = "A client with this e-mail address has another customer already."
        return reasons | rejected(links, self.doubts, "a client")

    def _taken(self, addresses: frozenset[str]) -> frozenset[str]:
        """Returns those of these folded addresses that clients have."""
        if not addresses:
            return frozenset()
        clients = Client.objects.alive().filter(workspace_id=self.connection.workspace_id).exclude(email="")
        # What a database cannot fold as we do is read and looked at here.
        rows = clients.annotate(folded=Trim(Lower("email"))).filter(
            Q(folded__in=addresses) | Q(folded__regex=r"[,;]") | Q(folded__regex=NOT_PLAIN)
        )
        found: set[str] = set()
        for email in rows.values_list("email", flat=True):
            found |= folding.emails(email)
        return addresses & found

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_client(pair.record_id, pair.local.version, client_values(pull))

    def make(self, pair: Pair) -> str:
        seen = pair.seen or {}
        values = client_values(seen)
        if not (values["first_name"] or values["company_name"]):
            values["company_name"] = seen.get("display_name") or "Unnamed"
        return import_client(workspace=self.connection.workspace, values=values).pk


def customer_fields(client: Client) -> dict[str, Any]:
    """Returns the client as its customer should be (`kinds.CUSTOMER`)."""
    return {
        "display_name": tidy(str(client)),
        **{theirs: tidy(getattr(client, ours)) for theirs, ours in _NAMES.items()},
        "phone": phone_of(client.phone_number),
        **{theirs: _address(getattr(client, ours)) for theirs, ours in _ADDRESSES.items()},
    }


def client_values(fields: Fields) -> dict[str, Any]:
    """Returns what of a customer's fields becomes of a client's."""
    values = {ours: fields[theirs] or "" for theirs, ours in _NAMES.items() if theirs in fields}
    if "phone" in fields:
        values["phone_number"] = {"number": fields["phone"]} if fields["phone"] else {}
    return values | {ours: fields[theirs] or {} for theirs, ours in _ADDRESSES.items() if theirs in fields}


def phone_of(number: Mapping[str, Any] | None) -> str:
    number = number or {}
    return tidy(f"{number.get('countryCode') or ''} {number.get('number') or ''}") if number.get("number") else ""


def _address(address: Mapping[str, Any] | None) -> dict[str, str] | None:
    parts = {name: tidy(str((address or {}).get(name) or "")) for name in _PARTS}
    return {name: text for name, text in parts.items() if text} or None


def _candidate(link: Link) -> Candidate:
    seen = link.seen or {}
    name = seen.get("company") or f"{seen.get('given_name') or ''} {seen.get('family_name') or ''}".strip()
    return Candidate(
        link.pk,
        link.remote_id,
        seen.get("email") or "",
        name or seen.get("display_name") or "",
        seen.get("phone") or "",
    )
