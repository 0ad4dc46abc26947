"""`python -m bench.concurrency`: 200 triggers at once over two web processes, with one Idempotency-Key and with 200.

One key: every answer is the same 202, and there is one job. 200 keys: one 202, 199 times 409, one job. Exits with 1
where that does not hold.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from bench import load
from bench.servers import ROOT, environment, gunicorn, manage, postgres
from bench.trigger import TRIGGER

AT_ONCE = 200


def triggers(secret: str, keys: list[str]) -> list[bytes]:
    return [
        load.request(
            "POST",
            TRIGGER,
            b"{}",
            Authorization=f"Bearer {secret}",
            Content_Type="application/json",
            Idempotency_Key=key,
        )
        for key in keys
    ]


def jobs(environ: dict[str, str]) -> int:
    count = "from integrations.models import SyncJob; print('jobs', SyncJob.objects.count())"
    return int(manage(environ, "shell", "-c", count).split()[-1])


def check(database: str, database_url: str | None) -> bool:
    """Whether both hold on this database."""
    with tempfile.TemporaryDirectory(prefix="fieldcamp-bench.") as folder:
        environ = environment(Path(folder), database_url)
        manage(environ, "migrate", "--verbosity", "0")
        seeded = subprocess.run(
            [sys.executable, "-m", "bench.seed", "2"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        )
        # The usual 100 calls a minute would answer half of them.
        wide = "from fieldcamp.api.models import ApiKey; ApiKey.objects.update(rate_limit_override=1000000)"
        manage(environ, "shell", "-c", wide)
        one, many = seeded.stdout.split()
        with gunicorn(environ) as port:
            same = load.run(port, triggers(one, [str(uuid4())] * AT_ONCE), AT_ONCE).statuses
            after_one = jobs(environ)
            different = load.run(port, triggers(many, [str(uuid4()) for _ in range(AT_ONCE)]), AT_ONCE).statuses
            after_many = jobs(environ)
    good = (dict(same), after_one) == ({202: AT_ONCE}, 1)
    good = good and (dict(different), after_many) == ({202: 1, 409: AT_ONCE - 1}, 2)
    print(f"{database}: one key {dict(same)}, {after_one} job; {AT_ONCE} keys {dict(different)}, {after_many - 1} job")
    return good


def main() -> None:
    results = [check("SQLite", None)]
    with postgres() as address:
        if address:
            results.append(check("PostgreSQL", address))
        else:
            print("PostgreSQL is not installed here.")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
