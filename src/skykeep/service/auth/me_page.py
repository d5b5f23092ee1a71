"""`/me`: a person's own account, password and authenticator app; HTML without script."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skykeep.codec.moment import format_moment
from skykeep.errors import DecisionError, InputError
from skykeep.service.auth import totp
from skykeep.service.auth.cookies import SESSION, cookie_of, end_session
from skykeep.service.auth.pages import (
    HEADERS,
    door,
    form_field,
    form_of,
    page,
    problem_line,
    qr_of,
    spelled,
)
from skykeep.service.auth.people import Person, Session
from skykeep.service.problems import Refused
from skykeep.service.tokens import Role

router = APIRouter(include_in_schema=False)

PATH = "/me"


def _signed_in(request: Request) -> tuple[Person, Session]:
    sign_in = door(request)
    found = sign_in.people.session(cookie_of(request.scope, SESSION), sign_in.clock())
    if found is None:
        raise Refused(401, PATH, "nobody is signed in", f"Sign in: /sign-in?next={PATH}")
    return found


async def _own_form(request: Request) -> tuple[Person, Session, Mapping[str, str]]:
    form = await form_of(request)
    person, session = _signed_in(request)
    if not hmac.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
        raise Refused(403, "csrf", "is not this session's", "Open the page again")
    return person, session, form


@router.get(PATH)
async def get_me_page(request: Request) -> Response:
    """The own account."""
    try:
        person, session = _signed_in(request)
    except Refused:
        return RedirectResponse(f"/sign-in?next={PATH}", 303, HEADERS)
    return _page(request, person, session)


@router.post(f"{PATH}/password")
async def post_password(request: Request) -> Response:
    """Another password; whoever is signed in with the account signs in again."""
    person, session, form = await _own_form(request)
    password, code = _proof(form)
    new, again = (form.get(name, "")[:1_000] for name in ("new", "again"))
    try:
        await door(request).change_password(person, password, code, new, again)
    except (InputError, DecisionError) as error:
        return _page(request, person, session, str(error))
    return _out()


@router.post(f"{PATH}/app")
async def post_app(request: Request) -> Response:
    """Begin with another authenticator app: its secret is shown."""
    person, session, form = await _own_form(request)
    try:
        secret = await door(request).begin_app(person, *_proof(form))
    except InputError as error:
        return _page(request, person, session, str(error))
    return _app_page(request, person, session, secret)


@router.post(f"{PATH}/app/code")
async def post_app_code(request: Request) -> Response:
    """The new app shows its first code: it is the account's from now on."""
    person, session, form = await _own_form(request)
    sign_in = door(request)
    try:
        secret = sign_in.begun_app(person)
    except InputError as error:
        return _page(request, person, session, str(error))
    try:
        await sign_in.finish_app(person, form.get("code", "")[:20])
    except (InputError, DecisionError) as error:
        return _app_page(request, person, session, secret, str(error))
    return _out()


@router.post(f"{PATH}/sign-out-everywhere")
async def post_sign_out_everywhere(request: Request) -> Response:
    """End every session of the account, this one too."""
    person, _, _ = await _own_form(request)
    sign_in = door(request)
    sign_in.people.end_all(person.login)
    await sign_in.note(person.name, "signed out everywhere", person.login)
    return _out()


def _proof(form: Mapping[str, str]) -> tuple[str, str]:
    return form.get("password", "")[:1_000], form.get("code", "")[:20]


def _out() -> Response:
    response = RedirectResponse(f"/sign-in?next={PATH}", 303, HEADERS)
    end_session(response)
    return response


def _page(request: Request, person: Person, session: Session, words: str = "") -> HTMLResponse:
    sign_in = door(request)
    held = [s for s in sign_in.people.sessions_of(person.login) if not s.over(sign_in.clock())]
    rows = "".join(
        f"<tr><td>{_minute(s.begun_ns)}</td><td>{_minute(s.seen_ns)}</td>"
        f"<td>{'this one' if s.csrf == session.csrf else ''}</td></tr>"
        for s in held
    )
    roles = ", ".join(role.replace("_", " ") for role in person.roles)
    people = '<p><a href="/people">Accounts</a></p>' if Role.ADMINISTRATOR in person.roles else ""
    body = (
        f"{problem_line(words)}<p><b>{escape(person.name)}</b>, login <b>{escape(person.login)}</b>"
        f': {roles}.</p><p><a href="/">The watch page</a></p>{people}<h2>Signed in</h2>'
        "<table><thead><tr><th>Since (UTC)</th><th>Last seen</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        + _form(session, "sign-out-everywhere", "", "Sign out everywhere")
        + "<h2>Password</h2>"
        + _form(session, "password", _proof_fields("p") + _new_fields(), "Change the password")
        + "<h2>Authenticator app</h2>"
        + _form(session, "app", _proof_fields("a"), "Set up another app")
        + '<p class="hint">After either change everybody who is signed in with this account '
        "signs in again.</p>"
    )
    return page("Your account", body, 422 if words else 200, narrow=False)


def _form(session: Session, path: str, inner: str, button: str) -> str:
    return (
        f'<form method="post" action="{PATH}/{path}">'
        f'<input type="hidden" name="csrf" value="{escape(session.csrf)}">{inner}'
        f"<button>{button}</button></form>"
    )


def _proof_fields(of: str) -> str:
    """The present password and a code; an id occurs once in a page, so each form has its own."""
    return form_field(
        "password", "Your present password", "password", of, autocomplete="current-password"
    ) + form_field(
        "code", "Code of your authenticator app", "text", of, inputmode="numeric",
        autocomplete="one-time-code",
    )  # fmt: skip


def _new_fields() -> str:
    chosen = form_field(
        "new", "The new password (10 characters or more)", "password",
        autocomplete="new-password", minlength="10",
    )  # fmt: skip
    return chosen + form_field(
        "again", "The new password again", "password", autocomplete="new-password"
    )


def _app_page(
    request: Request, person: Person, session: Session, secret: bytes, words: str = ""
) -> HTMLResponse:
    address = totp.address_of(secret, person.login, f"Skykeep {request.app.state.writer.site.name}")
    inner = (
        '<p>Scan this with the new app:</p><p><img class="qr" alt="QR code of the secret below" '
        f'src="{qr_of(address)}"></p><p class="hint">Or type it: '
        f"<code>{escape(spelled(address))}</code></p>"
        + form_field(
            "code", "The code that the new app shows now", inputmode="numeric",
            autocomplete="one-time-code",
        )
    )  # fmt: skip
    body = problem_line(words) + _form(session, "app/code", inner, "Use this app from now on")
    return page("Another app", body + '<p><a href="/me">Back</a></p>', 422 if words else 200)


def _minute(at_ns: int) -> str:
    return format_moment(at_ns)[:16].replace("T", " ")
