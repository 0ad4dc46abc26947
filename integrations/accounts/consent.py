"""Why a consent was started, and by whom: kept in the session while the person is away at the provider."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ConsentRequest:
    """`connection_id` is set to renew that connection; `switch` allows that to be done with another account. One with
    a `link_id` was started by who has followed that link, whom no `user_id` names."""

    user_id: str
    workspace_id: str
    connection_id: str = ""
    switch: bool = False
    link_id: str = ""

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, data: Any) -> "ConsentRequest | None":
        """Reads a session's state; None for what is no request of ours."""
        if not isinstance(data, dict) or data.keys() != cls.__dataclass_fields__.keys():
            return None
        return cls(**data)
