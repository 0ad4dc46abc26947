"""`python -m bench.trigger`: requests a second of the whole sync trigger, against a bare DRF view that inserts one row.

Same gunicorn, same database, one run; no worker is running, and each trigger is another company's, so that every answer
is 202. `--write` puts the result into docs/benchmarks.md.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from bench import load, report
from bench.servers import ROOT, environment, gunicorn, manage, postgres

GOAL, BAR = 0.5, 0.35
TRIGGER = "/api/v1/integrations/google-calendar/sync"


def triggers(secrets: list[str]) -> list[bytes]:
    return [
        load.request(
            "POST", TRIGGER, b'{"mode": "incremental"}', Authorization=f"Bearer {secret}",
            Content_Type="application/json", Idempotency_Key=str(uuid4()),
        )
        for secret in secrets
    ]  # fmt: skip


def inserts(count: int) -> list[bytes]:
    return [load.request("POST", "/bench/bare", b'{"name": "bench"}', Content_Type="application/json")] * count


def measure(database_url: str | None, companies: int, rounds: int, clients: int) -> list[tuple[str, load.Result]]:
    """The best round of each kind, with the bare view in both of its forms. The rounds alternate, so that a machine
    that slows down slows down all of them."""
    with tempfile.TemporaryDirectory(prefix="fieldcamp-bench.") as folder:
        environ = environment(Path(folder), database_url)
        manage(environ, "migrate", "--verbosity", "0")
        seeded = subprocess.run(
            [sys.executable, "-m", "bench.seed", str(companies * rounds)],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        secrets = seeded.stdout.split()
        found: dict[str, list[load.Result]] = {}
        bare = {**environ, "BENCH_BARE": "1"}
        with gunicorn(environ) as site, gunicorn(bare) as naked:
            for port in (site, naked):
                load.run(port, inserts(200), clients)  # warm
            for number in range(rounds):
                mine = secrets[number * companies : (number + 1) * companies]
                for name, port, requests in (
                    ("bare insert, no middleware", naked, inserts(companies)),
                    ("full trigger", site, triggers(mine)),
                    ("bare insert behind the site's middleware", site, inserts(companies)),
                ):
                    result = load.run(port, requests, clients)
                    wanted = 202 if name == "full trigger" else 201
                    if set(result.statuses) != {wanted}:
                        raise SystemExit(f"{name}: not every answer was {wanted}: {dict(result.statuses)}")
                    found.setdefault(name, []).append(result)
        return [(name, max(results, key=lambda result: result.rate)) for name, results in found.items()]


def table(database: str, results: list[tuple[str, load.Result]]) -> str:
    full = dict(results)["full trigger"]
    lines = [
        f"| {database} | requests/s | p50 ms | p99 ms | trigger's share |",
        "|---|---|---|---|---|",
    ]
    for name, result in results:
        share = "" if result is full else f"**{full.rate / result.rate:.2f}**"
        lines.append(
            f"| {name} | {result.rate:.0f} | {result.percentile(0.5):.1f} | {result.percentile(0.99):.1f} | {share} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2000, help="requests of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    options = parser.parse_args()
    sizes = (options.companies, options.rounds, options.clients)
    parts = [table("SQLite", measure(None, *sizes))]
    if not options.sqlite_only:
        with postgres() as address:
            parts.append(
                table("PostgreSQL", measure(address, *sizes)) if address else "PostgreSQL is not installed here."
            )
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}"
    text = "\n\n".join([f"{machine}; best of {options.rounds} rounds of {options.companies} requests.", *parts])
    print(text)
    if options.write:
        report.put("<!-- trigger -->", "<!-- /trigger -->", text)


if __name__ == "__main__":
    main()
