"""Examples of the reference: real shapes with made-up people."""

from typing import Any

VISIT: dict[str, Any] = {
    "id": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD",
    "clientId": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME",
    "technicianId": "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF",
    "jobId": None,
    "title": "Repair the boiler",
    "notes": None,
    "address": "12 Elm Street, Springfield",
    "scheduledStart": "2026-05-30T13:00:00Z",
    "scheduledEnd": "2026-05-30T14:00:00Z",
    "timezone": "America/New_York",
    "visitStatus": "scheduled",
    "createdAt": "2026-05-29T14:21:08.120000Z",
    "updatedAt": "2026-05-29T14:21:08.120000Z",
}
_ADDRESS = {"street": "12 Elm Street", "city": "Springfield", "state": "IL", "postalCode": "62701", "country": "US"}
CLIENT: dict[str, Any] = {
    "id": "cli_01HZX2Q8YV3D1G0N3WJ2P7K9ME",
    "firstName": "Ada",
    "lastName": "Stone",
    "companyName": None,
    "displayName": "Stone, Ada",
    "email": "ada@example.com",
    "phoneNumber": {"countryCode": "+1", "number": "2175550142", "countryIdentifier": "US"},
    "billingAddress": _ADDRESS,
    "propertyAddress": None,
    "stage": "lead",
    "parentId": None,
    "createdAt": "2026-05-29T14:21:08.120000Z",
    "updatedAt": "2026-05-29T14:21:08.120000Z",
}
MEMBER: dict[str, Any] = {
    "id": "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF",
    "firstName": "Dana",
    "lastName": "Reyes",
    "email": "dana@example.com",
    "role": "staff",
    "isTechnician": True,
    "isActive": True,
}
_WRITTEN = ("clientId", "technicianId", "title", "address", "scheduledStart", "scheduledEnd")
NEW_VISIT = {name: VISIT[name] for name in _WRITTEN}
NEW_CLIENT = {name: CLIENT[name] for name in ("firstName", "lastName", "email", "phoneNumber")}
