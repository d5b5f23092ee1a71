"""The interface's own description: every route explained, every example true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from skykeep.service.docs_page import _words
from tests.desk import OFFICE, OFFICER, RADAR_TOKEN, Desk
from tests.sky import at
from tests.unit.service.test_routes import MAY

TEXT = {"/checkpoint", "/metrics", "/v1/receipts/{entry}"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("desk")
    made = Desk(folder)
    made.clock.now_ns = at(1.0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(desk: Desk) -> dict[str, Any]:
    described: dict[str, Any] = desk.get("/openapi.json", None).json()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def test_every_route_says_what_it_is_for(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        assert len(operation["description"]) > 20, path
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])


def test_every_answer_has_an_example_that_fits(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        (content,) = operation["responses"]["200"]["content"].items()
        media, body = content
        if media == "application/zip":
            continue
        if path in TEXT:
            assert (media, bool(body["example"])) == ("text/plain", True)
            continue
        example = resolved(document, body["schema"])["example"]
        whole = body["schema"] | {"components": document["components"]}
        jsonschema.validate(example, whole)


def test_every_body_that_is_shown_is_understood(desk: Desk, document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if method != "post":
            continue
        body = operation["requestBody"]["content"]["application/json"]
        example = resolved(document, body["schema"])["example"]
        name = path.rpartition("/")[2]
        if path == "/v1/batches":
            example = json.loads(json.dumps(example).replace("radar-1", "radar"))
            answer = desk.post(example, RADAR_TOKEN)
        elif path == "/v1/sightings":
            answer = desk.request("POST", path, OFFICER, json=example)
        else:
            if name == "put_permit":
                example = example | {"authority": "city"}
            answer = desk.command(name, example, OFFICE if OFFICE in MAY[name] else OFFICER)
        assert answer.status_code in (200, 409), (path, answer.text)  # 409: there is no such alert


def test_the_page_shows_it_all(desk: Desk, document: dict[str, Any]) -> None:
    page = desk.get("/docs", None).text
    for path, _, operation in operations(document):
        assert f"<code>{operation_title(path, operation, document)}</code>" in page
        for parameter in operation.get("parameters", ()):
            assert f"<code>{escape(parameter['name'])}</code>" in page
            assert _words(parameter["description"]) in page
    for words in ("/v1/live", "/v1/ingest", "skykeep_observations_taken", "T00012"):
        assert words in page


def operation_title(path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    method = next(m for m, o in document["paths"][path].items() if o is operation)
    return escape(f"{method.upper()} {path}")
