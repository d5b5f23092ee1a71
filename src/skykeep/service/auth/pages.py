"""Signing in and out, invitations, the administrator's list of people: HTML without script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import segno
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skykeep.codec.moment import format_moment
from skykeep.errors import DecisionError, InputError
from skykeep.service.auth import totp
from skykeep.service.auth.cookies import (
    DEVICE,
    SESSION,
    cookie_of,
    end_session,
    set_device,
    set_session,
)
from skykeep.service.auth.people import AccountState, Person
from skykeep.service.auth.sign_in import Denied, SignIn, checked_login
from skykeep.service.problems import Refused
from skykeep.service.tokens import Holder, Role
from skykeep.service.web_socket import foreign_origin

router = APIRouter(include_in_schema=False)

MAX_FORM_BYTES = 10_000
HOME = "/"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",  # an invitation's address is a secret
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STYLE = """:root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;
max-width:44rem;margin:2rem auto;padding:0 1rem}main.narrow{max-width:24rem;margin:auto}
label{display:block;margin:.8rem 0 .2rem;font-weight:600}input,button,select{font:inherit}
input[type=text],input[type=password]{width:100%;box-sizing:border-box;padding:.5rem}
button{padding:.5rem 1rem;margin:.6rem .4rem .2rem 0}.problem{border-left:4px solid #c22;
padding:.3rem .8rem}.hint{opacity:.8;font-size:.9rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.35rem .5rem;border-bottom:1px solid #8886;vertical-align:top}
code{word-break:break-all}fieldset{border:1px solid #8886;margin:.8rem 0}
img.qr{background:#fff;padding:.5rem;image-rendering:pixelated}"""
#: What each role may do, for whoever gives it.
ROLE_WORDS = {
    Role.VIEWER: "sees the picture, without names",
    Role.WATCH_OFFICER: "works the watch: alerts, incidents, hand-over",
    Role.SHIFT_LEAD: "the same, and shelves for long, ends an exercise",
    Role.PERMIT_OFFICER: "declares zones, grants permits",
    Role.EVIDENCE_OFFICER: "sees who looked at what, and what the record covers",
    Role.ADMINISTRATOR: "invites people and gives roles; sees nothing of the sky by that",
}


def page(title: str, body: str, status: int = 200, *, narrow: bool = True) -> HTMLResponse:
    """A whole page."""
    width = ' class="narrow"' if narrow else ""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        '</title><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body><main{width}><h1>{escape(title)}</h1>{body}"
        "</main></body></html>"
    )
    return HTMLResponse(html, status, HEADERS)


def door(request: Request) -> SignIn:
    """The site's door."""
    found: SignIn = request.app.state.sign_in
    return found


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a posted form; 403 for one that another site made, 413 for a large one."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if foreign_origin(request.scope) or site not in ("same-origin", "none") or origin == "null":
        raise Refused(403, "header Origin", "the form comes from elsewhere", "Use this site's own")
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise Refused(413, "body", f"is over {MAX_FORM_BYTES} bytes", "Use the form")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=40)
    return {name: ",".join(values) for name, values in fields.items()}


def form_field(name: str, label: str, kind: str = "text", of: str = "", **more: str) -> str:
    """A field under its label; `of` tells apart what has the same name in another form."""
    extra = "".join(f' {key.replace("_", "-")}="{escape(value)}"' for key, value in more.items())
    return (
        f'<label for="{of}{name}">{escape(label)}</label>'
        f'<input id="{of}{name}" name="{name}" type="{kind}" required{extra}>'
    )


def problem_line(words: str) -> str:
    """What went wrong, at the top of a page."""
    return f'<p class="problem" role="alert">{escape(words)}</p>' if words else ""


def _sign_in_page(next_path: str, words: str = "", status: int = 200) -> HTMLResponse:
    body = (
        f'{problem_line(words)}<form method="post" action="/sign-in">'
        f'<input type="hidden" name="next" value="{escape(next_path)}">'
        + form_field("login", "Login", autocomplete="username", autofocus="autofocus")
        + form_field("password", "Password", "password", autocomplete="current-password")
        + form_field(
            "code",
            "Code of your authenticator app",
            inputmode="numeric",
            autocomplete="one-time-code",
        )
        + "<button>Sign in</button></form>"
        '<p class="hint">Lost your phone or password? An administrator invites you anew.</p>'
    )
    return page("Skykeep", body, status)


def own_path(path: str) -> str:
    """Where to go after; another site's address, or none, becomes the home page."""
    parts = urlsplit(path)
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_own and not parts.netloc and len(path) < 500 and path.isprintable() else HOME


@router.get("/sign-in")
async def get_sign_in(
    next_path: Annotated[str, Query(alias="next", max_length=500)] = HOME,
) -> HTMLResponse:
    """The form."""
    return _sign_in_page(own_path(next_path))


@router.post("/sign-in")
async def post_sign_in(request: Request) -> Response:
    """A password and a code; the session has a new id, whatever the browser carried before."""
    form = await form_of(request)
    sign_in = door(request)
    before = cookie_of(request.scope, SESSION)
    got = await sign_in.sign_in(
        form.get("login", "")[:100], form.get("password", "")[:1_000], form.get("code", "")[:20],
        cookie_of(request.scope, DEVICE)[:100],
    )  # fmt: skip
    next_path = own_path(form.get("next", HOME))
    if isinstance(got, Denied):
        wait = f"; try again in {-(-got.wait_s // 60)} min" if got.wait_s else ""
        answer = _sign_in_page(next_path, got.words + wait, 429 if got.wait_s else 403)
        if got.wait_s:
            answer.headers["Retry-After"] = str(got.wait_s)
        return answer
    if before:
        sign_in.people.end(before)
    response = RedirectResponse(next_path, 303, HEADERS)
    secure = request.app.state.secure_cookies
    set_session(response, got.cookie, secure=secure)
    if got.device is not None:
        set_device(response, got.device, secure=secure)
    return response


@router.post("/sign-out")
async def post_sign_out(request: Request) -> Response:
    """End the session."""
    await form_of(request)
    await door(request).sign_out(cookie_of(request.scope, SESSION))
    response = RedirectResponse("/sign-in", 303, HEADERS)
    end_session(response)
    return response


Secret = Annotated[str, Path(max_length=100)]


@router.get("/invitation/{secret}")
async def get_invitation(request: Request, secret: Secret) -> HTMLResponse:
    """What an invited person fills in."""
    return _invitation_page(request, secret)


def _invitation_page(request: Request, secret: str, words: str = "") -> HTMLResponse:
    sign_in = door(request)
    person = sign_in.people.invited(secret, sign_in.clock())
    if person is None:
        body = "<p>This invitation was taken up already, or its time is over. Ask an administrator"
        return page("No invitation", body + " for a new one.</p>", 404)
    site = request.app.state.writer.site.name
    address = totp.address_of(person.totp, person.login, f"Skykeep {site}")
    body = (
        f"{problem_line(words)}<p>You are invited as <b>{escape(person.name)}</b>, login "
        f"<b>{escape(person.login)}</b>, to {escape(site)}.</p>"
        f'<form method="post" action="/invitation/{escape(secret)}">'
        + form_field(
            "password",
            "Choose a password (10 characters or more)",
            "password",
            autocomplete="new-password",
            minlength="10",
        )
        + form_field("again", "The password again", "password", autocomplete="new-password")
        + f'<p>Scan this with an authenticator app:</p><p><img class="qr" alt="QR code of the '
        f'secret below" src="{qr_of(address)}"></p>'
        f'<p class="hint">Or type it: <code>{escape(spelled(address))}</code></p>'
        + form_field(
            "code",
            "The code that the app shows now",
            inputmode="numeric",
            autocomplete="one-time-code",
        )
        + "<button>Take up the invitation</button></form>"
    )
    return page("Your account", body, 422 if words else 200)


def qr_of(address: str) -> str:
    """An address as a picture to scan."""
    return segno.make(address, error="m").png_data_uri(scale=4)


def spelled(address: str) -> str:
    """The secret in an address, to be typed."""
    secret = parse_qs(urlsplit(address).query)["secret"][0]
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@router.post("/invitation/{secret}")
async def post_invitation(request: Request, secret: Secret) -> Response:
    """Take it up; then they sign in."""
    form = await form_of(request)
    try:
        await door(request).accept(
            secret, form.get("password", "")[:1_000], form.get("again", "")[:1_000],
            form.get("code", "")[:20],
        )  # fmt: skip
    except InputError as error:
        return _invitation_page(request, secret, f"{error.where}: {error.problem}. {error.mend}")
    except DecisionError as error:
        return _invitation_page(request, secret, str(error))
    return RedirectResponse("/sign-in", 303, HEADERS)


# -- the administrator's list -------------------------------------------------------------


def _administrator(request: Request) -> tuple[Holder, str]:
    """Who asks, signed in as one; and what their forms say beside the cookie."""
    sign_in = door(request)
    found = sign_in.people.session(cookie_of(request.scope, SESSION), sign_in.clock())
    if found is None:
        raise Refused(401, "/people", "nobody is signed in", "Sign in: /sign-in?next=/people")
    person, session = found
    if Role.ADMINISTRATOR not in person.roles:
        words = f"{person.name} is no administrator"
        raise Refused(403, "/people", words, "Ask one who is")
    return Holder("", person.name, Role.ADMINISTRATOR), session.csrf


@router.get("/people")
async def get_people(request: Request) -> Response:
    """Everybody who has an account, and a form for one more."""
    if not cookie_of(request.scope, SESSION):
        return RedirectResponse("/sign-in?next=/people", 303, HEADERS)
    _, csrf = _administrator(request)
    return _people_page(door(request), csrf)


def _people_page(
    sign_in: SignIn, csrf: str, words: str = "", link: str = "", status: int = 200
) -> HTMLResponse:
    rows = "".join(_row(person, csrf, sign_in.clock()) for person in sign_in.people.all())
    told = ""
    if link:
        told = (
            "<p>The invitation's link, shown once. Hand it over by a way that only they read:</p>"
            f"<p><code>{escape(link)}</code></p>"
        )
    roles = "".join(
        f'<label><input type="checkbox" name="roles" value="{role}"> {role.replace("_", " ")}'
        f' <span class="hint">{escape(said)}</span></label>'
        for role, said in ROLE_WORDS.items()
    )
    body = (
        f"{problem_line(words)}{told}<table><thead><tr><th>Name</th><th>Login</th><th>Roles</th>"
        f"<th>State</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
        f'<form method="post" action="/people"><fieldset><legend>Invite somebody</legend>'
        f'<input type="hidden" name="csrf" value="{csrf}">'
        + form_field("name", "Name")
        + form_field("login", "Login", autocapitalize="none")
        + f"{roles}<button>Invite</button></fieldset></form>"
        '<p><a href="/me">Your own account</a></p>'
        '<form method="post" action="/sign-out"><button>Sign out</button></form>'
    )
    return page("People", body, status, narrow=False)


def _row(person: Person, csrf: str, now_ns: int) -> str:
    state = person.state.value
    if person.state is AccountState.INVITED:
        over = "over" if now_ns >= person.invited_until_ns else "until"
        state += f" ({over} {format_moment(person.invited_until_ns)[:16]} UTC)"
    forms = ""
    for name, words in (("invite", "Invite anew"), ("disable", "Disable")):
        if name == "disable" and person.state is AccountState.DISABLED:
            continue
        forms += (
            f'<form method="post" action="/people/{escape(person.login)}/{name}">'
            f'<input type="hidden" name="csrf" value="{csrf}"><button>{words}</button></form>'
        )
    roles = ", ".join(role.replace("_", " ") for role in person.roles)
    return (
        f"<tr><td>{escape(person.name)}</td><td>{escape(person.login)}</td><td>{roles}</td>"
        f"<td>{state}</td><td>{forms}</td></tr>"
    )


async def _administrators_form(request: Request) -> tuple[Holder, str, Mapping[str, str]]:
    form = await form_of(request)
    holder, csrf = _administrator(request)
    if form.get("csrf") != csrf:
        raise Refused(403, "csrf", "is not this session's", "Open the page again")
    return holder, csrf, form


@router.post("/people")
async def post_people(request: Request) -> Response:
    """Invite somebody new."""
    holder, csrf, form = await _administrators_form(request)
    sign_in = door(request)
    try:
        login = checked_login(form.get("login", ""))
        if sign_in.people.of(login) is not None:
            raise InputError("login", f"{login} is taken", "Choose another, or invite it anew")
        name = form.get("name", "").strip()
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise InputError("name", "is missing or too long", "Give up to 100 characters")
        roles = roles_of(form.get("roles", ""))
        secret = sign_in.people.invite(login, name, roles, sign_in.clock())
    except (InputError, DecisionError) as error:
        return _people_page(sign_in, csrf, str(error), status=422)
    await sign_in.note(holder.name, f"invited as {', '.join(roles)}", login)
    return _people_page(sign_in, csrf, link=_link(request, secret))


def roles_of(text: str) -> list[Role]:
    """Roles from a form; InputError where there is none, or one that people cannot have."""
    try:
        roles = [Role(word) for word in text.split(",") if word]
    except ValueError:
        roles = []
    if not roles or not set(roles) <= set(ROLE_WORDS):
        raise InputError("roles", "no role is chosen", "Choose one or more")
    return list(dict.fromkeys(roles))


def _link(request: Request, secret: str) -> str:
    return f"{request.base_url}invitation/{secret}"


Login = Annotated[str, Path(max_length=64)]


@router.post("/people/{login}/{what}")
async def post_person(request: Request, login: Login, what: str) -> Response:
    """Invite anew, or disable; the last administrator is not disabled."""
    holder, csrf, _ = await _administrators_form(request)
    sign_in = door(request)
    person = sign_in.people.of(login)
    if person is None or what not in ("invite", "disable"):
        raise Refused(404, request.url.path, "there is no such account or act", "Open /people")
    others = [
        other
        for other in sign_in.people.all()
        if other.login != login
        and other.state is AccountState.ACTIVE
        and Role.ADMINISTRATOR in other.roles
    ]
    if Role.ADMINISTRATOR in person.roles and not others:
        words = "this is the only administrator: invite another first"
        return _people_page(sign_in, csrf, words, status=409)
    try:
        if what == "disable":
            sign_in.people.disable(login)
            await sign_in.note(holder.name, "disabled the account", login)
            return _people_page(sign_in, csrf)
        secret = sign_in.people.invite(login, person.name, person.roles, sign_in.clock())
    except DecisionError as error:
        return _people_page(sign_in, csrf, str(error), status=409)
    await sign_in.note(holder.name, "invited anew", login)
    return _people_page(sign_in, csrf, link=_link(request, secret))
