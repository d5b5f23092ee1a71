"""What a hostile page, link, name or body does here: nothing (OWASP ASVS 4.0.3, V3 to V5, V12)."""

from __future__ import annotations

import enum
import gzip
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts

from skykeep.core.casebook import ReportedOutcome, ResponderReport
from skykeep.core.event import Actor
from skykeep.core.handover import Handover, HandoverState
from skykeep.core.permit import Permit, PermitState
from skykeep.deliver.message import HandoverMessage
from skykeep.service import handover_page, permits_page, sighting_page
from skykeep.service.auth import pages
from skykeep.service.auth.cookies import SESSION
from skykeep.service.auth.people import IDLE_NS, AccountState, Person
from skykeep.service.auth.sign_in import SignIn
from skykeep.service.guard import MAX_BODY_BYTES
from skykeep.service.tokens import Role
from skykeep.units import NS_PER_S, AlertId
from tests.desk import OFFICER, RADAR_TOKEN, Desk
from tests.sky import at, permit_named
from tests.unit.service.line import Line
from tests.unit.service.test_rights import operations

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;{{7*7}}</title></textarea>"
TAME = "tame"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "secret.txt").write_text("a secret")
    made = Desk(folder)
    made.clock.now_ns = at(1.0)
    yield made
    made.close()


def signed_in(desk: Desk, *roles: Role) -> tuple[str, str]:
    """The cookie and the csrf of somebody with these roles."""
    door: SignIn = desk.app.state.sign_in
    door.people.invite("x", "X", roles, desk.clock.now_ns)
    person = door.people.of("x")
    assert person is not None
    door.people.accept(person, "", 0)
    cookie, session = door.people.begin("x", desk.clock.now_ns)
    return cookie, session.csrf


def cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION}={value}"}


# -- forged requests ----------------------------------------------------------------------


def test_no_change_is_made_for_a_session_without_its_csrf(desk: Desk) -> None:
    session, csrf = signed_in(desk, *Role)
    desk.get("/v1/sensors")  # the clock's own entry
    before = desk.writer.size
    changes = [path for path, method, _ in operations(desk) if method != "get"]
    assert len(changes) > 30
    for path in changes:
        for said in ({}, {"Skykeep-Csrf": "guessed"}, {"Skykeep-Csrf": ""}):
            answer = desk.request("POST", path, json={}, headers=cookie(session) | said)
            assert (answer.status_code, answer.json()["where"]) == (403, "header Skykeep-Csrf")
    assert desk.writer.size == before
    for path in changes:
        own = desk.request("POST", path, json={}, headers=cookie(session) | {"Skykeep-Csrf": csrf})
        assert own.json()["where"] != "header Skykeep-Csrf", path  # now it is the body


