"""From the first link to a signed-in officer; and what is refused on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from skykeep.commands.recompute import recompute
from skykeep.core.event import AccountActed
from skykeep.runtime import recorded_input
from skykeep.service.auth import passwords
from skykeep.service.auth.cookies import DEVICE, SESSION
from skykeep.service.auth.pages import own_path
from skykeep.service.auth.people import IDLE_NS, INVITED_NS, LONGEST_NS
from skykeep.service.auth.sign_in import SignIn
from skykeep.service.auth.throttle import KNOWN_NS, MOST_FAILURES, STRANGERS_NS
from skykeep.service.auth.totp import STEP_S, code_at
from skykeep.units import NS_PER_S
from tests.desk import OFFICER, Desk

WORDS = "brass lantern over water"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id at its least: its strength is looked at where it is tested."""
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", weak)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def door(desk: Desk) -> SignIn:
    found: SignIn = desk.app.state.sign_in
    return found


def post(desk: Desk, path: str, headers: dict[str, str] | None = None, **form: str):  # type: ignore[no-untyped-def]
    return desk.request("POST", path, data=form, headers=headers or {})


def code(desk: Desk, login: str) -> str:
    """What the app shows now; the clock goes on, because each serves once."""
    desk.clock.on(STEP_S)
    person = door(desk).people.of(login)
    assert person is not None
    return code_at(person.totp, desk.clock.now_ns // NS_PER_S // STEP_S)


def taken_up(desk: Desk, secret: str, login: str) -> None:
    answer = post(
        desk, f"/invitation/{secret}", password=WORDS, again=WORDS, code=code(desk, login)
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def signed_in(desk: Desk, who: str, **more: str) -> httpx.Response:
    form = {"login": who, "password": WORDS, "code": code(desk, who)} | more
    answer: httpx.Response = post(desk, "/sign-in", **form)
    return answer


def administrator(desk: Desk) -> None:
    secret = door(desk).first_invitation()
    assert secret is not None
    taken_up(desk, secret, "admin")
    assert signed_in(desk, "admin", next="/people").headers["location"] == "/people"


def csrf_of(desk: Desk) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', desk.get("/people", None).text)
    assert found is not None
    return found[1]


def invited(desk: Desk, login: str, roles: str) -> str:
    answer = post(desk, "/people", csrf=csrf_of(desk), name="C. Weber", login=login, roles=roles)
    found = re.search(r"/invitation/([\w-]+)", answer.text)
    assert found is not None, answer.text
    return found[1]


def test_from_the_first_link_to_an_officer_who_acts(desk: Desk) -> None:
    administrator(desk)
    assert door(desk).first_invitation() is None
    secret = invited(desk, "c.weber", "watch_officer")
    desk.client.cookies.clear()
    shown = desk.get(f"/invitation/{secret}", None)
    assert "data:image/png" in shown.text
    taken_up(desk, secret, "c.weber")
    assert desk.get(f"/invitation/{secret}", None).status_code == 404  # it serves once
    answer = signed_in(desk, "c.weber")
    assert answer.status_code == 303
    me = desk.get("/v1/me", None).json()
    assert (me["name"], me["roles"]) == ("C. Weber", ["watch_officer"])
    assert desk.get("/v1/tracks", None).status_code == 200
    assert desk.get("/people", None).status_code == 403  # an officer is no administrator
    body = {"alert_id": "A9"}
    bare = desk.command("acknowledge_alert", body, None)
    assert (bare.status_code, bare.json()["where"]) == (403, "header Skykeep-Csrf")
    sent = desk.request(
        "POST", "/v1/commands/acknowledge_alert", json=body, headers={"Skykeep-Csrf": me["csrf"]}
    )
    assert sent.status_code == 409  # there is no such alert; the person may
    post(desk, "/sign-out")
    assert desk.get("/v1/me", None).status_code == 401


def test_an_administrator_sees_nothing_of_the_sky(desk: Desk) -> None:
    administrator(desk)
    assert desk.get("/v1/tracks", None).status_code == 403
    assert desk.get("/v1/me", None).json()["roles"] == ["administrator"]


def test_cookies_are_for_this_site_alone_and_no_script_reads_them(desk: Desk) -> None:
    secret = door(desk).first_invitation()
    assert secret is not None
    taken_up(desk, secret, "admin")
    set_cookies = signed_in(desk, "admin").headers.get_list("set-cookie")
    assert len(set_cookies) == 3
    for cookie in set_cookies:
        assert "SameSite=strict" in cookie
        assert ("HttpOnly" in cookie) != cookie.startswith("skykeep_in=1;")
    desk.app.state.secure_cookies = True
    assert "Secure" in signed_in(desk, "admin").headers.get_list("set-cookie")[0]


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(desk: Desk) -> None:
    administrator(desk)
    planted = desk.client.cookies[SESSION]
    assert signed_in(desk, "admin").status_code == 303
    assert desk.client.cookies[SESSION] != planted
    desk.client.cookies.clear()
    desk.client.cookies.set(SESSION, planted)
    assert desk.get("/v1/me", None).status_code == 401


@pytest.mark.parametrize("wrong", ["login", "password", "code"])
def test_what_is_wrong_is_not_said(desk: Desk, wrong: str) -> None:
    administrator(desk)
    answer = signed_in(desk, "admin", **{wrong: "000000"})
    assert answer.status_code == 403
    assert "login, password or code is wrong" in answer.text


def test_a_code_serves_once(desk: Desk) -> None:
    administrator(desk)
    shown = code(desk, "admin")
    first = post(desk, "/sign-in", login="admin", password=WORDS, code=shown)
    again = post(desk, "/sign-in", login="admin", password=WORDS, code=shown)
    assert (first.status_code, again.status_code) == (303, 403)


def test_who_floods_the_sign_in_does_not_lock_the_watch_out(desk: Desk) -> None:
    administrator(desk)
    device = desk.client.cookies.get(DEVICE)
    assert device is not None
    desk.client.cookies.clear()
    statuses = [signed_in(desk, "admin", password="x").status_code for _ in range(8)]
    assert statuses == [403] * MOST_FAILURES + [429] * 3
    assert signed_in(desk, "admin").status_code == 429  # a stranger with the right password too
    desk.client.cookies.set(DEVICE, device, path="/sign-in")
    assert signed_in(desk, "admin").status_code == 303
    desk.client.cookies.clear()
    desk.clock.on(STRANGERS_NS / NS_PER_S)
    assert signed_in(desk, "admin").status_code == 303


def test_a_known_desk_waits_a_minute(desk: Desk) -> None:
    administrator(desk)
    for _ in range(MOST_FAILURES):
        desk.clock.now_ns -= STEP_S * NS_PER_S  # all within the minute
        signed_in(desk, "admin", password="x")
    assert signed_in(desk, "admin").status_code == 429
    desk.clock.on(KNOWN_NS / NS_PER_S)
    assert signed_in(desk, "admin").status_code == 303


def test_sessions_end_by_themselves(desk: Desk) -> None:
    administrator(desk)
    desk.clock.on(IDLE_NS / NS_PER_S - 1)
    assert desk.get("/v1/me", None).status_code == 200
    desk.clock.on(IDLE_NS / NS_PER_S + 1)
    assert desk.get("/v1/me", None).status_code == 401
    assert signed_in(desk, "admin").status_code == 303
    for _ in range(int(LONGEST_NS / IDLE_NS) + 1):
        desk.clock.on(IDLE_NS / NS_PER_S - 1)
        last = desk.get("/v1/me", None).status_code
    assert last == 401


def test_an_invitation_does_not_stand_for_ever(desk: Desk) -> None:
    secret = door(desk).first_invitation()
    desk.clock.on(INVITED_NS / NS_PER_S)
    assert desk.get(f"/invitation/{secret}", None).status_code == 404


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"password": "short", "again": "short"}, "password: it has fewer than 10 characters"),
        ({"again": "another thing entirely"}, "again: is not the same"),
        ({"code": "000000"}, "code: is not what the app should show"),
    ],
)
def test_an_invitation_says_what_will_not_do(desk: Desk, form: dict[str, str], words: str) -> None:
    secret = door(desk).first_invitation()
    good = {"password": WORDS, "again": WORDS, "code": code(desk, "admin")}
    answer = post(desk, f"/invitation/{secret}", **(good | form))
    assert answer.status_code == 422
    assert words in answer.text


