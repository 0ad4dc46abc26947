"""/me itself, the zones Outlook knows, mailbox settings, and the translation of ids."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tzlocal.windows_tz import tz_win, win_tz

from fieldcamp.sandbox.microsoft import errors, ids
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.seed import WINDOWS_ZONE

if TYPE_CHECKING:
    from fieldcamp.sandbox.microsoft.graph import Call

MOST_IDS = 1000
KINDS = {"restId": False, "restImmutableEntryId": True}


class UserApi:
    """What is the user's and not a calendar's."""

    def __init__(self, events: Events) -> None:
        self.events = events

    def answer(self, call: "Call") -> Any:
        """Answers a call below /me."""
        parts = call.parts
        if not parts and call.verb == "GET":
            return self._profile(call)
        if parts[:2] == ["outlook"] or (len(parts) == 2 and parts[1].startswith("supportedTimeZones")):
            iana = "Iana" in parts[1]
            names = sorted(tz_win if iana else win_tz)
            return {"value": [{"alias": name, "displayName": name} for name in names]}
        if parts == ["translateExchangeIds"] and call.verb == "POST":
            return self._translated(call)
        if parts[:1] == ["mailboxSettings"] and call.verb == "GET":
            context = f"{call.context}/mailboxSettings"
            settings = {"timeZone": WINDOWS_ZONE, "language": {"locale": "en-US", "displayName": "English"}}
            if parts[1:] == ["timeZone"]:
                return {"@odata.context": f"{context}/timeZone", "value": WINDOWS_ZONE}
            return {"@odata.context": context, **settings}
        raise errors.no_segment("/".join(parts))

    def _profile(self, call: "Call") -> dict[str, Any]:
        account = call.account
        profile: dict[str, Any] = {
            "@odata.context": f"{call.context.partition('#')[0]}#users/$entity",
            "businessPhones": [],
            "displayName": account.name,
            "givenName": account.given_name,
            "jobTitle": None,
            "mail": account.email,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": "en-US",
            "surname": account.family_name,
            "userPrincipalName": account.email,
            "id": account.oid,
        }
        if call.asked.options.get("select"):
            wanted = {"id", *(name.strip() for name in call.asked.options["select"].split(","))}
            profile = {name: value for name, value in profile.items() if name in wanted or "@odata" in name}
        return profile

    def _translated(self, call: "Call") -> dict[str, Any]:
        body = call.request.json_object()
        given, source, target = (body.get(name) for name in ("inputIds", "sourceIdType", "targetIdType"))
        if not isinstance(given, list) or len(given) > MOST_IDS or source not in KINDS or target not in KINDS:
            raise errors.invalid("Give up to 1000 inputIds, a sourceIdType and a targetIdType.")
        found = []
        for text in given:
            said = ids.read(text) if isinstance(text, str) else None
            if said is None or said.mailbox != call.account.mailbox or said.immutable != KINDS[source]:
                error = {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}
                found.append({"sourceId": text, "errorDetails": error})
            else:
                found.append({"sourceId": text, "targetId": replace(said, immutable=KINDS[target]).text()})
        return {"@odata.context": f"{call.context}/translateExchangeIds", "value": found}
