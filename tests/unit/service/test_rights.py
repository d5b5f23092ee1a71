"""Every role tries every action over HTTP, as the description of the interface names them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.routing import iter_route_contexts

from skykeep.service import rights
from skykeep.service.desk import action_of
from skykeep.service.live import Listener
from skykeep.service.rates import MOST_KEPT, Rates
from skykeep.service.rights import RIGHTS
from skykeep.service.tokens import Holder, Role
from skykeep.service.web_socket import Frame, WebSocket
from skykeep.units import NS_PER_S
from tests.desk import (
    ADMIN,
    EVIDENCE,
    LEAD,
    OFFICE,
    OFFICER,
    PATROL,
    RADAR_TOKEN,
    READER,
    Desk,
)
from tests.sky import at, plots
from tests.unit.service.line import Line
from tests.unit.service.test_routes import BODIES, DRONE_AT, MAY, ZONES, fly

ROOT = Path(__file__).parents[3]
TOKENS = {
    Role.VIEWER: READER, Role.WATCH_OFFICER: OFFICER, Role.SHIFT_LEAD: LEAD,
    Role.PERMIT_OFFICER: OFFICE, Role.EVIDENCE_OFFICER: EVIDENCE, Role.ADMINISTRATOR: ADMIN,
    Role.SENSOR: RADAR_TOKEN, Role.RECIPIENT: PATROL,
}  # fmt: skip
#: What a question cannot do without; the same for every role.
QUERIES = {
    "/v1/zones/versions": "zone_id=Z1", "/v1/zones/at": "at=2026-09-12T00:00:00Z",
    "/v1/permits/history": "permit_id=P1", "/v1/permits/card": "permit_id=P1",
    "/v1/coverage": "from=2026-09-12T00:00:00Z&to=2026-09-12T00:01:00Z",
}  # fmt: skip
#: Routes that the description leaves out; both are tested below.
HIDDEN = {"/v1/stream/tracks.geojson", "/v1/stream/tracks.csv"}
#: Actions that are a part of a route, or a socket; each has a test of its own here or there.
PARTS = {
    "alerts.shelve_long", "exercise.end", "dossier.withhold", "history.by_serial", "permits.decide",
    "zones.approve", "identity.read", "incidents.list_openers", "live.listen", "stream.read",
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.clock.now_ns = at(1.0)
    yield made
    made.close()


def operations(desk: Desk) -> list[tuple[str, str, dict[str, Any]]]:
    document = desk.app.openapi()
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/") or path == "/metrics"
    ]


def ask(desk: Desk, method: str, path: str, token: str) -> Any:
    url = path.replace("{incident_id}", "I0099").replace("{entry}", "0")
    if method == "get":
        return desk.get(f"{url}?{QUERIES.get(path, '')}", token)
    body = BODIES.get(path.rpartition("/")[2], {})
    return desk.request("POST", url, token, json=body)


def test_every_route_names_its_action(desk: Desk) -> None:
    unnamed = [path for path, _, o in operations(desk) if action_of(o) not in RIGHTS]
    assert unnamed == []
    guarded = {str(each.path) for each in iter_route_contexts(desk.app.routes)}
    described = {path for path, _, _ in operations(desk)}
    assert {p for p in guarded if p.startswith("/v1/")} - described == HIDDEN | {
        "/v1/live",
        "/v1/ingest",
    }
    named = {str(action_of(o)) for _, _, o in operations(desk)}
    assert (named | PARTS, named & PARTS - {"permits.decide"}) == (set(RIGHTS), set())


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says(desk: Desk, role: Role) -> None:
    refused = set()
    for path, method, operation in operations(desk):
        action = action_of(operation) or ""
        answer = ask(desk, method, path, TOKENS[role])
        by_right = answer.status_code == 403 and f"{action} needs" in answer.text
        assert by_right == (role not in RIGHTS[action].roles), (path, answer.text)
        assert answer.status_code in {200, 403, 404, 409, 422, 503}, (path, answer.text)
        if by_right:
            refused.add(action)
    assert refused, "a role that may do everything is none"


def test_commands_are_for_those_who_should_give_them(desk: Desk) -> None:
    named = {path: action_of(operation) or "" for path, _, operation in operations(desk)}
    for name, tokens in MAY.items():
        roles = RIGHTS[named[f"/v1/commands/{name}"]].roles
        assert {TOKENS[r] for r in roles} & {OFFICER, OFFICE, READER, RADAR_TOKEN} == tokens, name
    commands = {path.rpartition("/")[2] for path in named if path.startswith("/v1/commands/")}
    assert commands <= MAY.keys()


def test_a_shift_lead_hears_what_a_watch_officer_does(desk: Desk) -> None:
    hub, frame = desk.app.state.hub, Frame.of(1, b"")
    hub.frames[Role.WATCH_OFFICER, "alerts"] = frame
    lead, viewer = (Holder("0" * 64, "X", r) for r in (Role.SHIFT_LEAD, Role.VIEWER))
    none = cast(WebSocket, None)
    heard = [Listener(none, holder, hub)._frame("alerts") for holder in (lead, viewer)]
    del hub.frames[Role.WATCH_OFFICER, "alerts"]
    assert heard == [frame, None]


def test_a_shift_lead_may_whatever_a_watch_officer_may_and_more() -> None:
    for action, right in RIGHTS.items():
        assert Role.WATCH_OFFICER not in right.roles or Role.SHIFT_LEAD in right.roles, action
    more = {a for a, r in RIGHTS.items() if r.roles == (Role.SHIFT_LEAD,)}
    assert more == {"alerts.shelve_long", "exercise.end"}


def test_who_has_several_roles_acts_in_the_one_that_sees_more() -> None:
    both = Holder("0" * 64, "B. Oth", Role.VIEWER, also=(Role.WATCH_OFFICER,))
    acting = both.acting_as(RIGHTS["tracks.read"].roles)
    assert acting is not None
    assert (acting.role, rights.may(acting, "identity.read")) == (Role.WATCH_OFFICER, True)
    assert acting.also == (Role.VIEWER,)
    assert acting.acting_as((Role.VIEWER,)) == both
    assert not rights.may(both, "identity.read")


def test_to_be_quiet_for_long_is_the_shift_leads(desk: Desk) -> None:
    shelf = {"alert_id": "A9", "until": "2026-09-13T01:48:00Z", "why": "x"}
    assert desk.command("shelve_alert", shelf).status_code == 409  # 4 hours, less a second
    longer = shelf | {"until": "2026-09-13T01:48:02Z"}
    refused = desk.command("shelve_alert", longer)
    assert (refused.status_code, "alerts.shelve_long" in refused.text) == (403, True)
    assert desk.command("shelve_alert", longer, LEAD).status_code == 409


def test_to_end_an_exercise_early_is_the_shift_leads(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    begun = {"until": "2026-09-12T23:00:00Z", "why": "yearly"}
    assert desk.command("set_exercise", begun).status_code == 200
    assert desk.command("set_exercise", begun | {"until": "2026-09-12T23:30:00Z"}).is_success
    shorter = begun | {"until": "2026-09-12T23:29:00Z"}
    refused = desk.command("set_exercise", shorter)
    assert (refused.status_code, "exercise.end" in refused.text) == (403, True)
    assert desk.command("set_exercise", shorter, LEAD).status_code == 200
    desk.close()


def test_parts_of_routes_have_actions_of_their_own(desk: Desk) -> None:
    for action, token, answer in (
        ("dossier.withhold", OFFICER, desk.get("/v1/incidents/I0099/dossier?whole=true")),
        ("history.by_serial", OFFICE, desk.request(
            "GET", "/v1/history/tracks", OFFICE, headers={"serial": "S1"})),
        ("zones.approve", LEAD, desk.command(
            "change_zone", {"zone_id": "Z9", "step": "approve", "why": "x"}, LEAD)),
        ("permits.decide", LEAD, desk.command(
            "change_permit", {"permit_id": "P9", "step": "grant", "why": "x"}, LEAD)),
        ("stream.read", LEAD, desk.get("/v1/stream/tracks.csv?looks=1", LEAD)),
        ("stream.read", READER, desk.get("/v1/stream/tracks.geojson?looks=1", READER)),
    ):  # fmt: skip
        assert answer.status_code == 403, (action, token, answer.text)
        assert f"{action} needs" in answer.text


def test_a_shift_lead_is_shown_what_a_watch_officer_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.command("publish_zone", ZONES)
    fly(desk, 1, 8)
    desk.send(plots(8, DRONE_AT))
    told = {t: desk.get("/v1/alerts", t).json()["alerts"][0] for t in (OFFICER, LEAD, READER)}
    assert told[OFFICER] == told[LEAD]
    assert told[LEAD]["reasons"][0]["words"]
    assert not told[READER]["reasons"][0]["words"]
    desk.close()


@pytest.mark.parametrize("role", list(Role))
def test_sockets_are_for_their_roles(desk: Desk, role: Role) -> None:
    for path, action in (("/v1/live", "live.listen"), ("/v1/ingest", "batches.send")):
        if role in RIGHTS[action].roles:
            continue  # what they are told: test_live, test_ingest
        with Line(desk, path, TOKENS[role]).opened() as line:
            assert line.closed() == 4403


def test_the_document_is_the_table(desk: Desk) -> None:
    assert (ROOT / "docs/roles.md").read_text(encoding="utf-8") == rights.as_markdown()
    told = desk.get("/v1/rights", RADAR_TOKEN).json()
    assert {a["action"]: (a["words"], a["roles"]) for a in told["actions"]} == {
        name: (right.words, list(right.roles)) for name, right in RIGHTS.items()
    }
    assert told["roles"] == list(Role)


# -- how often ----------------------------------------------------------------------------


def test_a_bucket_fills_again() -> None:
    now_ns = [0]
    rates = Rates(lambda: now_ns[0])
    budget = RIGHTS["dossier.build"].budget
    assert budget is not None
    waits = [rates.take("dossier.build", "a") for _ in range(budget.at_once + 2)]
    assert waits == [0.0] * budget.at_once + [budget.every_s] * 2
    assert rates.limited == {"dossier.build": 2}
    assert rates.take("dossier.build", "b") == 0.0  # somebody else
    assert rates.take("looks.read", "a") == 0.0  # something else
    now_ns[0] = round(budget.every_s * NS_PER_S)
    assert rates.take("dossier.build", "a") == 0.0
    assert rates.take("dossier.build", "a") == budget.every_s
    now_ns[0] *= 1_000
    waits = [rates.take("dossier.build", "a") for _ in range(budget.at_once + 1)]
    assert waits == [0.0] * budget.at_once + [budget.every_s]


def test_buckets_are_bounded() -> None:
    rates = Rates(lambda: 0)
    for number in range(MOST_KEPT + 10):
        rates.take("looks.read", str(number))
    assert len(rates._full_ns) == MOST_KEPT


def test_what_is_costly_is_answered_429_beyond_its_budget(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.app.state.rates.clock = lambda: 0
    path = "/v1/incidents/I0099/dossier"
    statuses = [desk.get(path).status_code for _ in range(12)]
    assert statuses == [404] * 10 + [429] * 2
    refused = desk.get(path)
    assert refused.headers["retry-after"] == "10"
    assert "too often" in refused.json()["problem"]
    assert desk.get(path, LEAD).status_code == 404  # another's budget is another's
    assert 'skykeep_requests_limited_total{action="dossier.build"} 3.0' in desk.get("/metrics").text
    described = desk.app.openapi()["paths"]["/v1/incidents/{incident_id}/dossier"]["get"]
    assert "Retry-After" in described["responses"]["429"]["description"]
    desk.close()


def test_the_watch_and_sensors_have_no_such_budget(desk: Desk) -> None:
    limited = {action for action, right in RIGHTS.items() if right.budget is not None}
    assert not any(a.startswith(("alerts.", "batches.", "handovers.", "live.")) for a in limited)
    assert json.loads(desk.get("/v1/rights").content)["actions"]
