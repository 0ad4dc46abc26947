"""/subscriptions: open, list, read, renew, reauthorize, delete. Before it opens one, Graph asks the receivers.

https://learn.microsoft.com/graph/api/resources/subscription
"""

import re
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.datastructures import Headers

from fieldcamp.sandbox.http import Request, Response, content_type, json_response
from fieldcamp.sandbox.microsoft import errors, scopes
from fieldcamp.sandbox.microsoft.calendars import Calendars
from fieldcamp.sandbox.microsoft.push import VENDOR, GraphPush, switches
from fieldcamp.sandbox.oauth import Token
from fieldcamp.sandbox.push.channels import LIVE, STOPPED, Channel
from fieldcamp.sandbox.push.queue import Message
from fieldcamp.sandbox.push.wire import Answer, Post

PATH = re.compile(r"/microsoft/graph/v1\.0/subscriptions(?:/(?P<id>[^/]+)(?:/(?P<action>reauthorize))?)?/?", re.ASCII)
MOST = 1000
SHORTEST_SECONDS = 45 * 60.0
HANDSHAKE_SECONDS = 10.0
LONGEST_STATE = 128
CHANGES = ("created", "updated", "deleted")
FIELDS = ("changeType", "notificationUrl", "lifecycleNotificationUrl", "resource", "expirationDateTime", "clientState",
          "latestSupportedTlsVersion", "includeResourceData", "notificationQueryOptions", "@odata.type")  # fmt: skip
TLS = ("v1_0", "v1_1", "v1_2", "v1_3")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_RESOURCE = re.compile(
    r"/?(?:me|users(?:/|\(')(?P<user>[^/']+)(?:'\))?)(?:/calendar|/calendars(?:/|\(')(?P<calendar>[^/']+)(?:'\))?)?/events",
    re.ASCII | re.IGNORECASE,
)
MISSPELT = (
    "Could not process subscription creation payload. Are all property names spelled and camelCased properly? Also are"
    " the datetime properties in a valid ISO 8601 format?"
)


