"""What goes out says permission and confirmation and no more, in every language and field."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from string import Formatter

import pytest

from skykeep.codec.cot import CotEvent, Element
from skykeep.core.casebook import Conclusion, ReportedOutcome
from skykeep.core.event import Permission
from skykeep.core.handover import Instruction
from skykeep.deliver.cot_words import AFFILIATION, answer_of, track_event
from skykeep.deliver.message import AlertTold, HandoverMessage
from skykeep.deliver.settings import read_recipients
from skykeep.deliver.shared import DISPUTED, GRAVEST, SharedTrack
from skykeep.deliver.webhook import read_secret, signature_headers
from skykeep.deliver.words import WORDS
from skykeep.errors import InputError
from tests.sky import at

#: Words of intent and of engagement, in the languages that are spoken.
FORBIDDEN = re.compile(
    r"hostil|enem|threat|target|engage|shoot|destroy|neutrali|jam\b|kill|suspect|attack|"
    r"feind|bedroh|ziel|abschie|bekämpf|angriff|verdächt|ennemi|menac|cible|abatt|attaqu",
    re.IGNORECASE,
)


def test_no_word_is_about_intent_or_engagement_and_every_language_says_the_same() -> None:
    for language, table in WORDS.items():
        assert set(table) == set(WORDS["en"]), language
        for what, words in table.items():
            assert not FORBIDDEN.search(words), (language, what)
            named = {name for _, name, _, _ in Formatter().parse(words) if name}
            told = {name for _, name, _, _ in Formatter().parse(WORDS["en"][what]) if name}
            assert named == told, (language, what)


def test_every_permission_confirmation_and_instruction_has_words() -> None:
    said = {*Permission, *Conclusion, *Instruction, DISPUTED}
    assert {str(s) for s in said} <= set(WORDS["en"])
    assert set(GRAVEST) == set(Permission)


def test_the_fields_are_these_and_none_is_about_identity_or_intent() -> None:
    named = {f.name for told in (SharedTrack, HandoverMessage, AlertTold) for f in fields(told)}
    assert named == {
        "uid", "track_id", "at_ns", "lat_deg", "lon_deg", "height_hae_m", "ce_m", "le_m",
        "speed_mps", "course_deg", "permission", "confirmation", "zones", "exercise",
        "message_id", "handover_id", "state", "site", "authority", "at", "answer_by",
        "instruction", "note", "why", "alert", "tracks", "link", "words",
        "alert_id", "priority", "active", "raised",
    }  # fmt: skip


def test_the_affiliation_is_neutral_or_unknown_and_nothing_else() -> None:
    assert set(AFFILIATION) == set(Permission)
    assert set(AFFILIATION.values()) == {"n", "u"}
    assert AFFILIATION[Permission.NOT_PERMITTED] == "u"
    track = SharedTrack(
        "skykeep.c.T1", "T1", at(0.0), 49.6, 6.1, None, 5.0, None, 3.0, 90.0,
        Permission.NOT_SUBJECT, "unverified", ("Z1",), True,
    )  # fmt: skip
    event = track_event(track, at(1.0))
    assert (event.type, event.hae_m, event.le_m) == ("a-n-A-C", 9_999_999.0, 9_999_999.0)
    assert event.detail[0].get("callsign") == "EX T1"
    assert event.detail[2].text.startswith("EXERCISE permission: not_subject")


def chat(words: str, kind: str = "b-t-f", how: str = "h-g-i-g-o") -> CotEvent:
    group = Element("__chat", (("senderCallsign", "P4"),))
    detail = (group, Element("remarks", (), words))
    return CotEvent("GeoChat.x.1", kind, how, at(0.0), at(0.0), at(9.0), detail=detail)


@pytest.mark.parametrize(
    ("words", "acknowledged", "outcomes"),
    [
        ("H00001 ack", True, ()),
        ("roger h00001", True, ()),
        ("H00001 not found", False, (ReportedOutcome.NOT_FOUND,)),
        ("ok, H00001 landed and seized", True, (ReportedOutcome.LANDED, ReportedOutcome.SEIZED)),
        ("H1234567 seen", False, (ReportedOutcome.SEEN,)),
    ],
)
def test_a_chat_that_names_a_hand_over_answers_it(
    words: str, acknowledged: bool, outcomes: tuple[ReportedOutcome, ...]
) -> None:
    answer = answer_of(chat(words))
    assert answer is not None
    assert (answer.acknowledged, set(answer.outcomes)) == (acknowledged, set(outcomes))
    assert (answer.who, answer.lat_deg) == ("P4", None)


def test_what_is_no_answer_is_none() -> None:
    for event in (
        chat("ack"), chat("H00001 is where?"), chat("H00001 ack", "b-t-f-r"), chat("H001 ack"),
        chat("H00001 ack", "a-f-G", "m-g"), chat("XH00001 ack"),
    ):  # fmt: skip
        assert answer_of(event) is None, event


def test_a_webhook_is_signed_as_the_specification_shows() -> None:
    # The example of the Standard Webhooks libraries.
    import base64

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    heads = signature_headers(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert heads["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


SITE = """{"authority": "c", "name": "C", "origin": {"lat_deg": 49.6, "lon_deg": 6.1,
"height_hae_m": 337.0}, "recipients": [%s]}"""
WHO = '"name": "police", "role": "responder"'


def read(folder: Path, *recipients: str) -> object:
    (folder / "key").write_text("whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB")
    (folder / "site.json").write_text(SITE % ", ".join(f"{{{r}}}" for r in recipients))
    return read_recipients(folder / "site.json")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (f'{WHO}, "priorities": [1], "automatic": [2]', "automatic"),
        (f'{WHO}, "rate_hz": 5', "rate_hz"),
        (f'{WHO}, "precision_m": -1', "precision_m"),
        (f'{WHO}, "languages": ["xx"]', "languages"),
        (f'{WHO}, "escalate_to": "nobody"', "escalate_to"),
        (f'{WHO}, "escalate_to": "police"', "escalate_to"),
        (f'{WHO}, "operator_positions": true', "operator_positions"),
        (f'{WHO}, "channels": [{{"kind": "email", "addresses": []}}]', "addresses"),
        (f'{WHO}, "channels": [{{"kind": "mqtt", "host": "h", "topic": "a/#"}}]', "topic"),
        (f'{WHO}, "channels": [{{"kind": "tak", "host": "h", "format": "x"}}]', "format"),
        (f'{WHO}, "channels": [{{"kind": "tak", "host": "h", "port": 0}}]', "port"),
        (f'{WHO}, "channels": [{{"kind": "webhook", "url": "x", "secret_file": "key"}}]', "url"),
        (
            f'{WHO}, "channels": [{{"kind": "webhook", "url": "http://h/", "secret_file": "k"}}]',
            "secret",
        ),
        (f'{WHO}, "answer_within_s": 0', "answer_within_s"),
    ],
)
def test_a_recipient_that_does_not_fit_is_named_with_its_field(
    tmp_path: Path, given: str, field: str
) -> None:
    with pytest.raises(InputError, match=field):
        read(tmp_path, given)
    with pytest.raises(InputError, match="twice"):
        read(tmp_path, WHO, WHO)


def test_what_is_not_named_is_the_least(tmp_path: Path) -> None:
    hook = '{"kind": "webhook", "url": "http://h/x", "secret_file": "key"}'
    (one,) = read(tmp_path, f'{WHO}, "channels": [{hook}]')  # type: ignore[misc]
    assert (one.caps.shows, one.caps.precision_m, one.recipient.automatic) == (
        "handed_over", 10.0, (),
    )  # fmt: skip
    assert read_secret(tmp_path / "key") == b"A" * 24
    assert "AAAA" not in repr(one)
