"""Intuit's webhooks: posts about companies' records to the one address that the app has at the developer portal.

https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
"""

import json
import secrets
import uuid
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import digest
from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import webhook_bodies
from fieldcamp.sandbox.intuit.webhook_bodies import CLOUDEVENTS, FORMATS, LEGACY
from fieldcamp.sandbox.oauth import Grants
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.push.queue import CHANGE, Message
from fieldcamp.sandbox.push.sender import Noted
from fieldcamp.sandbox.push.wire import Answer, Post

VENDOR = "intuit"
LANE = "webhooks"
# The entities of the portal's list that this sandbox keeps: tax codes, tax rates and the company are not on it.
ENTITIES = (
    "Account", "Class", "CreditMemo", "Customer", "Department", "Deposit", "Employee", "Estimate", "Invoice", "Item",
    "JournalEntry", "Payment", "PaymentMethod", "Preferences", "Purchase", "RefundReceipt", "SalesReceipt", "TaxAgency",
    "Term", "TimeActivity", "Vendor",
)  # fmt: skip
ANSWER_SECONDS = 3.0
# https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks/best-practices (changed in 2026, without figures)
GAPS = (10, 20, 30, 300, 1200, 2 * 3600, 4 * 3600, 6 * 3600)
LAST_SECONDS = 7 * 86_400.0  # after which nobody hears of it; a guess
LONGEST_AGGREGATION = 3600
MOST = 100
WEIGHT = ("updated", "created", "emailed", "void", "merged", "deleted")  # which verb stays of one record's
UNKNOWN_REALM = "1231434565226279"
# What `/_control/switches` sets of the vendor, and what holds until then.
VOID_WORD, MIXED = "push_void_word", "push_mixed_realms"


