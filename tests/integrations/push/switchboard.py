"""A vendor of channels without HTTP, that does and refuses what a test says."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from django.utils import timezone

from integrations.errors import Gone, ProviderError
from integrations.providers import PROVIDERS
from integrations.providers.push import HeldChannel, OpenedChannel, PushSource, WantedChannel
from tests.integrations import build


@dataclass
class Switchboard:
    """`live` are the channels there: by our id or by the vendor's, what watches which container. `errors` are raised by
    the next calls of a method, one each; `lost` by answers after the work is done."""

    extends: bool = False
    life: dt.timedelta = dt.timedelta(days=7)
    live: dict[str, WantedChannel] = field(default_factory=dict)
    errors: dict[str, list[ProviderError]] = field(default_factory=dict)
    lost: list[ProviderError] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    during: Callable[[WantedChannel], None] = lambda _wanted: None

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if waiting := self.errors.get(method):
            raise waiting.pop(0)

    def _name(self, channel_id: str) -> str:
        return f"sub-{channel_id}" if self.extends else "the calendar"

    def open(self, wanted: WantedChannel) -> OpenedChannel:
        self._called("open")
        self.live[wanted.channel_id] = wanted
        self.during(wanted)
        if self.lost:
            raise self.lost.pop(0)
        return OpenedChannel(self._name(wanted.channel_id), timezone.now() + self.life)

    def extend(self, held: HeldChannel) -> OpenedChannel | None:
        self._called("extend")
        if not self.extends:
            return None
        if held.channel_id not in self.live:
            raise Gone("no such subscription")
        return OpenedChannel(held.resource_id, timezone.now() + self.life)

    def stop(self, held: HeldChannel) -> None:
        self._called("stop")
        self.stopped.append(held.channel_id)
        self.live.pop(held.channel_id, None)

    def strays(self, url: str, lost: HeldChannel, known: Callable[[Sequence[str]], set[str]]) -> list[HeldChannel]:
        self._called("strays")
        if not self.extends:
            return [lost]
        names = {self._name(channel_id): channel_id for channel_id in self.live}
        return [HeldChannel(names[name], name, lost.container_id) for name in set(names) - known(list(names))]


@pytest.fixture
def switchboard(monkeypatch, settings) -> Iterator[Switchboard]:
    """Google's place is taken by it, at a site that has a public address."""
    settings.PUBLIC_URL = "https://sync.example.com"
    made = Switchboard()
    usual = PROVIDERS[build.GOOGLE]
    source = PushSource(address="google", read=lambda _posted: (), channels=lambda _http: made)
    monkeypatch.setitem(PROVIDERS, build.GOOGLE, replace(usual, push=source))
    yield made