def test_whoever_is_disabled_is_out_at_once_and_can_be_invited_anew(desk: Desk) -> None:
    administrator(desk)
    taken_up(desk, invited(desk, "c.weber", "watch_officer,viewer"), "c.weber")
    theirs = httpx.AsyncClient(transport=desk.client._transport, base_url="http://desk")
    mine, desk.client = desk.client, theirs
    assert signed_in(desk, "c.weber").status_code == 303
    assert desk.get("/v1/me", None).json()["roles"] == ["watch_officer", "viewer"]
    desk.client = mine
    assert post(desk, "/people/c.weber/disable", csrf=csrf_of(desk)).status_code == 200
    desk.client = theirs
    assert desk.get("/v1/me", None).status_code == 401
    assert signed_in(desk, "c.weber").status_code == 403
    desk.loop.run_until_complete(theirs.aclose())
    desk.client = mine
    again = post(desk, "/people/c.weber/invite", csrf=csrf_of(desk))
    assert "/invitation/" in again.text


def test_the_last_administrator_stays(desk: Desk) -> None:
    administrator(desk)
    answer = post(desk, "/people/admin/disable", csrf=csrf_of(desk))
    assert answer.status_code == 409
    assert "only administrator" in answer.text


def test_forms_of_other_sites_do_nothing(desk: Desk) -> None:
    administrator(desk)
    form = {"name": "E. Vil", "login": "evil", "roles": "administrator", "csrf": csrf_of(desk)}
    for headers in (
        {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
    ):  # fmt: skip
        assert post(desk, "/people", headers, **form).status_code == 403
    assert post(desk, "/people", **(form | {"csrf": "guessed"})).status_code == 403
    assert door(desk).people.of("evil") is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"login": "../x"}, "is no login"),
        ({"login": "admin"}, "admin is taken"),
        ({"name": " "}, "is missing or too long"),
        ({"roles": ""}, "no role is chosen"),
        ({"roles": "sensor"}, "no role is chosen"),
        ({"roles": "king"}, "no role is chosen"),
    ],
)
def test_an_invitation_that_does_not_fit(desk: Desk, form: dict[str, str], words: str) -> None:
    administrator(desk)
    good = {"csrf": csrf_of(desk), "name": "X", "login": "x", "roles": "watch_officer"}
    answer = post(desk, "/people", **(good | form))
    assert answer.status_code == 422
    assert words in answer.text