class IntuitPush:
    """Implements `fieldcamp.sandbox.push.sender.Sender`. The app's one endpoint is kept with the vendor's state."""

    vendor = VENDOR
    most = MOST

    def __init__(self, pushes: Pushes, grants: Grants, switches: Callable[[], dict[str, Any]]) -> None:
        self.pushes, self.state, self.grants, self.switches = pushes, pushes.state, grants, switches

    def endpoint(self) -> dict[str, Any] | None:
        """What stands at the portal, the verifier token with it."""
        text = self.state.get("intuit: webhooks")
        return json.loads(text) if text else None

    def enter(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Writes the portal's fields, or with None deletes the endpoint and what waits for it."""
        with self.state.transaction():
            if body is None:
                self.state.execute("DELETE FROM meta WHERE key = 'intuit: webhooks'")
                self.pushes.queue.remove(self.pushes.queue.of_vendor(VENDOR, -1))
                return None
            new = {"url": "", "format": CLOUDEVENTS, "entities": list(ENTITIES), "aggregate_seconds": 0}
            now = (self.endpoint() or new | {"verifier": str(uuid.uuid4())}) | {
                name: value for name, value in body.items() if value is not None
            }
            self._check(now)
            self.state.put("intuit: webhooks", json.dumps(now))
            return now

    def changed(self, noted: list[Noted]) -> None:
        """An event for each record, of companies that have let an app in; of many at once each hundredth is told."""
        endpoint = self.endpoint()
        if endpoint is None:
            return
        for realm in dict.fromkeys(each.topic for each in noted):
            if not self.grants.of_account(realm):
                continue
            told: dict[tuple[str, str], dict[str, Any]] = {}
            bulk: dict[str, int] = {}
            for what in (each.what for each in noted if each.topic == realm):
                if what["entity"] not in endpoint["entities"] or self._skips(what, bulk):
                    continue
                key = (what["entity"], what["id"])
                if key not in told or WEIGHT.index(what["verb"]) >= WEIGHT.index(told[key]["verb"]):
                    told[key] = what
            merged = {(what["entity"], what["gone"]) for what in told.values() if "gone" in what}
            for key, what in told.items():
                if key not in merged:
                    self._tell(endpoint, realm, what)

    def tick(self) -> float | None:
        """Nothing here happens by the clock alone."""
        return None

    def mixed(self) -> bool:
        """Whether a post may be about several companies."""
        return bool(self.switches().get(MIXED))

    def post(self, messages: list[Message]) -> Post | None:
        """The signed post to where the endpoint is now; None when it was deleted."""
        endpoint = self.endpoint()
        if endpoint is None:
            return None
        first, events = messages[0], [each.payload for each in messages]
        spelled = first.batch or first.n
        if first.payload["format"] == LEGACY:
            body = webhook_bodies.legacy(events)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "intuit-notification-schema-version": "0.1",
                "User-Agent": "intuit_notification_server/0.1",
            }
        else:
            body = webhook_bodies.cloud_events(events, self.switches().get(VOID_WORD) or "void")
            kinds = ("application/cloudevents+json", "application/json; charset=utf-8")
            headers = {"Content-Type": kinds[spelled % 2], "User-Agent": "intuit_notification_server/0.1"}
        key = secrets.token_hex(16) if first.kind == "forge" else endpoint["verifier"]
        headers["intuit-signature"] = b64encode(digest(key.encode(), body, sha256)).decode()
        headers["intuit-t-id"] = str(uuid.uuid4())
        headers["intuit-created-time"] = webhook_bodies.stamp(self.state.now(), 3)
        return Post(endpoint["url"], headers, body, ANSWER_SECONDS)

    def accepts(self, answer: Answer) -> bool:
        """200, and nothing else."""
        return answer.status == 200

    def again(self, messages: list[Message], answer: Answer, at: float) -> float | None:
        """By the ladder, whatever came; what comes behind waits meanwhile."""
        if messages[0].kind == "forge":
            return None  # somebody else has sent it
        gap = float(GAPS[min(messages[0].attempts, len(GAPS) - 1)])
        return gap if at + gap - messages[0].made_at <= LAST_SECONDS else None

    def answered(self, messages: list[Message], answer: Answer) -> None:
        """Nothing follows of an answer but what becomes of the post."""

    def shown(self, account: str | None) -> list[dict[str, Any]]:
        """The one endpoint, for all companies."""
        endpoint = self.endpoint()
        if endpoint is None:
            return []
        own = {name: value for name, value in endpoint.items() if name != "verifier"}
        shown = {"channel": LANE, "vendor": VENDOR, "account": None, "client_id": None, "resource": None}
        return [shown | {"state": "live", "opened_at": None, "expires_at": None, "ended_at": None} | own]

    def say(self, account: str | None, kind: str, times: int) -> int:
        """Test events, events of a company that nobody knows, or with a signature that is not Intuit's."""
        if kind not in ("test", "forge", "unknown_channel"):
            raise BadInput(f"Intuit's webhooks know no {kind!r}.")
        endpoint = self.endpoint()
        if endpoint is None:
            raise BadInput("There is no endpoint at the portal.")
        realm = UNKNOWN_REALM if kind == "unknown_channel" else account or UNKNOWN_REALM
        for n in range(times):
            event = {"entity": ENTITIES[n % len(ENTITIES)] if kind == "test" else "Customer", "id": str(n + 1)}
            payload = self._event(endpoint, realm, event | {"verb": "updated"})
            blocking = kind != "forge"
            lane = LANE if blocking else kind
            self.pushes.queue.add(Message(VENDOR, lane, LANE, realm, endpoint["url"], payload, kind, blocking=blocking))
        return times

    def _tell(self, endpoint: dict[str, Any], realm: str, what: dict[str, Any]) -> None:
        copies = self.pushes.orders.copies(VENDOR, realm)
        for _ in range(copies):
            payload, due = self._event(endpoint, realm, what), self._window(endpoint)
            made = Message(VENDOR, LANE, LANE, realm, endpoint["url"], payload, CHANGE, due, blocking=True)
            self.pushes.orders.send(made, alone=copies > 1)

    def _event(self, endpoint: dict[str, Any], realm: str, what: dict[str, Any]) -> dict[str, Any]:
        at = {"realm": realm, "at": self.state.now(), "event_id": str(uuid.uuid4()), "format": endpoint["format"]}
        return what | at

    def _window(self, endpoint: dict[str, Any]) -> float:
        """When the events that gather now are sent."""
        row = self.state.the(
            "SELECT min(due) AS due FROM p_messages WHERE vendor = ? AND batch IS NULL AND attempts = 0 AND due > ?",
            *(VENDOR, self.state.now()),
        )
        return float(row["due"] or self.state.now() + endpoint["aggregate_seconds"])

    def _skips(self, what: dict[str, Any], bulk: dict[str, int]) -> bool:
        """Whether this is one of many made at once that nothing is said of."""
        step = self.pushes.rows_per_push
        if not step:
            return True
        if "bulk" not in what:
            return False
        bulk[what["entity"]] = bulk.get(what["entity"], -1) + 1
        return bool(bulk[what["entity"]] % step)

    def _check(self, endpoint: dict[str, Any]) -> None:
        if not self.pushes.wire.takes(endpoint["url"]):
            raise BadInput("url must be an https address.")
        if endpoint["format"] not in FORMATS:
            raise BadInput(f"format must be one of {', '.join(FORMATS)}.")
        chosen = endpoint["entities"]
        if not isinstance(chosen, list) or not chosen or any(each not in ENTITIES for each in chosen):
            raise BadInput(f"entities must be a list of these: {', '.join(ENTITIES)}.")
        wait = endpoint["aggregate_seconds"]
        if type(wait) not in (int, float) or not 0 <= wait <= LONGEST_AGGREGATION:
            raise BadInput(f"aggregate_seconds must be a number from 0 to {LONGEST_AGGREGATION}.")
        verifier = endpoint["verifier"]
        if not isinstance(verifier, str) or not 8 <= len(verifier) <= 200 or not verifier.isascii():
            raise BadInput("verifier must be a text of 8 to 200 characters.")
