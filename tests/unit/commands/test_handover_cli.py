"""`skykeep recipients|handover|warning`: what each asks of a running site."""

from __future__ import annotations

from typing import Any

import pytest

from skykeep import cli
from skykeep.commands import remote

URL = "http://127.0.0.1:8460"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def command(target: str, name: str, token: str, fields: Any) -> int:
        found.append((name, fields))
        return 0

    def show(target: str, path: str, token: str) -> int:
        found.append((path, None))
        return 0

    monkeypatch.setenv("SKYKEEP_TOKEN", "t")
    monkeypatch.setattr(remote, "command", command)
    monkeypatch.setattr(remote, "show", show)
    return found


@pytest.mark.parametrize(
    ("words", "name", "fields"),
    [
        (["recipients", "list", URL], "/v1/recipients", None),
        (["handover", "list", URL], "/v1/handovers", None),
        (["handover", "list", URL, "--pending"], "/v1/handovers?pending=true", None),
        (["warning", "list", URL], "/v1/warnings", None),
        (
            ["handover", "send", URL, "A00001", "--to", "police", "--note", "x"],
            "hand_over_alert",
            {"alert_id": "A00001", "recipient": "police", "note": "x"},
        ),
        (
            ["handover", "send", URL, "I0001", "--to", "police"],
            "hand_over_incident",
            {"incident_id": "I0001", "recipient": "police", "note": ""},
        ),
        (
            ["handover", "ack", URL, "H00001", "--name", "B", "--words", "w"],
            "acknowledge_handover",
            {"handover_id": "H00001", "name": "B", "words": "w"},
        ),
        (
            ["warning", "draft", URL, "Z1", "--exercise"],
            "draft_warning",
            {"zone_id": "Z1", "exercise": True},
        ),
        (
            ["warning", "release", URL, "W00001", "--minutes", "30"],
            "release_warning",
            {"warning_id": "W00001", "lasts_min": 30.0},
        ),
        (["warning", "cancel", URL, "W00001"], "cancel_warning", {"warning_id": "W00001"}),
    ],
)
def test_each_command_asks_for_what_it_says(
    asked: list[tuple[str, Any]], words: list[str], name: str, fields: Any
) -> None:
    assert cli.main(words) == 0
    assert asked == [(name, fields)]
