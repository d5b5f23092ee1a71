"""Requests made up from the interface's own description: no answer is a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from skykeep.commands.recompute import recompute
from tests.desk import OFFICE, OFFICER, RADAR_TOKEN, Desk
from tests.unit.service.test_routes import MAY

#: Of each route, so many; all of them take some seconds.
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("desk")
    made = Desk(folder)
    yield made
    made.close()
    assert recompute(folder / "data").faults == []


def token_for(path: str) -> str:
    if path == "/v1/batches":
        return RADAR_TOKEN
    name = path.rpartition("/")[2]
    return OFFICE if OFFICE in MAY.get(name, set()) else OFFICER


ROUTES = [
    "/health", "/checkpoint", "/v1/batches", "/v1/zones", "/v1/permits", "/v1/tracks",
    "/v1/exemptions", "/v1/observations", "/v1/alerts", "/v1/incidents",
    "/v1/incidents/{incident_id}", "/v1/sensors", "/metrics",
    "/v1/history/observations", "/v1/history/tracks",
    "/v1/recipients", "/v1/handovers", "/v1/warnings", "/v1/permits/due", "/v1/permits/card",
    "/v1/exemptions/flights", "/v1/receipts/{entry}",
    *(f"/v1/commands/{name}" for name in MAY),
]  # fmt: skip


@pytest.mark.parametrize("path", ROUTES)
def test_what_the_description_allows(desk: Desk, path: str) -> None:
    schema = schemathesis.openapi.from_dict(desk.app.openapi())
    (operation,) = (
        found.ok()
        for found in schema.include(path=path).get_all_operations()
        if found.ok().path == path
    )
    statuses: set[int] = set()
    headers = {"Authorization": f"Bearer {token_for(path)}"}

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        case=operation.as_strategy() | operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)
    )
    def run(case: schemathesis.Case) -> None:
        made = case.as_transport_kwargs(base_url="http://desk")
        made["headers"] = {**dict(made.get("headers") or {}), **headers}
        made.pop("cookies", None)
        data = made.pop("data", None)
        if data is not None:
            made["content"] = data
        answer = desk.loop.run_until_complete(desk.client.request(**made))
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    run()
    assert statuses