class SubscriptionApi:
    """Answers the calls. No lock is held while a receiver is asked."""

    def __init__(self, push: GraphPush, calendars: Calendars) -> None:
        self.push, self.calendars, self.state = push, calendars, push.state

    def answer(self, request: Request, token: Token) -> Response:
        """Answers one call; GraphError for a refusal."""
        match = PATH.fullmatch(request.path)
        if match is None:
            raise errors.no_segment("subscriptions")
        verb = "GET" if request.method == "HEAD" else request.method
        scopes.check(token.scopes, ["events"], "GET")
        context = f"{request.root}/microsoft/graph/v1.0/$metadata#subscriptions"
        if match["id"] is None:
            if verb == "POST":
                return _json({"@odata.context": f"{context}/$entity", **self._create(request, token)}, 201)
            if verb != "GET":
                raise _no_method()
            mine = self.push.channels.of(token.account, token.client_id)
            return _json({"@odata.context": context, "value": [self._shown(each) for each in mine]})
        found = self._mine(unquote(match["id"]), token)
        if match["action"]:
            if verb != "POST":
                raise _no_method()
            with self.state.transaction():
                self.push.authorize(found, token.expires_at)
            return Response(204)
        if verb == "DELETE":
            with self.state.transaction():
                self.push.channels.end(found, STOPPED)
                self.push.forget()
            return Response(204)
        if verb == "PATCH":
            return _json({"@odata.context": f"{context}/$entity", **self._change(found, request, token)})
        if verb != "GET":
            raise _no_method()
        return _json({"@odata.context": f"{context}/$entity", **self._shown(found)})

    def _create(self, request: Request, token: Token) -> dict[str, Any]:
        sent = request.json_object()
        for name in sent:
            if name not in FIELDS:
                raise errors.bad_request(MISSPELT, "InvalidRequest")
        types = self._change_types(sent.get("changeType"))
        url, lifecycle = sent.get("notificationUrl"), sent.get("lifecycleNotificationUrl")
        self._check_url("notificationUrl", url)
        if lifecycle is not None:
            self._check_url("lifecycleNotificationUrl", lifecycle)
        secret = sent.get("clientState")
        if secret is not None and (not isinstance(secret, str) or len(secret) > LONGEST_STATE):
            text = f"clientState must be a string of at most {LONGEST_STATE} characters."
            raise errors.bad_request(text, "InvalidRequest")
        if sent.get("latestSupportedTlsVersion") not in (None, *TLS):
            raise errors.bad_request("latestSupportedTlsVersion is not one that is known.", "InvalidRequest")
        if sent.get("includeResourceData"):
            raise errors.bad_request("Rich notifications are not part of this sandbox.", "InvalidRequest")
        expires_at = self._expiry(sent.get("expirationDateTime"))
        cal = self._topic(sent.get("resource"), token.account)
        self._check_room(token.account)
        for address in [url, *([lifecycle] if lifecycle is not None else [])]:
            self._handshake(str(address), token)
        details: dict[str, Any] = {
            "lifecycle_url": lifecycle or "",
            "client_state": secret or "",
            "change_types": types,
            "immutable": 'idtype="immutableid"' in ",".join(request.headers.getlist("Prefer")).lower().replace(" ", ""),
            "tls": sent.get("latestSupportedTlsVersion"),
            "authorized_until": token.expires_at,
            "reminded_at": None,
        }
        with self.state.transaction():
            self._check_room(token.account)
            made = self.push.channels.open(
                channel_id=str(uuid.uuid4()),
                account=token.account,
                client_id=token.client_id,
                topic=f"events {cal}",
                resource=str(sent["resource"]),
                url=str(url),
                expires_at=expires_at,
                details=details,
            )
            self.push.forget()
        return self._shown(made)

    def _change(self, found: Channel, request: Request, token: Token) -> dict[str, Any]:
        """Renews, and authorizes anew; a new receiver is asked first."""
        sent = request.json_object()
        if not sent or set(sent) - {"expirationDateTime", "notificationUrl"}:
            raise errors.bad_request(MISSPELT, "InvalidRequest")
        values: dict[str, Any] = {}
        if "expirationDateTime" in sent:
            values["expires_at"] = self._expiry(sent["expirationDateTime"])
        if "notificationUrl" in sent:
            self._check_url("notificationUrl", sent["notificationUrl"])
            self._handshake(sent["notificationUrl"], token)
            values["url"] = sent["notificationUrl"]
        with self.state.transaction():
            found = self._mine(found.id, token)  # it may have ended meanwhile
            return self._shown(self.push.authorize(found, token.expires_at, **values))

    def _mine(self, subscription_id: str, token: Token) -> Channel:
        found = self.push.channels.get(subscription_id)
        mine = found is not None and (found.account, found.client_id) == (token.account, token.client_id)
        if found is None or not mine or found.state != LIVE:
            raise errors.GraphError(404, "ResourceNotFound", "The object was not found.")
        return found

    def _change_types(self, value: object) -> list[str]:
        types = [each.strip().lower() for each in value.split(",")] if isinstance(value, str) else []
        if not types or not set(types) <= set(CHANGES):
            text = f"Value of parameter 'changeType' must be one or more of {', '.join(CHANGES)}."
            raise errors.bad_request(text, "InvalidRequest")
        return types

    def _check_url(self, name: str, url: object) -> None:
        if not self.push.pushes.wire.takes(url):
            raise errors.bad_request(f"{name} must be a valid HTTPS address.", "InvalidRequest")

    def _expiry(self, value: object) -> float:
        """The end that is asked for, not sooner than in 45 minutes; refused beyond the longest."""
        match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise errors.bad_request(MISSPELT, "InvalidRequest")
        fraction = (match[2] or ".0")[:7]
        try:
            moment = datetime.fromisoformat(f"{match[1]}{fraction.ljust(7, '0')}{match[3].replace('Z', '+00:00')}")
            end = moment.timestamp()
        except (ValueError, OverflowError):
            raise errors.bad_request(MISSPELT, "InvalidRequest") from None
        longest, now = switches(self.push.pushes)["push_longest_minutes"], self.state.now()
        if end <= now:
            text = "Subscription expiration must be in the future."
            raise errors.bad_request(text, "ExtensionError")
        if end - now > longest * 60:
            text = f"Subscription expiration can only be {longest} minutes in the future."
            raise errors.bad_request(text, "ExtensionError")
        return max(end, now + SHORTEST_SECONDS)

    def _topic(self, resource: object, email: str) -> int:
        """The number of the calendar that the resource is about: without one the mailbox's own."""
        match = _RESOURCE.fullmatch(resource) if isinstance(resource, str) else None
        if match is None:
            text = f"The value '{str(resource)[:100]}' of parameter 'Resource' is not supported."
            raise errors.bad_request(text, "ExtensionError")
        account = self.calendars.the_account(email)
        if match["user"] and unquote(match["user"]).lower() not in (account.email, account.oid):
            raise errors.forbidden()
        try:
            cal = self.calendars.find(email, unquote(match["calendar"]) if match["calendar"] else None)
        except errors.GraphError:
            text = "Operation: Create; Exception: [Status Code: NotFound; Reason: Not Found]"
            raise errors.GraphError(404, "ExtensionError", text) from None
        if not cal.can_read:
            raise errors.forbidden()
        return cal.n

    def _check_room(self, account: str) -> None:
        if self.push.channels.count_live(account) >= MOST:
            text = (
                f"Operation: Create; Exception: [Status Code: Forbidden; Reason: The mailbox has {MOST} subscriptions]"
            )
            raise errors.GraphError(403, "ExtensionError", text)

    def _handshake(self, url: str, token: Token) -> None:
        """The receiver has to say the token that it is sent, and nothing else.

        https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
        """
        said = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}+v1"
        address = f"{url}{'&' if '?' in url else '?'}validationToken={quote(said, safe='')}"
        post = Post(address, {"Content-Type": "text/plain; charset=utf-8"}, b"", HANDSHAKE_SECONDS)
        answer = self.push.pushes.wire.post(post)
        wrong = _wrong_with(answer, said)
        told = Message(VENDOR, url, "", token.account, url, {}, "handshake")
        self.push.pushes.queue.write([told], "lost" if wrong else "delivered", post, answer)
        if wrong:
            raise errors.bad_request(wrong, "ValidationError")

    def _shown(self, channel: Channel) -> dict[str, Any]:
        account = self.calendars.account(channel.account)
        return {
            "id": channel.id,
            "resource": channel.resource,
            "applicationId": channel.client_id,
            "changeType": ",".join(channel.details["change_types"]),
            "clientState": channel.details["client_state"] or None,
            "notificationUrl": channel.url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": channel.details["lifecycle_url"] or None,
            "expirationDateTime": f"{datetime.fromtimestamp(channel.expires_at or 0.0, UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
            "creatorId": account.oid if account else None,
            "includeResourceData": None,
            "latestSupportedTlsVersion": channel.details["tls"] or "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


def _wrong_with(answer: Answer, said: str) -> str:
    """What is wrong with the answer to a handshake, in Graph's words; empty when nothing is."""
    if answer.timed_out:
        return "Subscription validation request timed out."
    if answer.status != 200:
        known = answer.status in set(HTTPStatus)
        phrase = HTTPStatus(answer.status).phrase.replace(" ", "") if known else str(answer.status or "NoResponse")
        return (
            f"Subscription validation request failed. HTTP status code is '{phrase}'."
            " Notification endpoint must respond with 200 OK to validation request."
        )
    kind = content_type(Headers(list(answer.headers.items())))[0]
    if kind != "text/plain" or answer.body.decode("utf-8", "replace") != said:
        return "Subscription validation request failed. Response must exactly match validationToken query parameter."
    return ""


def _json(data: dict[str, Any], status: int = 200) -> Response:
    response = json_response(data, status)
    response.headers["Content-Type"] = "application/json; odata.metadata=minimal; charset=utf-8"
    return response


def _no_method() -> errors.GraphError:
    return errors.GraphError(405, "ErrorMethodNotAllowed", "The HTTP method is not supported here.")
