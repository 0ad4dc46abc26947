import datetime as dt, time, os
import pytest
from integrations.review.vendors import TABLES
from integrations.review.running import examine
@pytest.mark.parametrize("name", os.environ.get("NAMES","intuit google microsoft xero").split())
def test_smoke(probe, name):
    t=time.perf_counter()
    results = examine(TABLES[name], probe, dt.date(2026,11,29), only=os.environ.get("ONLY","").split())
    for r in results:
        if r.verdict in ("fail","pass"): print(f"{r.verdict:6} {r.row.id:12} {r.seconds:5.2f} {r.said[:300]}")
        if r.verdict=="fail" and os.environ.get("ONLY"):
            for e in r.exchanges: print("      ", e)
    print("ALL", time.perf_counter()-t)
    assert 0
