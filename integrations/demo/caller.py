"""The demo as an integrator: the HTTP API of the product, and the sandbox's controls."""

import time
from typing import Any

import requests

TIMEOUT = 30
ENDED = ("succeeded", "partial", "failed", "needs_confirmation", "planned", "cancelled")


class CallFailed(Exception):
    """An answer other than success; the text says which."""


class InFlight(CallFailed):
    """A sync of the integration is in flight already: `job_id`."""

    def __init__(self, job_id: str):
        self.job_id = job_id
        super().__init__(f"Job {job_id} is in flight.")


class Caller:
    """Calls one server; answers are parsed JSON."""

    def __init__(self, base_url: str, token: str = ""):
        self.base_url = base_url
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        response = self.session.request(method, self.base_url + path, json=body, timeout=TIMEOUT)
        if response.status_code == 409 and (job_id := response.json()["error"]["details"].get("active_job_id")):
            raise InFlight(job_id)
        if not response.ok:
            raise CallFailed(f"{method} {path} answered {response.status_code}: {response.text[:300]}")
        return response.json() if response.content else None

    def pages(self, path: str) -> list[dict[str, Any]]:
        """Returns all records of one of FieldCamp's lists."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = self("GET", f"{path}?limit=200{cursor}")
            found += answer["data"]
            if not answer["meta"]["next_cursor"]:
                return found
            cursor = f"&cursor={answer['meta']['next_cursor']}"

    def sync(self, slug: str) -> dict[str, Any]:
        """Triggers a sync, after one that is in flight, and waits for its end; the job. TimeoutError if it does
        not end."""
        while True:
            try:
                return self.ended(self("POST", f"/integrations/{slug}/sync", {})["job_id"])
            except InFlight as other:
                self.ended(other.job_id)

    def ended(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        """Returns the job, once it is over. TimeoutError if it does not end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self("GET", f"/integrations/jobs/{job_id}")
            if job["status"] in ENDED:
                return job
            time.sleep(0.2)
        raise TimeoutError(f"Job {job_id} has not ended after {seconds:.0f} s.")
