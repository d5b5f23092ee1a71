"""A permit's proceeding over HTTP, its own page, and that its holder is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permit_card import Answer, check, read_card, read_status
from skykeep.codec.permits import encode_permits
from skykeep.commands.recompute import recompute
from skykeep.config import Delivery, Smtp
from skykeep.core.permit import Channel, ChannelKind, PermitState, Procedure
from skykeep.core.permit_book import ReportDelivery
from skykeep.service.outbox import OUTBOX, Outbox
from skykeep.service.permits_card import verifier_of
from skykeep.units import NS_PER_S, PermitId
from tests.desk import OFFICE, OFFICER, READER, Desk
from tests.sinks import Hook, Relay, sinks
from tests.sky import CITY, at, permit_named, zone_named

APPLIED = permit_named(state=PermitState.SUBMITTED)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.clock.now_ns = at(1.0)
    made.get("/v1/sensors")  # a tick: commands carry the time of the newest input
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def put(desk: Desk, **changes: Any) -> None:
    file = encode_permits(CITY, [replace(APPLIED, **changes)])
    assert desk.command("put_permit", file, OFFICE).status_code == 200


def step(desk: Desk, name: str, why: str = "", token: str = OFFICE, **more: Any) -> Any:
    body = {"permit_id": "P1", "step": name, "why": why} | more
    return desk.command("change_permit", body, token)


def the_permit(desk: Desk) -> dict[str, Any]:
    (permit,) = desk.get("/v1/permits", OFFICE).json()["permits"]
    return dict(permit)


def test_a_proceeding_from_the_application_to_the_landing(desk: Desk) -> None:
    put(desk)
    asked = step(desk, "request_information", "which payload?", decide_by="2026-10-01T00:00:00Z")
    assert asked.status_code == 200
    assert [c["event_name"] for c in asked.json()["changed"]] == ["PermitChanged", "NoticeDue"]
    assert the_permit(desk)["procedure"]["question"] == "which payload?"
    assert step(desk, "grant").status_code == 409
    assert step(desk, "answer", "a camera").status_code == 200
    assert step(desk, "grant", conditions=["below 60 m"]).status_code == 200
    permit = the_permit(desk)
    assert (permit["state"], permit["conditions"]) == ("granted", ["below 60 m"])
    assert permit["procedure"]["submitted"] == "2026-09-12T21:48:01Z"
    assert step(desk, "activate", token=OFFICER).status_code == 200
    assert step(desk, "suspend", token=OFFICER).status_code == 409  # without a reason
    late = step(desk, "suspend", "helicopter", OFFICER, land_by="2026-09-12T21:00:00Z")
    assert (late.status_code, "land_by is past" in late.text) == (409, True)
    assert step(desk, "suspend", "helicopter", OFFICER).status_code == 200
    assert the_permit(desk)["procedure"]["land_by"] == "2026-09-12T21:50:01Z"
    assert step(desk, "resume", token=OFFICER).status_code == 200
    assert the_permit(desk)["procedure"]["land_by"] is None
    assert step(desk, "activate").status_code == step(desk, "end").status_code == 200
    assert the_permit(desk)["state"] == "ended"


def test_a_watch_officer_decides_no_application(desk: Desk) -> None:
    put(desk)
    for name in ("grant", "refuse", "review", "request_information"):
        assert step(desk, name, "x", OFFICER).status_code == 403
    assert step(desk, "dance").status_code == 422


def test_the_history_names_who_did_what_and_what_was_told(desk: Desk) -> None:
    mail = Channel(ChannelKind.EMAIL, "a@b.example")
    put(desk, procedure=Procedure(channels=(mail,)))
    step(desk, "grant", "as applied for")
    step(desk, "suspend", "helicopter", OFFICER)
    told = ReportDelivery(OUTBOX, "N00001", "email", True, "")

    async def deliver() -> None:
        await desk.writer.submit([told])

    desk.loop.run_until_complete(deliver())
    found = desk.get("/v1/permits/history?permit_id=P1", OFFICER).json()
    steps = [(s["state"], s["name"], s["role"], s["why"]) for s in found["steps"]]
    assert steps == [
        ("submitted", "P. Office", "permit_officer", ""),
        ("granted", "P. Office", "permit_officer", "as applied for"),
        ("suspended", "A. Weber", "watch_officer", "helicopter"),
    ]
    assert [(t["state"], t["channel"], t["delivered"]) for t in found["told"]] == [
        ("granted", "email", True)
    ]
    assert [(w["state"], w["waiting"]) for w in found["waiting"]] == [("suspended", ["email"])]
    assert desk.get("/v1/permits/history?permit_id=P9", OFFICE).status_code == 404
    assert desk.get("/v1/permits/history?permit_id=P1", READER).status_code == 403


def test_what_is_due_is_listed(desk: Desk) -> None:
    put(desk, procedure=Procedure(decide_by_ns=at(3_600.0)))
    (due,) = desk.get("/v1/permits/due", OFFICE).json()["due"]
    assert (due["permit_id"], due["what"], due["at"]) == ("P1", "decide", "2026-09-12T22:48:00Z")
    assert desk.get("/v1/permits/due?within_h=0.5", OFFICE).json()["due"] == []
    step(desk, "refuse", "too low")
    (due,) = desk.get("/v1/permits/due", OFFICE).json()["due"]
    assert (due["what"], due["words"]) == ("tell", "that it is refused, by page")


def link(desk: Desk, permit_id: str = "P1") -> str:
    secret = desk.app.state.outbox.keys.secret_of(permit_id)
    return f"/permit/{secret}/{quote(permit_id, safe='')}"


def press(desk: Desk, name: str, words: str = "") -> int:
    content = f"step={name}&words={quote(words)}".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return desk.request("POST", link(desk), None, content=content, headers=kind).status_code


def test_the_holders_page_tells_and_takes_steps(desk: Desk) -> None:
    put(desk, holder="<b>Survey</b>")
    step(desk, "request_information", "which <payload>?")
    page = desk.get(link(desk), None)
    assert "which &lt;payload&gt;?" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert the_permit(desk)["procedure"]["notified"] is None  # a scanner may have looked
    assert press(desk, "seen") == 303
    assert the_permit(desk)["procedure"]["notified"] == "2026-09-12T21:48:01Z"
    assert desk.get("/v1/permits/due", OFFICE).json()["due"] == []
    assert press(desk, "answer", "a camera") == 303
    assert the_permit(desk)["state"] == "under_review"
    step(desk, "grant")
    assert press(desk, "activate") == 303
    assert press(desk, "grant") == 422  # not a holder's
    step(desk, "revoke", "flew low", OFFICER)
    assert "Land now, at the latest by 2026-09-12T21:50:01Z" in desk.get(link(desk), None).text
    for wrong in (link(desk)[:-2] + "P2", "/permit/x/P1", link(desk, "P2")):
        assert desk.get(wrong, None).status_code == 404


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, int, type[Hook], type[Relay]]]:
    with sinks() as made:
        yield made


def sending(desk: Desk, delivery: Delivery, seconds: float) -> None:
    """The outbox at work for some time, or until nothing waits."""

    async def run() -> None:
        outbox = Outbox(desk.writer, delivery)
        task = asyncio.ensure_future(outbox.run())
        for _ in range(round(seconds / 0.05)):
            await asyncio.sleep(0.05)
            waiting = await desk.writer.ask(lambda r: r.runtime.airspace.book.notices())
            if not any(c != "page" for n in waiting for c in n.waiting):
                break
        outbox.stop()
        await task

    desk.loop.run_until_complete(run())


def test_a_revocation_reaches_the_holder_by_mail_and_webhook(
    tmp_path: Path, elsewhere: tuple[int, int, type[Hook], type[Relay]]
) -> None:
    web_port, mail_port, hook, relay = elsewhere
    url = f"http://127.0.0.1:{web_port}/hook"
    channels = (
        Channel(ChannelKind.EMAIL, "pilot@example.org"),
        Channel(ChannelKind.WEBHOOK, url),
    )
    desk = Desk(tmp_path)
    put(desk, state=PermitState.GRANTED, procedure=Procedure(channels=channels, appeal="in court"))
    step(desk, "revoke", "flew low", OFFICER)
    desk.close()
    desk = Desk(tmp_path)  # the record is the outbox: nothing is lost over a restart
    desk.clock.on(2.0)
    smtp = Smtp("127.0.0.1", mail_port, "office@city.example")
    sending(desk, Delivery("https://drones.example", ("127.0.0.1",), smtp), 8.0)
    ((to, mail),) = relay.mails
    assert to == ["pilot@example.org"]
    assert "Subject: Permit P1 is revoked" in mail
    for words in ("LAND NOW, at the latest by 2026-09-12T21:50:00Z", "flew low", "in court"):
        assert words in mail
    assert f"https://drones.example{link(desk)}" in mail.replace("=\r\n", "").replace("=3D", "=")
    assert [m["notice_id"] for m in hook.posted] == ["N00001", "N00001"]  # refused, then taken
    assert (hook.posted[1]["state"], hook.posted[1]["why"]) == ("revoked", "flew low")
    assert the_permit(desk)["procedure"]["notified"] is not None
    assert desk.get("/v1/permits/due", OFFICE).json()["due"] == []
    desk.close()
    assert recompute(tmp_path / "data").faults == []


def test_a_webhook_elsewhere_is_not_posted_to(
    desk: Desk, elsewhere: tuple[int, int, type[Hook], type[Relay]]
) -> None:
    url = f"http://127.0.0.1:{elsewhere[0]}/hook"
    channel = Channel(ChannelKind.WEBHOOK, url)
    put(desk, state=PermitState.GRANTED, procedure=Procedure(channels=(channel,)))
    step(desk, "revoke", "flew low", OFFICER)
    sending(desk, Delivery(webhook_hosts=("hooks.example",)), 0.3)
    assert elsewhere[2].posted == []
    (due,) = desk.get("/v1/permits/due", OFFICE).json()["due"]
    assert (due["what"], due["words"]) == ("tell", "that it is revoked, by webhook")


def test_what_cannot_be_told_for_a_day_is_given_up_and_listed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skykeep.service.outbox.RETRIES_S", (0.01,))
    monkeypatch.setattr("skykeep.service.outbox.TRIES", 3)
    channel = Channel(ChannelKind.EMAIL, "pilot@example.org")
    put(desk, state=PermitState.GRANTED, procedure=Procedure(channels=(channel,)))
    step(desk, "suspend", "smoke", OFFICER)
    sending(desk, Delivery(), 3.0)
    (due,) = desk.get("/v1/permits/due", OFFICE).json()["due"]
    assert due["words"] == "that it is suspended, by page (email was given up)"
    assert the_permit(desk)["procedure"]["notified"] is None


def test_a_card_from_the_site_is_checked_against_its_public_list(desk: Desk) -> None:
    put(desk, state=PermitState.GRANTED)
    verify = verifier_of(bytes.fromhex(desk.get("/permits/key", None).text))
    here, now_s = (49.61, 6.13), at(1.0) / NS_PER_S
    told = desk.get("/v1/permits/card?permit_id=P1", OFFICER).json()
    text = told["text"]
    assert {len(row) for row in told["qr"]} == {len(told["qr"])}
    assert told["qr"][0][:8] == told["qr"][0][-7:] + "0" == "11111110"  # two finder patterns
    card = read_card(text, verify)
    status = read_status(desk.get("/permits/status", None).content, verify)
    assert check(card, status, now_s, here)[0] is Answer.VALID
    step(desk, "revoke", "flew low", OFFICER)
    status = read_status(desk.get("/permits/status", None).content, verify)
    assert check(card, status, now_s, here)[0] is Answer.REVOKED
    page = desk.get("/permits/check", None)
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert desk.get("/v1/permits/card?permit_id=P1").status_code == 409  # revoked
    assert desk.get("/v1/permits/card?permit_id=P9").status_code == 404


EMERGENCY: dict[str, Any] = {
    "exemption_class": "rescue",
    "serials": ["1596A0123456789"],
    "around": {"lat_deg": 49.61, "lon_deg": 6.13, "radius_m": 500.0},
    "minutes": 30,
    "why": "person in the river",
}


def test_an_emergency_exemption_holds_at_once_and_is_confirmed(desk: Desk) -> None:
    said = desk.command("declare_exemption", EMERGENCY)
    assert said.status_code == 200
    assert said.json()["changed"][0]["state"] == "provisional"
    (due,) = desk.get("/v1/permits/due").json()["due"]
    assert (due["permit_id"], due["what"], due["at"]) == (
        "E0001",
        "confirm",
        "2026-09-12T22:48:01Z",
    )
    desk.clock.on(1_700.0)
    body = {"permit_id": "E0001", "step": "confirm", "why": "the sergeant called back"}
    assert desk.command("change_permit", body).status_code == 200
    desk.clock.on(200.0)
    desk.get("/v1/sensors")
    (one,) = desk.get("/v1/exemptions").json()["exemptions"]
    assert (one["state"], one["class"]) == ("expired", "rescue")  # its half hour is over


def test_an_emergency_exemption_without_aircraft_or_area_is_refused(desk: Desk) -> None:
    nameless = desk.command("declare_exemption", EMERGENCY | {"serials": [" "]})
    assert (nameless.status_code, "any drone" in nameless.text) == (409, True)
    nowhere = desk.command("declare_exemption", EMERGENCY | {"around": None})
    assert nowhere.status_code == 422
    unknown = desk.command("declare_exemption", EMERGENCY | {"around": None, "zone_id": "Z9"})
    assert (unknown.status_code, unknown.json()["where"]) == (422, "body.zone_id")
    zone = write_ed318([zone_named()])
    assert desk.command("publish_zone", zone).status_code == 200
    within = desk.command("declare_exemption", EMERGENCY | {"around": None, "zone_id": "Z1"})
    assert within.status_code == 200


def test_exemptions_come_in_as_a_table_line_by_line(desk: Desk) -> None:
    head = "id,class,holder,serials,lat_deg,lon_deg,radius_m,start,end"
    times = "2026-01-01T00:00:00Z,2036-01-01T00:00:00Z"
    good = f"POL-7,police,City Police,1596A0123456789,49.61,6.13,3000,{times}"
    body = {"csv": f"{head}\n{good}\n{good.replace('POL-7,police', 'POL-8,friend')}\n"}
    said = desk.command("import_exemptions", body, OFFICE).json()
    assert [f["where"] for f in said["findings"]] == ["line 3, class"]
    (one,) = desk.get("/v1/exemptions").json()["exemptions"]
    assert one["id"] == "POL-7"
    none = desk.command("import_exemptions", {"csv": head}, OFFICE)
    assert (none.status_code, none.json()["problem"]) == (422, "has no lines")
    assert desk.get("/v1/exemptions/flights").json() == {"counts": []}


def test_an_application_is_held_against_the_site_before_it_is_sent(desk: Desk) -> None:
    country = zone_named("Z2", authority_id="country")
    zones = write_ed318([zone_named(), country])
    assert desk.command("publish_zone", zones).status_code == 200
    put(desk, permit_id=PermitId("P8"), state=PermitState.GRANTED)
    size = len(desk.get("/v1/permits").json()["permits"])
    said = desk.command("check_permits", encode_permits(CITY, [APPLIED])).json()
    (found,) = said["applications"]
    assert [z["zone_id"] for z in found["own_zones"]] == ["Z1"]
    assert [z["zone_id"] for z in found["other_zones"]] == ["Z2"]
    assert [(o["permit_id"], o["kind"]) for o in found["overlaps"]] == [("P8", "permit")]
    assert "application" in [g["where"] for g in found["gaps"]]
    assert len(desk.get("/v1/permits").json()["permits"]) == size  # nothing was entered