def test_no_name_becomes_script(desk: Desk) -> None:
    administrator(desk)
    name = '"><script>alert(1)</script>'
    post(desk, "/people", csrf=csrf_of(desk), name=name, login="x", roles="watch_officer")
    shown = desk.get("/people", None)
    assert "<script" not in shown.text
    assert "&lt;script&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\n"],
)
def test_after_signing_in_nobody_is_sent_elsewhere(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/people?x=1#y") == "/people?x=1#y"


def test_a_token_needs_no_csrf(desk: Desk) -> None:
    administrator(desk)
    assert desk.command("acknowledge_alert", {"alert_id": "A9"}, OFFICER).status_code == 409


def test_nobody_but_the_keeper_reads_the_file(desk: Desk) -> None:
    path = desk.writer.folder / "people.sqlite"
    assert path.stat().st_mode & 0o077 == 0
    secret = door(desk).first_invitation()
    assert secret is not None
    kept = b"".join(f.read_bytes() for f in desk.writer.folder.glob("people.sqlite*"))
    assert secret.encode() not in kept


def test_every_act_is_an_entry_that_recomputes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    administrator(desk)
    taken_up(desk, invited(desk, "c.weber", "watch_officer"), "c.weber")
    for _ in range(MOST_FAILURES):
        signed_in(desk, "c.weber", password="x")
    post(desk, "/people/c.weber/disable", csrf=csrf_of(desk))
    post(desk, "/sign-out")
    recorded = desk.writer.look()
    assert recorded is not None
    acts = [
        (item.actor.name, item.act, item.login)
        for placed in recorded.store.entries()
        if isinstance(item := recorded_input(recorded.store, placed), AccountActed)
    ]
    assert acts == [
        ("the first administrator", "took up the invitation", "admin"),
        ("the first administrator", "signed in", "admin"),
        ("the first administrator", "invited as watch_officer", "c.weber"),
        ("C. Weber", "took up the invitation", "c.weber"),
        ("strangers", "was refused too often", "c.weber"),
        ("the first administrator", "disabled the account", "c.weber"),
        ("the first administrator", "signed out", "admin"),
    ]
    desk.close()
    assert recompute(desk.writer.folder).faults == []
