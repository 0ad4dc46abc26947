"""docs/quickstart.md works as it stands: its blocks are run, in order, against a server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import Invoice, Visit
from integrations.models import JobStatus, SyncJob
from tests.integrations import build

PAGE = (settings.BASE_DIR / "docs" / "quickstart.md").read_text()


@pytest.fixture
def worker(monkeypatch):
    """Finishes a job as soon as it is rung, in place of the queue."""

    def finish(job_id: str) -> None:
        now = timezone.now()
        SyncJob.objects.filter(pk=job_id).update(status=JobStatus.SUCCEEDED, started_at=now, finished_at=now)

    monkeypatch.setattr("integrations.queue.ring.ring", lambda job_id: transaction.on_commit(lambda: finish(job_id)))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_block_works_when_pasted(live_server, worker, tmp_path: Path):
    workspace = build.workspace()
    build.connection(workspace)
    build.connection(workspace, integration="quickbooks")
    secret = create_key(workspace=workspace, name="quickstart")[1]
    environ = {**os.environ, "BASE": f"{live_server.url}/api/v1", "KEY": secret, "no_proxy": "*"}
    shell = [block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "$BASE/" in block]
    assert len(shell) == 10
    for block in shell:
        done = subprocess.run(["bash", "-euc", block], env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and '"success": false' not in done.stdout and '"error"' not in done.stdout, done
    first_look(tmp_path, live_server.url, secret)
    (tmp_path / "quickstart.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)))
    done = subprocess.run(
        ["python3", "quickstart.py"], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "visit vis_" in done.stdout and "succeeded" in done.stdout
    assert "all that has changed, as of" in done.stdout and (tmp_path / "resume_cursor.txt").read_text()
    assert Visit.objects.get(title="Quickstart").deleted_at
    assert Invoice.objects.get(workspace=workspace).voided_at and "190 of which paid 100" in done.stdout


def first_look(folder: Path, base: str, key: str) -> None:
    """Runs what the README has people paste, beside the demo's file."""
    (folder / "demo.json").write_text(json.dumps({"base_url": base, "api_key": key}))
    [block] = re.findall(r"```\n((?:(?!```).)*?curl.*?)```", (settings.BASE_DIR / "README.md").read_text(), re.DOTALL)
    environ = {**os.environ, "FIELDCAMP_DATA": str(folder), "no_proxy": "*"}
    done = subprocess.run(["bash", "-euc", block], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and '"error"' not in done.stdout, done
    assert done.stdout.count('"job_id"') >= 2 and '"connections"' in done.stdout


@pytest.mark.slow
def test_the_set_up_reads_the_demos_file(tmp_path: Path):
    (tmp_path / "demo.json").write_text('{"base_url": "http://127.0.0.1:8000", "api_key": "fc_live_x"}')
    block = next(block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "demo.json" in block)
    done = subprocess.run(
        ["bash", "-euc", block + 'echo "$BASE $KEY"'],
        env={**os.environ, "FIELDCAMP_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "http://127.0.0.1:8000/api/v1 fc_live_x\n", done.stderr
