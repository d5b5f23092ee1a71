"""A service in this process, over a clock that stands until a test moves it on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from skykeep.codec.jsonl import encode_observation
from skykeep.config import Delivery
from skykeep.core.observation import Batch, Sensor
from skykeep.deliver.settings import RecipientSettings, WarningSettings
from skykeep.service.app import create_app
from skykeep.service.tokens import Holder, Role, Tokens, digest_of, encode_tokens
from skykeep.service.writer import Writer
from skykeep.units import seconds
from tests.sky import RADAR, RECEIVER, SITE, at

OFFICER, OFFICE, READER, EVIDENCE = "officer", "office", "reader", "evidence"
PATROL, LEAD, ADMIN = "patrol", "lead", "administrator"
RADAR_TOKEN, RECEIVER_TOKEN = "radar", "rid"  # tests' own words, made into tokens below
TOKENS = encode_tokens(
    (
        Holder(digest_of(OFFICER), "A. Weber", Role.WATCH_OFFICER),
        Holder(digest_of(OFFICE), "P. Office", Role.PERMIT_OFFICER),
        Holder(digest_of(READER), "R. Eader", Role.VIEWER),
        Holder(digest_of(EVIDENCE), "E. Vidence", Role.EVIDENCE_OFFICER),
        Holder(digest_of(LEAD), "S. Lead", Role.SHIFT_LEAD),
        Holder(digest_of(ADMIN), "A. Dmin", Role.ADMINISTRATOR),
        Holder(digest_of(PATROL), "B. Patrol", Role.RECIPIENT, None, "police"),
        Holder(digest_of(RADAR_TOKEN), "radar on the roof", Role.SENSOR, RADAR.sensor_id),
        Holder(digest_of(RECEIVER_TOKEN), "receiver", Role.SENSOR, RECEIVER.sensor_id),
    )
)


@dataclass
class Clock:
    """Stands still; `on` moves it."""

    now_ns: int = at(0.0)

    def __call__(self) -> int:
        return self.now_ns

    def on(self, by_s: float) -> None:
        self.now_ns += seconds(by_s)


class Desk:
    """A service and its clients; it works while a request is under way."""

    def __init__(
        self,
        folder: Path,
        sensors: Sequence[Sensor] = (RADAR, RECEIVER),
        recipients: Sequence[RecipientSettings] = (),
        delivery: Delivery | None = None,
        warn: WarningSettings | None = None,
    ) -> None:
        self.clock = Clock()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokens.json").write_bytes(TOKENS)
        self.loop = asyncio.new_event_loop()
        self.writer = Writer(folder / "data", SITE, sensors, self.clock)
        try:
            self.loop.run_until_complete(self.writer.start())
        except BaseException:
            self.writer.close()
            self.loop.close()
            raise
        self.app = create_app(
            self.writer,
            Tokens(folder / "tokens.json"),
            delivery=delivery,
            recipients=recipients,
            warn=warn,
        )
        self.at_work = self.loop.create_task(self.writer.run())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://desk")

    def close(self) -> None:
        self.loop.run_until_complete(self.client.aclose())
        self.writer.stop()
        self.loop.run_until_complete(self.at_work)
        self.app.state.sign_in.people.close()
        self.writer.close()
        self.loop.close()

    def request(
        self, method: str, path: str, token: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= more.pop("headers", {})
        return self.loop.run_until_complete(
            self.client.request(method, path, headers=headers, **more)
        )

    def get(self, path: str, token: str | None = OFFICER) -> httpx.Response:
        return self.request("GET", path, token)

    def command(self, name: str, body: Any, token: str | None = OFFICER) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        return self.request("POST", f"/v1/commands/{name}", token, content=content, headers=kind)

    def send(self, batch: Batch, token: str | None = RADAR_TOKEN) -> httpx.Response:
        return self.post(posted(batch), token)

    def post(self, body: Any, token: str | None = RADAR_TOKEN) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", "/v1/batches", token, content=content)


def posted(batch: Batch) -> dict[str, Any]:
    """A batch as a sensor posts it."""
    rows = [msgspec.json.decode(encode_observation(o)) for o in batch.rows()]
    return {"batch_id": str(batch.batch_id), "observations": rows}
