"""Signing in: password and code, in a time that tells nothing, at a pace that bounds guesses."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skykeep.core.event import AccountActed, Actor
from skykeep.errors import InputError
from skykeep.service import log
from skykeep.service.auth import passwords, totp
from skykeep.service.auth.people import AccountState, People, Person, Session
from skykeep.service.auth.throttle import Throttle
from skykeep.service.tokens import Role
from skykeep.service.writer import UnavailableError, Writer
from skykeep.units import NS_PER_S

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
#: Each takes 64 MiB. Desks that are known have a lane of their own: strangers cannot fill it.
HASHES_AT_ONCE, HASHES_WAITING = 1, 20
#: Tries at the own page are counted as those of a browser of this name: a minute's wait.
OWN_PAGE = "own page"
#: To scan a picture and type a code.
NEW_APP_NS = 15 * 60 * NS_PER_S
WRONG = "login, password or code is wrong"

#: What is told of an act: who acts, what was done, to whose account.
Note = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """It went well: what the two cookies carry; `device` is None where the browser was known."""

    person: Person
    session: Session
    cookie: str
    device: str | None


@dataclass(frozen=True, slots=True)
class Denied:
    """It did not; `wait_s` until it makes sense to try again, 0 at once."""

    words: str
    wait_s: int = 0


class _Lane:
    """A few hashes at once; who would wait too long is told so."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(HASHES_AT_ONCE)
        self.waiting = 0

    async def fits(self, kept: str, password: str) -> bool | None:
        """Whether the password is the one that is kept; None where too many wait."""
        if self.waiting >= HASHES_WAITING:
            return None
        self.waiting += 1
        try:
            async with self._at_once:
                return await asyncio.to_thread(passwords.fits, kept, password)
        finally:
            self.waiting -= 1


