"""A clock that moves only when something sleeps."""

import datetime as dt


class FakeTime:
    def __init__(self, now: dt.datetime = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)):
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += dt.timedelta(seconds=seconds)

    def kwargs(self) -> dict:
        return {"clock": self.clock, "sleep": self.sleep, "random": lambda: 0.0}