def test_what_changes_something_outside_of_v1_is_known_and_wants_a_secret(desk: Desk) -> None:
    outside = {
        str(each.path)
        for each in iter_route_contexts(desk.app.routes)
        if (each.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        and not str(each.path).startswith("/v1/")
    }
    assert outside == {
        "/sign-in", "/sign-out", "/people", "/people/{login}/{what}", "/me/password",
        "/me/app", "/me/app/code", "/me/sign-out-everywhere",
        # Those above look at origin and csrf: test_pages, test_me_page.
        "/invitation/{secret}", "/permit/{secret}/{permit_id:path}",  # the address is the secret
        "/answer/{secret}/{handover_id}",
        "/sighting",  # for everybody, within its own limits
    }  # fmt: skip
    for path in ("/permit/guessed/P1", "/answer/guessed/H00001"):
        assert desk.request("POST", path, data={"step": "seen"}).status_code == 404


def test_a_session_is_taken_from_its_cookie_alone(desk: Desk) -> None:
    session, _ = signed_in(desk, Role.WATCH_OFFICER)
    assert desk.request("GET", "/v1/me", headers=cookie(session)).status_code == 200
    for path, headers in (
        (f"/v1/me?{SESSION}={session}", {}),
        ("/v1/me", {"Authorization": f"Bearer {session}"}),
        ("/v1/me", {SESSION: session}),
        ("/v1/me", {"Cookie": f"{SESSION}={session}x"}),
    ):
        assert desk.request("GET", path, headers=headers).status_code == 401, path
    wrong = cookie(session) | {"Authorization": "Bearer wrong"}
    assert desk.request("GET", "/v1/me", headers=wrong).status_code == 401  # no falling back


# -- sockets ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/live", "/v1/ingest"])
def test_a_socket_wants_a_session_that_stands_and_its_own_page(desk: Desk, path: str) -> None:
    session, _ = signed_in(desk, Role.WATCH_OFFICER)
    foreign = cookie(session) | {"Origin": "http://evil.example"}
    with Line(desk, path, headers=foreign) as line:
        assert line.next() == {"type": "websocket.close"}  # before the handshake
    with Line(desk, path, headers=cookie("guessed")).opened() as line:
        line.say({"token": "guessed"})
        assert line.closed() == 4401
    desk.app.state.sign_in.people.end(session)
    with Line(desk, path, headers=cookie(session)).opened() as line:
        line.say({"token": session})
        assert line.closed() == 4401


def test_a_socket_ends_with_its_session(desk: Desk) -> None:
    session, _ = signed_in(desk, Role.WATCH_OFFICER)
    with Line(desk, "/v1/live", headers=cookie(session)).opened() as line:
        assert line.topic("site")["holder"] == "X"
        desk.clock.on(IDLE_NS / NS_PER_S + 1.0)
        desk.loop.call_soon(desk.app.state.hub.sockets.check)
        assert line.closed() == 4401


# -- script -------------------------------------------------------------------------------


class Structure(HTMLParser):
    """The tags of a page with their attributes' names: what text may not change."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def same(page: Callable[[str], str]) -> None:
    """The page is built alike whatever the text is, and the text is there to read."""
    evil, tame = page(EVIL), page(TAME)
    assert Structure(evil).tags == Structure(tame).tags
    assert "<script>alert" not in evil
    assert "&lt;script&gt;" in evil


def said(thing: Any, words: str) -> Any:
    """The same with every text in it, however deep, made these words."""
    if isinstance(thing, str) and not isinstance(thing, enum.Enum):
        return words
    if isinstance(thing, tuple):
        return tuple(said(each, words) for each in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(
            thing, **{f.name: said(getattr(thing, f.name), words) for f in fields(thing)}
        )
    return thing


def test_no_text_of_a_permit_becomes_script() -> None:
    for state in PermitState:
        permit = permit_named(state=state)
        procedure = replace(
            permit.procedure, question="q", appeal="a", land_by_ns=1, decide_by_ns=2
        )
        whole = replace(permit, procedure=procedure, conditions=("c",), state_why="w")

        def shown(words: str, of: Permit = whole) -> str:
            return permits_page.page_of(said(of, words), (), words)

        same(shown)


def test_no_text_of_a_hand_over_becomes_script() -> None:
    by, alert_id = Actor("n", "r"), AlertId("A1")
    plain = Handover("H1", alert_id, "p", HandoverState.WAITING, 1, by, "", 2, None, (),
                     answered_by=by, answered_ns=3)  # fmt: skip
    told = HandoverMessage("m", "H1", "handed_over", False, "s", "a", "t", "t", "i", "n", "w",
                           None, (), "link", "words")  # fmt: skip
    report = ResponderReport(
        0, Actor("n", "r"), "words", (), "i", "d", tuple(ReportedOutcome), 1.0, 2.0, "H1", "R1"
    )
    for state in HandoverState:
        handover = replace(plain, state=state)
        handover = handover if state.value != "waiting" else replace(handover, answered_by=None)

        def shown(words: str, of: Handover = handover) -> str:
            message = said(replace(told, link=None), words)
            return handover_page.page_of(said(of, words), message, (said(report, words),))

        same(shown)


def test_no_text_of_the_sighting_form_becomes_script() -> None:
    same(sighting_page.refused)
    same(lambda words: sighting_page.form(words, words, words))


def test_no_text_of_an_account_becomes_script() -> None:
    def row(words: str) -> str:
        person = Person(words, words, (Role.VIEWER,), AccountState.ACTIVE, "", b"", 0, 0)
        return pages._row(person, "csrf", 0)

    same(row)
    same(lambda words: bytes(pages.page(words, "").body).decode())
    same(pages.problem_line)


@pytest.mark.parametrize("path", ["/sign-in?next=/", "/invitation/", "/people/", "/assets/", "/"])
def test_no_address_becomes_script(desk: Desk, path: str) -> None:
    answer = desk.get(f"{path}{quote(EVIL, safe='')}", None)
    assert "<script" not in answer.text or "html" not in answer.headers["content-type"]
    if "html" in answer.headers["content-type"]:
        assert "onerror=alert(1)>" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_no_word_of_a_problem_is_taken_for_a_page(desk: Desk) -> None:
    answer = desk.command("acknowledge_alert", {"alert_id": EVIL[:60]})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/json")


# -- paths --------------------------------------------------------------------------------

UP = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..%252f", "....//", "%c0%ae%c0%ae/", "..;/"]


@pytest.mark.parametrize("up", UP)
@pytest.mark.parametrize(
    "start",
    ["/", "/assets/", "/public/", "/log/tile/", "/log/tile/entries/", "/v1/incidents/",
     "/log/receipts/", "/log/timestamps/", "/permit/", "/invitation/"],
)  # fmt: skip
def test_no_path_leads_out_of_its_folder(desk: Desk, start: str, up: str) -> None:
    for depth in (1, 4):
        for file in ("secret.txt", "tokens.json", "data/people.sqlite", "etc/passwd"):
            answer = desk.get(f"{start}{up * depth}{file}")
            assert answer.status_code in {307, 404, 405, 422}, answer.text
            assert answer.headers.get("location", "http://desk/").startswith("http://desk/")
            assert "a secret" not in answer.text
            assert "root:" not in answer.text


# -- bodies -------------------------------------------------------------------------------


def test_a_compressed_body_is_not_unpacked(desk: Desk) -> None:
    bomb = gzip.compress(b"[" + b" " * (4 * MAX_BODY_BYTES) + b"]")
    assert len(bomb) < 100_000
    for path, token in (("/v1/batches", RADAR_TOKEN), ("/v1/commands/assess", OFFICER)):
        answer = desk.request(
            "POST", path, token, content=bomb, headers={"Content-Encoding": "gzip"}
        )
        assert answer.status_code in {400, 415, 422}, answer.text
    form = desk.request("POST", "/sign-in", content=bomb, headers={"Content-Encoding": "gzip"})
    assert form.status_code in {403, 413}


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/commands/assess", "/sign-in", "/people"])
def test_an_oversized_body_is_refused(desk: Desk, path: str) -> None:
    token = {"/v1/batches": RADAR_TOKEN, "/v1/commands/assess": OFFICER}.get(path)
    answer = desk.request("POST", path, token, content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
