"""`python -m bench.soak --minutes N`: two workers on PostgreSQL and Redis, edits on both sides, and things that break.

Six technicians with a calendar each, three at Google and three at Outlook. For N minutes visits are made, moved,
renamed, handed on and deleted here, and events moved, made and deleted there, while workers are killed (`kill -9` of a
supervisor, or of any process of its cluster), PostgreSQL is stopped and started, Redis is emptied and the vendors
answer 503, now and then. Then all of that stops, everything is synced, and both sides are compared record by record:
with each other, and with what the edits had made of them. Ends with 1 where anything differs. Needs PostgreSQL and
redis-server; `--seed` repeats a run's choices, `--write` puts the result into docs/benchmarks.md.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench import report
from bench.breaking import Breaking, Worker, redis_server, sandbox
from bench.servers import environment, manage, postgres_server

if TYPE_CHECKING:
    from bench.soak_site import Site

BEGIN, END = "<!-- soak -->", "<!-- /soak -->"
EDIT_EACH, BREAK_EACH, TRIGGER_EACH = 0.3, (6.0, 14.0), 3.0  # seconds
CALM = 240.0  # seconds within which everything has to be synced once nothing breaks any more


def soak(minutes: float, chance: random.Random, site: "Site", breaking: Breaking, counts: Counter[str]) -> list[str]:
    """Edits and breaks for so long, then waits for calm; what differs in the end."""
    ends = time.monotonic() + minutes * 60
    breaks = time.monotonic() + chance.uniform(*BREAK_EACH)
    triggers = time.monotonic()
    while (now := time.monotonic()) < ends:
        counts[site.edit()] += 1
        if now > triggers:
            counts[site.trigger()] += 1
            triggers = now + TRIGGER_EACH
        if now > breaks:
            counts[breaking.one()] += 1
            breaks = time.monotonic() + chance.uniform(*BREAK_EACH)
        time.sleep(EDIT_EACH)
    breaking.mend()
    print("calm from here on", flush=True)
    return [*site.settle(CALM), *site.differences()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    chance, counts = random.Random(wanted.seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="fieldcamp-soak.") as folder, postgres_server() as database:
        if database is None:
            sys.exit("PostgreSQL is not installed here.")
        with redis_server(Path(folder)) as redis_url, sandbox(Path(folder)) as sandbox_url:
            environ = environment(Path(folder), database.address) | {
                "REDIS_URL": redis_url, "SANDBOX_URL": sandbox_url, "ALLOW_SANDBOX": "1", "SYNC_INTERVAL_MINUTES": "1",
                "DJANGO_SETTINGS_MODULE": "fieldcamp.settings", "DEBUG": "0",
            }  # fmt: skip
            os.environ.update(environ)
            manage(environ, "migrate", "--verbosity", "0")
            from bench.soak_site import Site

            site = Site(sandbox_url, chance)
            workers = [Worker(environ, Path(folder) / f"worker-{number}.log") for number in (1, 2)]
            breaking = Breaking(chance, database, redis_url, sandbox_url, workers)
            try:
                found = soak(wanted.minutes, chance, site, breaking, counts)
                result = site.result()
            finally:
                for worker in workers:
                    worker.stop()
            troubles = [line for worker in workers for line in worker.odd_lines()]
    print(f"seed {wanted.seed}", *sorted(counts.items()), sep="\n")
    print(*result.items(), sep="\n")
    print("in the workers' logs:", *Counter(troubles).most_common(20), sep="\n")
    print(*(found or ["both sides are equal"]), sep="\n")
    if wanted.write:
        _write(wanted.minutes, wanted.seed, counts, result, found)
    sys.exit(1 if found else 0)


def _write(minutes: float, seed: int, counts: Counter[str], result: dict[str, str], found: list[str]) -> None:
    rows: list[report.Row] = [("differences after it", "0", str(len(found)), not found)]
    rows += [(name, "-", str(number), True) for name, number in sorted(counts.items())]
    rows += [(name, "-", value, True) for name, value in result.items()]
    head = f"Repeat with `.venv/bin/python -m bench.soak --minutes {minutes:g} --seed {seed}`."
    report.put(BEGIN, END, f"## Soak\n\n{head}\n\n{report.table(rows)}")


if __name__ == "__main__":
    main()
