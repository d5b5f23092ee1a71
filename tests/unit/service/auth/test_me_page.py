"""A person's own page: what it shows, and what it changes only for its owner."""

from __future__ import annotations

import re

import httpx
import pytest

from skykeep.core.event import AccountActed
from skykeep.runtime import recorded_input
from skykeep.service.auth.cookies import SESSION
from skykeep.service.auth.sign_in import NEW_APP_NS
from skykeep.service.auth.throttle import KNOWN_NS, MOST_FAILURES
from skykeep.service.auth.totp import STEP_S, code_at
from skykeep.units import NS_PER_S
from tests.desk import Desk
from tests.unit.service.auth.test_pages import (
    WORDS,
    administrator,
    code,
    desk,
    door,
    post,
    quick,
    signed_in,
)

__all__ = ["desk", "quick"]

NEW = "copper kettle by the door"


def shown(desk: Desk) -> str:
    answer = desk.get("/me", None)
    assert answer.status_code == 200
    return answer.text


def csrf(desk: Desk) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', shown(desk))
    assert found is not None
    return found[1]


def sent(desk: Desk, path: str, **form: str) -> httpx.Response:
    proof = {"csrf": csrf(desk), "password": WORDS, "code": code(desk, "admin")}
    answer: httpx.Response = post(desk, f"/me/{path}", **(proof | form))
    return answer


def acts(desk: Desk) -> list[str]:
    recorded = desk.writer.look()
    assert recorded is not None
    items = (recorded_input(recorded.store, placed) for placed in recorded.store.entries())
    return [item.act for item in items if isinstance(item, AccountActed)]


def test_it_shows_who_one_is_and_where_one_is_signed_in(desk: Desk) -> None:
    asked = desk.get("/me", None)
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/me")
    administrator(desk)
    other = desk.client.cookies[SESSION]
    desk.client.cookies.clear()
    desk.clock.on(3_600.0)
    signed_in(desk, "admin")
    page = shown(desk)
    assert "the first administrator" in page
    assert "administrator." in page
    assert page.count("<tr>") == 3  # a head, two sessions
    assert page.count("this one") == 1
    assert other not in page
    assert desk.client.cookies[SESSION] not in page
    assert "<script" not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 6


def test_another_password_ends_every_session(desk: Desk) -> None:
    administrator(desk)
    answer = sent(desk, "password", new=NEW, again=NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/me")
    assert door(desk).people.sessions_of("admin") == ()
    assert desk.get("/v1/me", None).status_code == 401
    assert signed_in(desk, "admin").status_code == 403
    assert signed_in(desk, "admin", password=NEW).status_code == 303
    assert acts(desk)[-2:] == ["changed the password", "signed in"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"password": "wrong"}, "password or code: is wrong"),
        ({"code": "000000"}, "password or code: is wrong"),
        ({"new": "short", "again": "short"}, "it has fewer than 10 characters"),
        ({"again": "something else entirely"}, "again: is not the same"),
    ],
)
def test_what_will_not_do_changes_nothing(
    desk: Desk,
    form: dict[str, str],
    words: str,
) -> None:
    administrator(desk)
    before = door(desk).people.of("admin")
    assert before is not None
    answer = sent(desk, "password", **({"new": NEW, "again": NEW} | form))
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    after = door(desk).people.of("admin")
    assert after is not None
    assert (after.password, after.totp) == (before.password, before.totp)
    assert desk.get("/v1/me", None).status_code == 200


def test_who_finds_a_session_open_does_not_guess_for_long(desk: Desk) -> None:
    administrator(desk)
    for _ in range(MOST_FAILURES):
        desk.clock.now_ns -= STEP_S * NS_PER_S
        assert "is wrong" in sent(desk, "app", password="x").text
    desk.clock.now_ns -= STEP_S * NS_PER_S
    assert "was wrong too often" in sent(desk, "app").text
    assert acts(desk)[-1] == "was refused too often"
    assert signed_in(desk, "admin").status_code == 303  # the owner gets in all the same
    desk.clock.on(KNOWN_NS / NS_PER_S)
    assert sent(desk, "app").status_code == 200


def test_another_app(desk: Desk) -> None:
    administrator(desk)
    before = door(desk).people.of("admin")
    assert before is not None
    page = sent(desk, "app").text
    assert "data:image/png" in page
    kept = door(desk).people.of("admin")
    assert kept is not None
    assert kept.totp == before.totp  # not before the new app has shown that it works
    old = sent(desk, "app/code")  # a code of the old app
    assert (old.status_code, "is not what the new app should show" in old.text) == (422, True)
    secret = door(desk).begun_app(kept)
    fresh = code_at(secret, desk.clock.now_ns // NS_PER_S // STEP_S)
    assert sent(desk, "app/code", code="000000").status_code == 422
    assert post(desk, "/me/app/code", csrf=csrf(desk), code=fresh).status_code == 303
    assert desk.get("/v1/me", None).status_code == 401
    now = door(desk).people.of("admin")
    assert now is not None
    assert now.totp == secret
    again = post(desk, "/sign-in", login="admin", password=WORDS, code=fresh)
    assert again.status_code == 403  # a code serves once, the first one too
    assert signed_in(desk, "admin").status_code == 303
    assert "changed the authenticator app" in acts(desk)


def test_an_app_is_set_up_within_a_quarter_of_an_hour(desk: Desk) -> None:
    administrator(desk)
    assert "was not begun" in sent(desk, "app/code").text
    sent(desk, "app")
    desk.clock.on(NEW_APP_NS / NS_PER_S)
    assert "too long ago" in sent(desk, "app/code").text


def test_signing_out_everywhere(desk: Desk) -> None:
    administrator(desk)
    other = desk.client.cookies[SESSION]
    desk.client.cookies.clear()
    signed_in(desk, "admin")
    assert sent(desk, "sign-out-everywhere").status_code == 303
    assert not door(desk).stands(other)
    assert door(desk).people.sessions_of("admin") == ()
    assert acts(desk)[-1] == "signed out everywhere"


@pytest.mark.parametrize("path", ["password", "app", "app/code", "sign-out-everywhere"])
def test_forms_of_others_do_nothing(desk: Desk, path: str) -> None:
    administrator(desk)
    for said in ("", "guessed", "\N{SNOWMAN}"):
        assert sent(desk, path, csrf=said, new=NEW, again=NEW).status_code == 403
    form = {"csrf": csrf(desk), "password": WORDS, "code": code(desk, "admin")}
    foreign = post(desk, f"/me/{path}", {"Origin": "http://evil.example"}, **form)
    assert foreign.status_code == 403
    assert desk.get("/v1/me", None).status_code == 200
    desk.client.cookies.clear()
    assert post(desk, f"/me/{path}", **form).status_code == 401