class SignIn:
    """The door of one site."""

    def __init__(self, people: People, clock: Callable[[], int], note: Note) -> None:
        self.people, self.clock, self.note = people, clock, note
        self.throttle = Throttle()
        self._known, self._strangers = _Lane(), _Lane()
        #: Apps that are being set up: the secret that was shown, and until when it may be used.
        self._apps: dict[str, tuple[bytes, int]] = {}

    async def sign_in(self, login: str, password: str, code: str, device: str) -> SignedIn | Denied:
        """Try to sign in; `device` is what the browser's own cookie carries, if any."""
        login, now_ns = login.strip().lower(), self.clock()
        known = bool(device) and self.people.knows_device(login, device, now_ns)
        counted = device if known else ""
        wait_ns = self.throttle.wait_ns(login, counted, now_ns)
        if wait_ns:
            return Denied("too many tries", -(-wait_ns // NS_PER_S))
        person = self.people.of(login)
        active = person is not None and person.state is AccountState.ACTIVE
        kept = person.password if person is not None and active else passwords.NOBODY
        lane = self._known if known else self._strangers
        right = await lane.fits(kept, password)
        if right is None:
            return Denied("too many sign in at once", 5)
        step = None
        if person is not None:
            step = totp.step_of(code, person.totp, now_ns, person.totp_step)
        # Looked at anew: while the hash was at work another may have used the code.
        if person is None or not active or not right or step is None:
            return await self._wrong(login, counted, now_ns, person)
        if not self.people.use_step(person, step):
            return await self._wrong(login, counted, now_ns, person)
        self.throttle.succeeded(login, counted)
        cookie, session = self.people.begin(login, now_ns)
        new_device = None
        if known:
            self.people.see_device(device, now_ns)
        else:
            new_device = self.people.know_device(login, now_ns)
        await self.note(person.name, "signed in", login)
        return SignedIn(person, session, cookie, new_device)

    async def _wrong(self, login: str, device: str, now_ns: int, person: Person | None) -> Denied:
        last = self.throttle.failed(login, device, now_ns)
        if last and person is not None:
            where = "a known browser" if device else "strangers"
            await self.note(where, "was refused too often", login)
        return Denied(WRONG)

    async def prove(self, person: Person, password: str, code: str) -> None:
        """That it is the account's owner who sits at a session: InputError where it is not.

        Guesses are counted apart from signing in, so that who found a session open cannot keep
        its owner out.
        """
        now_ns, mend = self.clock(), "Type your present password and what the app shows now"
        wait_ns = self.throttle.wait_ns(person.login, OWN_PAGE, now_ns)
        if wait_ns:
            wait = f"Try again in {-(-wait_ns // NS_PER_S)} s"
            raise InputError("password or code", "was wrong too often", wait)
        right = await self._known.fits(person.password, password)
        if right is None:
            raise InputError("password", "cannot be checked just now", "Try again in 5 s")
        step = totp.step_of(code, person.totp, now_ns, person.totp_step)
        if not right or step is None or not self.people.use_step(person, step):
            if self.throttle.failed(person.login, OWN_PAGE, now_ns):
                await self.note(person.name, "was refused too often", person.login)
            raise InputError("password or code", "is wrong", mend)
        self.throttle.succeeded(person.login, OWN_PAGE)

    async def change_password(
        self, person: Person, password: str, code: str, new: str, again: str
    ) -> None:
        """Another password, by the owner; InputError names the field that will not do."""
        chosen = passwords.problem_of(new, person.login)
        if chosen:
            raise InputError("new password", chosen, "Choose another")
        if passwords.normal(new) != passwords.normal(again):
            raise InputError("again", "is not the same as the new password", "Type it again")
        await self.prove(person, password, code)
        kept = await asyncio.to_thread(passwords.hash_of, new)
        self.people.set_password(person, kept)
        await self.note(person.name, "changed the password", person.login)

    async def begin_app(self, person: Person, password: str, code: str) -> bytes:
        """The secret of another authenticator app, which `finish_app` then takes up."""
        await self.prove(person, password, code)
        now_ns = self.clock()
        self._apps = {k: kept for k, kept in self._apps.items() if now_ns < kept[1]}
        secret = secrets.token_bytes(totp.SECRET_BYTES)
        self._apps[person.login] = (secret, now_ns + NEW_APP_NS)
        return secret

    def begun_app(self, person: Person) -> bytes:
        """The secret that was shown; InputError where none was, or too long ago."""
        secret, until_ns = self._apps.get(person.login, (b"", 0))
        if self.clock() >= until_ns:
            raise InputError("authenticator app", "was not begun, or too long ago", "Begin again")
        return secret

    async def finish_app(self, person: Person, code: str) -> None:
        """The new app shows this code: it is the account's from now on."""
        secret = self.begun_app(person)
        step = totp.step_of(code, secret, self.clock(), 0)
        if step is None:
            mend = "Scan the picture and type what the new app shows now"
            raise InputError("code", "is not what the new app should show", mend)
        self.people.set_app(person, secret, step)
        del self._apps[person.login]
        await self.note(person.name, "changed the authenticator app", person.login)

    def stands(self, cookie: str) -> bool:
        """Whether a cookie's session lets somebody in now."""
        return self.people.session(cookie, self.clock()) is not None

    async def sign_out(self, cookie: str) -> None:
        """End a session, if it is one."""
        found = self.people.session(cookie, self.clock())
        if found is not None:
            self.people.end(cookie)
            await self.note(found[0].name, "signed out", found[0].login)

    async def accept(self, secret: str, password: str, again: str, code: str) -> Person:
        """Take up an invitation; InputError names the field that will not do."""
        now_ns = self.clock()
        person = self.people.invited(secret, now_ns)
        if person is None:
            mend = "Ask an administrator for a new one"
            raise InputError("link", "is none that stands", mend)
        problem = passwords.problem_of(password, person.login)
        if problem:
            raise InputError("password", problem, "Choose another")
        if passwords.normal(password) != passwords.normal(again):
            raise InputError("again", "is not the same as the password", "Type it again")
        step = totp.step_of(code, person.totp, now_ns, 0)
        if step is None:
            mend = "Scan the picture with an authenticator app and type what it shows now"
            raise InputError("code", "is not what the app should show", mend)
        kept = await asyncio.to_thread(passwords.hash_of, password)
        accepted = self.people.accept(person, kept, step)
        await self.note(person.name, "took up the invitation", person.login)
        return accepted

    def first_invitation(self) -> str | None:
        """What the first administrator's link carries; None where there is an administrator."""
        for person in self.people.all():
            if Role.ADMINISTRATOR in person.roles and person.state is AccountState.ACTIVE:
                return None
        name = "the first administrator"
        return self.people.invite("admin", name, [Role.ADMINISTRATOR], self.clock())


async def record_note(writer: Writer, who: str, what: str, login: str) -> None:
    """Write an act on an account down; where the record is away, the log has it.

    Whoever is on watch gets in all the same: a picture without a record beats none.
    """
    log.event(logging.INFO, "account", what=what)
    try:
        acted = AccountActed(Actor(who, "account"), what, login, writer.now_ns())
        await writer.submit([acted], always=True)
    except UnavailableError as error:
        log.event(logging.ERROR, "account.unrecorded", what=what, why=str(error))


def checked_login(login: str) -> str:
    """A login as it is kept; InputError where it is none."""
    said = login.strip().lower()
    if LOGIN.fullmatch(said) is None:
        mend = "Give up to 64 letters, digits, dots, dashes, _ and @"
        raise InputError("login", f"{login!r} is no login", mend)
    return said
