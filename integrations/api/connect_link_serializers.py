"""The bodies and answers of connect links. The answers are made by `selectors.connect_links`; these describe them."""

from typing import Any

from rest_framework import serializers

from fieldcamp.api.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from integrations.api.naming import IntegrationField
from integrations.models import ConnectLinkState
from integrations.models.connect_links import LONGEST_RETURN_URL
from integrations.providers import PROVIDERS
from integrations.services.connect_links.making import LONGEST, SHORTEST, USUAL

_SECONDS = tuple(int(span.total_seconds()) for span in (SHORTEST, LONGEST, USUAL))
LINK_ID = "cnl_01HZX2Q8YV3D1G0N3WJ2P7K9MR"
_CALENDAR = next(provider for provider in PROVIDERS.values() if provider.is_calendar)
_MEMBER = "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF"
_RETURN = "https://app.example.com/connected"


class NewConnectLinkSerializer(StrictSerializer):
    integration = IntegrationField()
    member_id = StrictCharField(
        required=False,
        allow_null=True,
        max_length=32,
        help_text="Whose account it is: needed for a calendar, and not taken for books, which are the company's.",
    )
    expires_in = StrictIntegerField(
        required=False,
        min_value=_SECONDS[0],
        max_value=_SECONDS[1],
        help_text=f"Seconds for which the link is good; without it {_SECONDS[2]}. It ends with the key that makes it, "
        "whatever is asked for.",
    )
    return_url = StrictCharField(
        required=False,
        allow_null=True,
        max_length=LONGEST_RETURN_URL,
        help_text="Where the person is led back to, with `link` and `status` (`connected` or `refused`) added. Letter "
        "by letter an address that an admin has registered at the desk.",
    )


class ConnectLinkSerializer(serializers.Serializer):
    """A link with which a person without a login connects one account."""

    id = serializers.CharField()
    integration = serializers.CharField()
    member_id = serializers.CharField(allow_null=True, help_text="Null for books.")
    state = serializers.ChoiceField(
        ConnectLinkState.values,
        help_text="`revoked` also where its maker (key or person) may not connect accounts any more, where its member "
        "is not active, or where the account has been disconnected since it was made.",
    )
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)
    connection_id = serializers.CharField(allow_null=True, help_text="What was connected with it.")
    granted_scopes = serializers.ListField(
        child=serializers.CharField(), help_text="What its person has consented to at the vendor."
    )
    return_url = serializers.URLField(allow_null=True)


class ConnectLinkCreatedSerializer(ConnectLinkSerializer):
    url = serializers.URLField(
        allow_null=True, help_text="What is given to the person, told this once: null in a replay."
    )


class ConnectLinkListSerializer(serializers.Serializer):
    connect_links = ConnectLinkSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


NEW: dict[str, Any] = {
    "integration": _CALENDAR.name, "member_id": _MEMBER, "expires_in": _SECONDS[2], "return_url": _RETURN,
}  # fmt: skip
ROW: dict[str, Any] = {
    "id": LINK_ID,
    "integration": _CALENDAR.name,
    "member_id": _MEMBER,
    "state": "open",
    "created_at": "2026-05-29T14:21:08Z",
    "created_by": "API key Dispatch (key_01HZX2Q8YV3D1G0N3WJ2P7K9MB)",
    "expires_at": "2026-05-30T14:21:08Z",
    "used_at": None,
    "connection_id": None,
    "granted_scopes": [],
    "return_url": _RETURN,
}
MADE = {**ROW, "url": "https://fieldcamp.example/link/…"}
USED: dict[str, Any] = {
    **ROW,
    "state": "used",
    "used_at": "2026-05-29T15:02:44Z",
    "connection_id": "con_01HZX2Q8YV3D1G0N3WJ2P7K9MG",
    "granted_scopes": sorted(_CALENDAR.scopes),
}
LIST = {"connect_links": [USED], "next_cursor": None}
REVOKED = {**ROW, "state": "revoked"}
