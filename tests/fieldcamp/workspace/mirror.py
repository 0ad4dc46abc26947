"""A copy of a list as an integrator keeps one."""

from typing import Any

from rest_framework.test import APIClient

from tests.fieldcamp.workspace.answers import data


class Mirror:
    """Rows by id: by `resume_cursor` and with what was deleted, or (`by_time`) by the last `updatedAt` seen."""

    def __init__(self, api: APIClient, path: str, *, by_time: bool = False, limit: int = 7):
        self.api, self.path, self.by_time, self.limit = api, f"/api/v1/{path}", by_time, limit
        self.rows: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.cursor: str | None = None
        self.since: str | None = None

    def follow(self) -> list[str]:
        """Reads on to the end; returns the ids that were told."""
        query: dict[str, Any] = {"limit": self.limit, "includeDeleted": "false" if self.by_time else "true"}
        query |= {"since": self.since} if self.by_time and self.since else {}
        cursor, told = self.cursor, []
        while True:
            answer = self.api.get(self.path, query | ({"cursor": cursor} if cursor else {}))
            rows, meta = data(answer), answer.json()["meta"]
            assert meta["has_more"] is (meta["next_cursor"] is not None)
            for row in rows:
                told.append(row["id"])
                if row.get("deleted"):
                    assert set(row) == {"id", "deleted", "deletedAt", "updatedAt"}
                    self.rows.pop(row["id"], None)
                    self.deleted.add(row["id"])
                else:
                    self.rows[row["id"]] = row
                self.since = max(self.since or "", row["updatedAt"])
            if not meta["has_more"]:
                self.cursor = None if self.by_time else meta["resume_cursor"]
                return told
            cursor = meta["next_cursor"]


def whole(api: APIClient, path: str, **query: Any) -> dict[str, dict[str, Any]]:
    """Returns what the API says itself, by id."""
    rows: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        answer = api.get(f"/api/v1/{path}", {"limit": 200, **query, **cursor})
        rows |= {row["id"]: row for row in data(answer)}
        if not answer.json()["meta"]["has_more"]:
            return rows
        cursor = {"cursor": answer.json()["meta"]["next_cursor"]}
