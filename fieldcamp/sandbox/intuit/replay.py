"""`requestid`: the same call sent twice is done once, and answered twice with the same words.

https://developer.intuit.com/app/developer/qbo/docs/learn/learn-basic-field-definitions
"""

import hashlib
import json
from dataclasses import dataclass

from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.state import State

LONGEST, LONGEST_OF_BATCH, LONGEST_ITEM = 50, 36, 10
KEPT_SECONDS = 86400


@dataclass(frozen=True)
class Call:
    """A call with a requestid: what makes it the same one, and what it says."""

    realm: str
    key: str
    digest: str


class Replays:
    """The first answers of the last day, by company and requestid."""

    def __init__(self, state: State) -> None:
        self.state = state

    def find(self, call: Call) -> tuple[int, Body] | None:
        """The first answer to this call; Fault 600 when the id was used for something else."""
        horizon = self.state.now() - KEPT_SECONDS
        self.state.execute("DELETE FROM q_replays WHERE at < ?", horizon)
        row = self.state.one("SELECT * FROM q_replays WHERE realm = ? AND key = ?", call.realm, call.key)
        if row is None:
            return None
        if row["digest"] != call.digest:
            text = "The request ID has been used for another request already. Use a different one."
            raise Fault(600, "Duplicate Request ID", text)
        return row["status"], json.loads(row["body"])

    def keep(self, call: Call, status: int, body: Body) -> None:
        """Remembers an answer."""
        values = (call.realm, call.key, call.digest, status, json.dumps(body), self.state.now())
        self.state.execute("INSERT OR REPLACE INTO q_replays VALUES (?, ?, ?, ?, ?, ?)", *values)


def call(realm: str, request_id: str, what: str, body: bytes, item_ids: list[str] | None = None) -> Call:
    """The call as replays know it. A batch is the same one only when its items' ids are the same too."""
    limit = LONGEST if item_ids is None else LONGEST_OF_BATCH
    if not request_id or len(request_id) > limit or any(len(each) > LONGEST_ITEM for each in item_ids or []):
        raise Fault(2130, "Invalid Request ID", f"A request ID has 1 to {limit} characters.")
    key = request_id if item_ids is None else json.dumps([request_id, item_ids])
    return Call(realm, key, hashlib.sha256(what.encode() + b"\n" + body).hexdigest())
