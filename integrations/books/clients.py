"""Clients, who are customers in the books.

A customer's display name is the client's own: it goes along with an edit of the name that it is made of, in the form
that it has, and with no other. A sub-customer is a place of its parent.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower, Trim

from fieldcamp.workspace.books import apply_client, import_client
from fieldcamp.workspace.models import ADDRESS_PARTS, Client
from fieldcamp.workspace.names import Names, reformed
from fieldcamp.workspace.tracking import attributed
from integrations.books.agreement import as_agreed
from integrations.books.asking import NOT_PLAIN, rejected
from integrations.books.base import MOST_ASKED, BooksSide
from integrations.books.matching import Candidate, Matches, match_people
from integrations.books.merged_clients import being_made, settle_merged
from integrations.books.namesakes import namesakes
from integrations.kinds import CUSTOMER
from integrations.models import Link
from integrations.providers import PROVIDERS
from integrations.records import Fields, tidy
from integrations.sync import folding
from integrations.sync.state import Decision, Local, Pair

_NAMES = {
    "display_name": "display_name",
    "given_name": "first_name",
    "family_name": "last_name",
    "company": "company_name",
    "email": "email",
}
_ADDRESSES = {"bill_address": "billing_address", "ship_address": "property_address"}


class Clients(BooksSide):
    kind, model = CUSTOMER, Client
    removed = "Its customer was removed in {books}. The client is unchanged. Make the customer again, or leave it so."
    _inactive: frozenset[str] = frozenset()  # customers there, as far as they were looked at

    def views(self, records: Sequence[Client]) -> dict[str, Local]:
        links = {link.record_id: link for link in self.counterparts(CUSTOMER, [client.pk for client in records])}
        views = {client.pk: self._view(client, links.get(client.pk)) for client in records}
        for client_id in being_made(self.stream, views.keys() - links.keys()):
            views[client_id] = Local(None, blocked=f"Waits for a customer who is being made in {self.label}.")
        return views

    def _view(self, client: Client, link: Link | None) -> Local:
        """Returns the client as the books will keep it: what cannot be kept there (a colon in a name) is no
        difference, and neither is what was cut or put otherwise on its way here."""
        if client.deleted_at:
            return Local(None, version=client.version)
        kept = PROVIDERS[self.connection.integration].kept(self.kind.name, customer_fields(client))
        fields = as_agreed(client, kept, link.base if link else None, client_values)
        known = (link.base or link.seen or {}) if link else {}
        if not client.display_name and known.get("display_name"):
            now = _names(fields) if link and link.base else _names(known)
            fields["display_name"] = reformed(known["display_name"], _names(known), now)
        return Local(fields, version=client.version)

    def matches(self, records: Sequence[Client], unmatched: Sequence[Link]) -> Matches:
        ours = [
            Candidate(client.pk, email=client.email, name=client.own_name, phone=phone_of(client.phone_number))
            for client in records
        ]
        theirs = self._candidates(unmatched)
        found = match_people(ours, theirs, self._shared(ours, theirs))
        # Nobody is billed by one who is inactive there, and who they are may be long over: a person says so.
        inactive = {link.pk: link.remote_id for link in unmatched if (link.seen or {}).get("active") is False}
        asked = {record_id: [inactive[pk]] for record_id, pk in found.links.items() if pk in inactive}
        links = {record_id: pk for record_id, pk in found.links.items() if record_id not in asked}
        self._inactive = frozenset(inactive.values())
        return Matches(links, {**found.doubts, **asked})

    def _shared(self, ours: Sequence[Candidate], theirs: Sequence[Candidate]) -> frozenset[str]:
        """Returns the addresses of both that a client has who is linked: what was a question between several stays one
        when some of them have been told apart."""
        here = frozenset[str]().union(*(folding.emails(one.email) for one in ours))
        there = frozenset[str]().union(*(folding.emails(one.email) for one in theirs))
        return self._taken(here & there, {one.id for one in ours})

    def question(self, record: Client, remote_ids: Sequence[str]) -> str:
        if set(self.doubts.get(record.pk, ())) & self._inactive:
            return (
                f"{self.label} has a customer like this who is inactive. If it is the same, make them active there and "
                "say so; else make a new one."
            )
        return super().question(record, remote_ids)

    def _candidates(self, links: Sequence[Link]) -> list[Candidate]:
        """Returns what customers are known by. A place of one is known by its own name, and not by the address that it
        shares with its parent."""
        known = {link.remote_id: link for link in links}
        missing = {_parent(link) for link in links} - known.keys() - {""}
        if missing:
            ours = self.record_ids(CUSTOMER, missing).values()
            known |= {link.remote_id: link for link in self._of_stream().filter(remote_id__in=missing)}
            known |= {link.remote_id: link for link in self.counterparts(CUSTOMER, ours)}
        return [_candidate(link, known.get(_parent(link))) for link in links]

    def rejections(self, links: Sequence[Link]) -> dict[int, str]:
        if not self.settings.import_customers:
            return super().rejections(links)
        reasons = {link.pk: f"Inactive in {self.label}." for link in links if (link.seen or {}).get("active") is False}
        addresses = {int(one.id): folding.emails(one.email) for one in self._candidates(links)}
        reasons |= rejected(links, self.doubts, "a client")
        taken = {*self._taken(frozenset().union(*addresses.values()))}
        # In the order in which they are brought in (a preview counts down from 0): of two with one address the first.
        for pk, known in sorted(addresses.items(), key=lambda row: abs(row[0])):
            if known & taken:
                reasons.setdefault(pk, "A client with this e-mail address has another customer already.")
            elif pk not in reasons:
                taken |= known
        return reasons

    def _taken(self, addresses: frozenset[str], apart_from: Collection[str | int] = ()) -> frozenset[str]:
        """Returns those of these folded addresses that clients have, apart from some."""
        if not addresses:
            return frozenset()
        clients = Client.objects.alive().filter(workspace_id=self.connection.workspace_id).exclude(email="")
        # What a database cannot fold as we do is read and looked at here.
        rows = clients.annotate(folded=Trim(Lower("email"))).filter(
            Q(folded__in=addresses) | Q(folded__regex=r"[,;]") | Q(folded__regex=NOT_PLAIN)
        )
        found: set[str] = set()
        for pk, email in rows.values_list("pk", "email"):
            found |= folding.emails(email) if pk not in apart_from else frozenset()
        return addresses & found

    def namesakes(self, records: Sequence[Client]) -> Mapping[str, Sequence[str]]:
        return namesakes(self.stream, "display_name", {client.pk: tidy(client.own_name) for client in records})

    def take(self, pair: Pair, pull: Fields) -> bool:
        return apply_client(pair.record_id, pair.local.version, client_values(pull))

    def make(self, pair: Pair) -> str:
        return import_client(workspace=self.connection.workspace, values=client_values(pair.seen or {})).pk

    # --- places of clients ------------------------------------------------------------------------------------------

    def match(self, everything: bool) -> None:
        settle_merged(self.stream)
        super().match(everything)
        linked = self._of_stream().linked().filter(unsettled=True)
        ids = list(linked.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(ids), MOST_ASKED):
            links = Link.objects.filter(pk__in=ids[start : start + MOST_ASKED])
            self._place({link.record_id: _parent(link) for link in links})

    def expand(self, decisions: Sequence[Decision]) -> None:
        """Puts clients that have just come in below their parents: those that are there, and those that come only
        now."""
        made = [decision.pair for decision in decisions if decision.pair.link_id in self.made]
        if not made:
            return
        ids = [pair.remote_id for pair in made]
        places = self._of_stream().linked().filter(seen__parent__in=ids)
        self._place(
            {self.made[pair.link_id or 0]: str((pair.seen or {}).get("parent") or "") for pair in made}
            | {link.record_id: _parent(link) for link in places}
        )

    def _of_stream(self) -> Any:
        return Link.objects.present().filter(stream=self.stream, kind=self.kind.name)

    def _place(self, wanted: Mapping[str, str]) -> None:
        """Makes these clients places of the clients who are these customers; of none where there is no such client."""
        parents = self.record_ids(CUSTOMER, [remote_id for remote_id in wanted.values() if remote_id])
        clients = Client.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", "parent_id")
        with attributed(actor=self._actor, origin=self.stream.pk, integration=self.connection.integration):
            for client_id, parent_id in clients:
                found = parents.get(wanted[client_id])
                if found != parent_id and found != client_id:
                    Client.objects.filter(pk=client_id).update(parent=found)


def customer_fields(client: Client) -> dict[str, Any]:
    """Returns the client as its customer should be (`kinds.CUSTOMER`)."""
    return {
        **{theirs: tidy(getattr(client, ours)) for theirs, ours in _NAMES.items()},
        "display_name": tidy(client.own_name),
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
    parts = {name: tidy(str((address or {}).get(name) or "")) for name in ADDRESS_PARTS}
    return {name: text for name, text in parts.items() if text} or None


def _names(fields: Fields) -> Names:
    return Names(*(str(fields.get(name) or "") for name in ("given_name", "family_name", "company")))


def _parent(link: Link) -> str:
    return str((link.seen or {}).get("parent") or "")


def _candidate(link: Link, parent: Link | None) -> Candidate:
    seen = link.seen or {}
    shown, email = seen.get("display_name") or "", seen.get("email") or ""
    name = shown if seen.get("parent") else _names(seen).own or shown
    if parent is not None and email.casefold() == str((parent.seen or {}).get("email") or "").casefold():
        email = ""
    return Candidate(link.pk, link.remote_id, email, name, seen.get("phone") or "")
