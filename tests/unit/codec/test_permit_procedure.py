"""A permit's proceeding and application in a file: there and back, and each fault at its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skykeep.codec.permit_procedure import (
    application_of,
    application_record,
    procedure_of,
    procedure_record,
)
from skykeep.codec.permits import decode_permits, encode_permits
from skykeep.core.application import Application, Category, Mode
from skykeep.core.event import Finding, Severity
from skykeep.core.permit import Channel, ChannelKind, Procedure
from skykeep.errors import InputError
from tests.sky import CITY, at, permit_named

PROCEDURE = Procedure(
    "eID, high", at(0.0), at(1.0), "which payload?", at(2.0), at(3.0), at(4.0), "in court",
    (Channel(ChannelKind.EMAIL, "a@b.example"), Channel(ChannelKind.WEBHOOK, "https://b.example/h")),
)  # fmt: skip
APPLICATION = Application(
    Mode.BVLOS, "search and rescue", Category.SPECIFIC, "C5", "network remote id", "4G", 1_500.0,
    "returns home", "FIN87astrdge12k8", "D-1234", "P. Ilot", "+352 1",
)  # fmt: skip


def test_there_and_back_in_a_permits_file() -> None:
    permit = permit_named(procedure=PROCEDURE, application=APPLICATION)
    assert decode_permits(encode_permits(CITY, [permit]), "f").permits == (permit,)
    plain = permit_named()
    assert b"procedure" not in encode_permits(CITY, [plain])


def test_the_secret_characters_are_checked_and_not_kept() -> None:
    found: list[Finding] = []
    record = application_record(APPLICATION) | {"operator": "FIN87astrdge12k8-xyz"}
    assert application_of("$", record, found) == APPLICATION
    assert [f.severity for f in found] == [Severity.NOTE]
    found = []
    application_of("$", record | {"operator": "FIN87astrdge12k9-xyz"}, found)
    assert [f.severity for f in found] == [Severity.WARNING]
    assert "xyz" not in found[0].problem


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"mode": "flying"}, "$.mode"),
        ({"category": None}, "$.category"),
        ({"endurance_s": 0}, "$.endurance_s"),
        ({"operator": ""}, "$.operator"),
        ({"contact": {"fax": "1"}}, "$.contact"),
        ({"colour": "red"}, "$"),
    ],
)
def test_faults_of_an_application(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as caught:
        application_of("$", application_record(APPLICATION) | change, [])
    assert caught.value.where == where


@pytest.mark.parametrize(
    "address",
    ["nobody", "a@b@c", "a b@c.example", "a@c.example\nBcc: x@y.example", "<a@b.example>", ""],
)
def test_what_is_no_email_address(address: str) -> None:
    record = procedure_record(replace(PROCEDURE, channels=()))
    channels = [{"kind": "email", "address": address}]
    with pytest.raises(InputError, match="address"):
        procedure_of("$", record | {"channels": channels})


@pytest.mark.parametrize(
    "address",
    [
        "ftp://b.example",
        "https://",
        "https://u:p@b.example/",
        "https://b.example/ x",
        "http://b:x/",
    ],
)
def test_what_is_no_webhook(address: str) -> None:
    with pytest.raises(InputError, match="no http or https URL"):
        procedure_of("$", {"channels": [{"kind": "webhook", "address": address}]})


def test_a_faulty_proceeding_leaves_its_permit_out() -> None:
    data = encode_permits(CITY, [permit_named(procedure=PROCEDURE)])
    file = decode_permits(data.replace(b"2026-09-12T21:48:01Z", b"tomorrow"), "f")
    assert file.permits == ()
    assert file.findings[0].where == "$.permits[0].procedure.decide_by"
