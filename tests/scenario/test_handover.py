"""An intrusion handed over: by rule, by webhook and mail, answered by link, reported back."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.config import Delivery, Smtp
from skykeep.core.handover import Recipient
from skykeep.deliver.settings import (
    Caps,
    EmailChannel,
    RecipientSettings,
    WebhookChannel,
)
from skykeep.service import dispatch
from skykeep.units import NS_PER_MS, ZoneId
from tests.desk import OFFICER, PATROL, READER, Desk
from tests.sinks import Hook, Relay, sinks
from tests.sky import at, plots, zone_named

KEY = b"k" * 32
DRONE_AT = (104.0, 3.0, 80.0)
POLICE = Recipient(
    "police", "responder", ("webhook",), (ZoneId("Z1"),), automatic=(1,), answer_within_s=60.0,
    escalate_to="duty officer",
)  # fmt: skip
DUTY = Recipient("duty officer", "responder", ("email",), answer_within_s=60.0)
GUARD = Recipient("guard", "protected place", ("email",))


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, int, type[Hook], type[Relay]]]:
    with sinks() as made:
        yield made


def site(folder: Path, ports: tuple[int, int, Any, Any]) -> Desk:
    url = f"http://127.0.0.1:{ports[0]}/hook"
    mail = {"email": EmailChannel(("duty@city.example",))}
    recipients = (
        RecipientSettings(POLICE, {"webhook": WebhookChannel(url, KEY)}, Caps(precision_m=50.0)),
        RecipientSettings(DUTY, mail, languages=("en", "de")),
        RecipientSettings(GUARD, mail),
    )
    smtp = Smtp("127.0.0.1", ports[1], "site@city.example")
    delivery = Delivery("https://drones.example", (), smtp)
    return Desk(folder, recipients=recipients, delivery=delivery)


def fly(desk: Desk, first_s: int, last_s: int) -> None:
    for second in range(first_s, last_s):
        desk.clock.now_ns = at(second)
        assert desk.send(plots(second, DRONE_AT)).status_code == 200
        desk.clock.now_ns = at(second) + 300 * NS_PER_MS
        desk.get("/v1/sensors")


def at_work(desk: Desk, until: Callable[[], bool], seconds: float = 10.0) -> None:
    """The dispatcher at work until something holds."""

    async def run() -> None:
        task = asyncio.ensure_future(desk.app.state.dispatcher.run())
        for _ in range(round(seconds / 0.02)):
            if until():
                break
            await asyncio.sleep(0.02)
        desk.app.state.dispatcher.stop()
        await task
        desk.app.state.dispatcher._stopping = False

    desk.loop.run_until_complete(run())
    assert until()


def configured(desk: Desk) -> None:
    book = desk.writer.look().runtime.airspace.handovers  # type: ignore[union-attr]
    at_work(desk, lambda: len(book.recipients) == 3)


def idle(desk: Desk) -> bool:
    """Whether no channel waits."""
    book = desk.writer.look().runtime.airspace.handovers  # type: ignore[union-attr]
    return not book.waiting()


def handovers(desk: Desk, token: str = OFFICER) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get("/v1/handovers", token).json()["handovers"]
    return found


def states(desk: Desk) -> list[tuple[str, str, str]]:
    return [(h["handover_id"], h["recipient"], h["state"]) for h in handovers(desk)]


def press(desk: Desk, link: str, form: str) -> int:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    path = link.removeprefix("https://drones.example")
    return desk.request("POST", path, None, content=form.encode(), headers=kind).status_code


def test_from_the_alert_to_the_report_over_a_restart(
    tmp_path: Path, elsewhere: tuple[int, int, type[Hook], type[Relay]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(dispatch, "RETRIES_S", (0.05,))
    hook, relay = elsewhere[2:]
    desk = site(tmp_path, elsewhere)
    configured(desk)
    assert desk.command("publish_zone", write_ed318([zone_named()])).status_code == 200
    fly(desk, 1, 8)
    assert states(desk) == [("H00001", "police", "waiting")]
    assert desk.get("/v1/alerts").json()["alerts"][0]["state"] == "raised"  # still the officer's
    desk.close()

    desk = site(tmp_path, elsewhere)  # the record keeps the promise
    desk.clock.now_ns = at(8.0)
    at_work(desk, lambda: idle(desk))
    assert [m["message_id"] for m in hook.posted] == ["H00001.1"] * 2  # refused once, then taken
    assert states(desk) == [("H00001", "police", "taken")]
    told = hook.posted[1]
    signed(hook, 1)
    assert (told["state"], told["alert"]["permission"]) == ("handed_over", "not_permitted")
    (track,) = told["tracks"]
    assert (track["permission"], track["confirmation"]) == ("not_permitted", "unverified")
    east, north, _ = desk.writer.site.frame.to_enu(track["lat_deg"], track["lon_deg"], 347.5)
    assert abs(east - 100.0) < 0.1  # on the police's grid of 50 m
    assert abs(north) < 0.1

    desk.clock.now_ns = at(70.0)
    desk.get("/v1/sensors")
    assert states(desk) == [
        ("H00001", "police", "escalated"), ("H00002", "duty officer", "waiting"),
    ]  # fmt: skip
    at_work(desk, lambda: idle(desk))
    assert len(relay.mails) == 1
    mail = email.message_from_string(relay.mails[0][1], policy=email.policy.default)
    assert mail["Message-ID"] == "<H00002.1.skykeep@city.invalid>"
    body = mail.get_content()
    assert "Alert A00001, priority 1, is handed to you." in body
    assert "Alarm A00001, Priorität 1, wird Ihnen übergeben." in body

    # The police answer late, by the link that they were sent, and report.
    link = told["link"]
    page = desk.request("GET", link.removeprefix("https://drones.example"))
    assert "has no permit, nobody has confirmed it" in told["words"]
    assert "Alert A00001, priority 1, is handed to you." in page.text
    assert "<script" not in page.text
    assert press(desk, link, "step=acknowledge&name=") == 422
    assert press(desk, link, "step=acknowledge&name=B.+Patrol") == 303
    assert press(desk, link, "step=acknowledge&name=B.+Patrol") == 303  # twice is once
    assert states(desk)[0] == ("H00001", "police", "acknowledged")
    form = "step=report&name=B.+Patrol&outcome=fell&words=in+the+moat&lat=49.6102&lon=6.1288"
    assert press(desk, link, form + "&damage=a+window") == 303
    (incident,) = desk.get("/v1/incidents").json()["incidents"]
    (report,) = desk.get(f"/v1/incidents/{incident['incident_id']}").json()["reports"]
    assert report["outcomes"] == ["fell", "damage"]
    assert (report["lat_deg"], report["handover_id"]) == (49.6102, "H00001")
    assert report["author"] == {"name": "B. Patrol", "role": "recipient police, by link"}
    assert "in the moat" in desk.request("GET", link.removeprefix("https://drones.example")).text
    wrong = link.replace("H00001", "H00002")
    assert press(desk, wrong, "step=acknowledge&name=x") == 404

    # Closing the alert tells both that it is over, each once.
    done = desk.command("close_alert", {"alert_id": "A00001", "why": "it is down"})
    assert done.status_code == 200
    at_work(desk, lambda: idle(desk))
    assert [m["message_id"] for m in hook.posted[2:]] == ["H00001.2"]
    assert (hook.posted[2]["state"], hook.posted[2]["tracks"]) == ("withdrawn", [])
    assert len(relay.mails) == 2
    desk.close()
    assert recompute(tmp_path / "data").faults == []


def signed(hook: type[Hook], number: int) -> None:
    """By the letter of the Standard Webhooks specification."""
    heads, body = hook.heads[number], hook.bodies[number]
    text = f"{heads['webhook-id']}.{heads['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    assert heads["webhook-signature"] == f"v1,{made}"
    assert heads["idempotency-key"] == '"H00001.1"'
    assert abs(int(heads["webhook-timestamp"]) * 10**9 - at(8.0)) < 2 * 10**9


def test_a_recipients_token_is_for_its_own_hand_overs(
    tmp_path: Path, elsewhere: tuple[int, int, type[Hook], type[Relay]]
) -> None:
    desk = site(tmp_path, elsewhere)
    configured(desk)
    desk.command("publish_zone", write_ed318([zone_named()]))
    fly(desk, 1, 8)
    one = {"alert_id": "A00001", "recipient": "duty officer", "note": "call me"}
    assert desk.command("hand_over_alert", one).json()["findings"] == []
    assert desk.get("/v1/alerts").json()["alerts"][0]["state"] == "handed_over"
    assert [h["handover_id"] for h in handovers(desk, PATROL)] == ["H00001"]
    other = {"handover_id": "H00002", "words": "x"}
    assert desk.command("acknowledge_handover", other, PATROL).status_code == 403
    assert desk.command("report_back", other, PATROL).status_code == 403
    assert desk.command("withdraw_handover", other | {"why": "x"}, PATROL).status_code == 403
    own = {"handover_id": "H00001", "outcomes": ["not_found"], "report_id": "r1"}
    assert desk.command("report_back", own, PATROL).json()["incident"] == "I0001"
    again = desk.command("report_back", own, PATROL)
    assert (again.status_code, "filed before" in again.text) == (409, True)
    assert states(desk)[0] == ("H00001", "police", "acknowledged")
    voice = {"handover_id": "H00002", "name": "M. Duty", "words": "by telephone"}
    assert desk.command("acknowledge_handover", voice).status_code == 200
    answered = handovers(desk)[1]
    assert (answered["answered_by"], answered["state"]) == ("M. Duty", "acknowledged")
    assert desk.get("/v1/handovers?pending=true").json()["handovers"] == []
    for path in ("tracks", "alerts", "incidents", "permits", "observations", "sensors"):
        assert desk.get(f"/v1/{path}", PATROL).status_code == 403
    assert desk.get("/v1/handovers", READER).status_code == 403
    nobody = desk.command("hand_over_alert", {"alert_id": "A00001", "recipient": "patrol 4"})
    assert "nothing is sent" in nobody.json()["findings"][0]["problem"]
    desk.close()
    assert recompute(tmp_path / "data").faults == []


def test_an_unanswered_alert_comes_back_to_the_officer_and_an_exercise_is_one_in_every_word(
    tmp_path: Path, elsewhere: tuple[int, int, type[Hook], type[Relay]]
) -> None:
    relay = elsewhere[3]
    desk = site(tmp_path, elsewhere)
    configured(desk)
    desk.command("publish_zone", write_ed318([zone_named()]))
    until = {"until": "2026-09-12T22:00:00Z", "why": "yearly"}
    assert desk.command("set_exercise", until).json()["changed"][0]["event_name"] == (
        "ExerciseChanged"
    )
    fly(desk, 1, 8)
    desk.command("acknowledge_alert", {"alert_id": "A00001"})
    one = {"incident_id": "I0001", "recipient": "duty officer"}
    assert desk.command("hand_over_incident", one).status_code == 409
    desk.command("open_incident", {"title": "t", "alerts": ["A00001"]})
    assert desk.command("hand_over_incident", one).status_code == 200
    told = {"recipient": "guard", "instruction": "take_cover"}
    assert desk.command("instruct", told).status_code == 200
    at_work(desk, lambda: idle(desk))
    assert len(relay.mails) == 2
    for _, text in relay.mails:
        mail = email.message_from_string(text, policy=email.policy.default)
        assert mail["Subject"].startswith("EXERCISE: ")
        assert mail.get_content().startswith("EXERCISE EXERCISE EXERCISE")
    assert any("TAKE COVER. Go inside" in text for _, text in relay.mails)
    desk.clock.now_ns = at(80.0)
    desk.get("/v1/sensors")
    alert = desk.get("/v1/alerts").json()["alerts"][0]
    assert alert["state"] == "raised"
    assert ("H00002", "duty officer", "unanswered") in states(desk)
    shown = desk.get("/v1/recipients").json()
    assert [r["name"] for r in shown["recipients"]] == ["police", "duty officer", "guard"]
    assert shown["exercise_until"] == "2026-09-12T22:00:00Z"
    desk.close()
    assert recompute(tmp_path / "data").faults == []


def test_a_recipient_that_is_taken_out_of_the_site_file_waits_for_nothing(tmp_path: Path) -> None:
    with sinks() as made:
        desk = site(tmp_path, made)
        configured(desk)
        desk.close()
    desk = Desk(tmp_path)
    book = desk.writer.look().runtime.airspace.handovers  # type: ignore[union-attr]
    at_work(desk, lambda: not book.recipients)
    desk.close()
