"""Who may sign in, on disk: accounts, their sessions and the devices they are known by.

Beside the record, in a file that only the service's user may read. Of passwords, links and
cookies only hashes are kept; the secrets of authenticator apps must be kept as they are.
"""

from __future__ import annotations

import enum
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from skykeep.errors import DecisionError, RecordError
from skykeep.service.auth.totp import SECRET_BYTES
from skykeep.service.tokens import Role
from skykeep.units import NS_PER_S

FILE = "people.sqlite"
#: An invitation is for somebody who is told of it now.
INVITED_NS = 72 * 3_600 * NS_PER_S
#: A shift and its hand-over; and a desk that nobody has touched for so long stands empty.
LONGEST_NS, IDLE_NS = 14 * 3_600 * NS_PER_S, 4 * 3_600 * NS_PER_S
#: Seen again is written down this often: not with every request.
SEEN_EVERY_NS = 60 * NS_PER_S
#: A desk that nobody used for a season is a stranger again.
DEVICE_NS = 90 * 24 * 3_600 * NS_PER_S
SESSIONS_OF_ONE, DEVICES_OF_ONE, MOST_PEOPLE = 10, 20, 1_000
_SECRET_BYTES = 32

_TABLES = """
CREATE TABLE IF NOT EXISTS people (
  login TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL, state TEXT NOT NULL,
  password TEXT NOT NULL, totp BLOB NOT NULL, totp_step INTEGER NOT NULL,
  invite BLOB NOT NULL, invited_until_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
  id BLOB PRIMARY KEY, login TEXT NOT NULL, csrf TEXT NOT NULL,
  begun_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS devices (
  id BLOB PRIMARY KEY, login TEXT NOT NULL, seen_ns INTEGER NOT NULL
) STRICT;
"""


class AccountState(enum.StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class AccountEvent(enum.StrEnum):
    """What can happen to an account."""

    INVITE = "invite"  # anew: after a lost phone, a forgotten password
    ACCEPT = "accept"
    DISABLE = "disable"


_S, _E = AccountState, AccountEvent
ACCOUNT_TRANSITIONS: dict[tuple[AccountState, AccountEvent], AccountState] = {
    (_S.INVITED, _E.INVITE): _S.INVITED,
    (_S.INVITED, _E.ACCEPT): _S.ACTIVE,
    (_S.INVITED, _E.DISABLE): _S.DISABLED,
    (_S.ACTIVE, _E.INVITE): _S.INVITED,
    (_S.ACTIVE, _E.DISABLE): _S.DISABLED,
    (_S.DISABLED, _E.INVITE): _S.INVITED,
}


@dataclass(frozen=True, slots=True)
class Person:
    """An account; what is secret of it is not in the repr of its values anywhere else."""

    login: str
    name: str
    roles: tuple[Role, ...]
    state: AccountState
    password: str
    totp: bytes
    totp_step: int
    invited_until_ns: int


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in; `csrf` is what a page says with each change."""

    login: str
    csrf: str
    begun_ns: int
    seen_ns: int

    def over(self, now_ns: int) -> bool:
        """Whether its time is over."""
        return now_ns - self.begun_ns > LONGEST_NS or now_ns - self.seen_ns > IDLE_NS


def digest(secret: str) -> bytes:
    """What is kept of a link or a cookie: 256 random bits need no more than a plain hash."""
    return sha256(secret.encode("utf-8", "replace")).digest()


def new_secret() -> str:
    """256 bits as text for a link or a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


class People:
    """The accounts of one site. Used from the event loop alone; every change is durable."""

    def __init__(self, folder: Path) -> None:
        """RecordError where the file cannot be had."""
        path = folder / FILE
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise RecordError(f"{path}: {error}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise RecordError(f"{FILE}: {error}") from None

    # -- accounts -------------------------------------------------------------------------

    def all(self) -> tuple[Person, ...]:
        """Every account, by login."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM people ORDER BY login").fetchall()
        return tuple(map(_person, rows))

    def of(self, login: str) -> Person | None:
        """The account of a login."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM people WHERE login = ?", (login,)
        ).fetchone()
        return None if row is None else _person(row)

    def invite(self, login: str, name: str, roles: Sequence[Role], now_ns: int) -> str:
        """A new account, or an old one anew; returns what its link carries.

        What it had before, password, app and sessions, is gone.
        """
        known = self.of(login)
        if known is None and len(self.all()) >= MOST_PEOPLE:
            raise DecisionError(f"there are {MOST_PEOPLE} accounts, more are not kept")
        state = AccountState.INVITED if known is None else _next(known, AccountEvent.INVITE)
        secret = new_secret()
        totp = secrets.token_bytes(SECRET_BYTES)
        with self._change() as db:
            db.execute(
                "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, '', ?, 0, ?, ?)",
                (
                    login, name, _roles_text(roles), state, totp, digest(secret),
                    now_ns + INVITED_NS,
                ),
            )  # fmt: skip
            self._forget(db, login)
        return secret

    def invited(self, secret: str, now_ns: int) -> Person | None:
        """Whose invitation a link is, while it stands."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM people WHERE invite = ? AND state = ?",
            (digest(secret), AccountState.INVITED),
        ).fetchone()
        person = None if row is None else _person(row)
        return person if person is not None and now_ns < person.invited_until_ns else None

    def accept(self, person: Person, password_hash: str, totp_step: int) -> Person:
        """An invitation is taken up: it serves once."""
        state = _next(person, AccountEvent.ACCEPT)
        with self._change() as db:
            changed = db.execute(
                "UPDATE people SET state = ?, password = ?, totp_step = ?, invite = x'' "
                "WHERE login = ? AND state = ? AND totp = ?",
                (state, password_hash, totp_step, person.login, person.state, person.totp),
            ).rowcount
        if changed != 1:
            raise DecisionError("this invitation was taken up already")
        return replace(person, state=state, password=password_hash, totp_step=totp_step)

    def set_roles(self, login: str, roles: Sequence[Role]) -> None:
        """Other roles from now on; whoever is signed in signs in again."""
        with self._change() as db:
            db.execute("UPDATE people SET roles = ? WHERE login = ?", (_roles_text(roles), login))
            db.execute("DELETE FROM sessions WHERE login = ?", (login,))

    def set_password(self, person: Person, password_hash: str) -> None:
        """Another password; all sessions end. DecisionError where it was changed meanwhile."""
        self._renew(person, "password", password_hash)

    def set_app(self, person: Person, totp: bytes, totp_step: int) -> None:
        """Another authenticator app; all sessions end. DecisionError as above."""
        self._renew(person, "totp", totp, totp_step)

    def _renew(
        self, person: Person, column: str, value: str | bytes, totp_step: int | None = None
    ) -> None:
        with self._change() as db:
            changed = db.execute(
                f"UPDATE people SET {column} = ?, totp_step = ifnull(?, totp_step) "
                "WHERE login = ? AND state = ? AND password = ? AND totp = ?",
                (value, totp_step, person.login, person.state, person.password, person.totp),
            ).rowcount
            if changed == 1:
                db.execute("DELETE FROM sessions WHERE login = ?", (person.login,))
        if changed != 1:
            raise DecisionError("the account was changed meanwhile")

    def disable(self, login: str) -> None:
        """Nobody signs in with it any more, and whoever has is out."""
        person = self.of(login)
        if person is None:
            raise DecisionError(f"there is no account {login}")
        state = _next(person, AccountEvent.DISABLE)
        with self._change() as db:
            db.execute("UPDATE people SET state = ?, invite = x'' WHERE login = ?", (state, login))
            self._forget(db, login)

    def use_step(self, person: Person, step: int) -> bool:
        """Note a code's step as used; False where somebody was faster with it."""
        with self._change() as db:
            return db.execute(
                "UPDATE people SET totp_step = ? WHERE login = ? AND totp_step < ?",
                (step, person.login, step),
            ).rowcount == 1  # fmt: skip

    # -- sessions and devices -------------------------------------------------------------

    def begin(self, login: str, now_ns: int) -> tuple[str, Session]:
        """A session with an id of its own; returns what the cookie carries."""
        secret, session = new_secret(), Session(login, new_secret(), now_ns, now_ns)
        with self._change() as db:
            db.execute("DELETE FROM sessions WHERE begun_ns < ?", (now_ns - LONGEST_NS,))
            _keep_newest(db, "sessions", login, SESSIONS_OF_ONE - 1)
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                (digest(secret), login, session.csrf, now_ns, now_ns),
            )
        return secret, session

    def session(self, secret: str, now_ns: int) -> tuple[Person, Session] | None:
        """Who is signed in with a cookie, while the session stands and the account is active."""
        key = digest(secret)
        row = self._db.execute(
            "SELECT login, csrf, begun_ns, seen_ns FROM sessions WHERE id = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        session = Session(*row)
        person = self.of(session.login)
        if session.over(now_ns) or person is None or person.state is not AccountState.ACTIVE:
            self.end(secret)
            return None
        if now_ns - session.seen_ns > SEEN_EVERY_NS:
            with self._change() as db:
                db.execute("UPDATE sessions SET seen_ns = ? WHERE id = ?", (now_ns, key))
        return person, session

    def sessions_of(self, login: str) -> tuple[Session, ...]:
        """Whoever is signed in with a login, the latest first; some may be over by their time."""
        rows = self._db.execute(
            "SELECT login, csrf, begun_ns, seen_ns FROM sessions WHERE login = ? "
            "ORDER BY seen_ns DESC",
            (login,),
        )
        return tuple(Session(*row) for row in rows)

    def end_all(self, login: str) -> None:
        """Whoever is signed in with a login is out; browsers stay known."""
        with self._change() as db:
            db.execute("DELETE FROM sessions WHERE login = ?", (login,))

    def end(self, secret: str) -> None:
        """A session is over."""
        with self._change() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", (digest(secret),))

    def know_device(self, login: str, now_ns: int) -> str:
        """The browser in use is known from now on; returns what its cookie carries."""
        secret = new_secret()
        with self._change() as db:
            _keep_newest(db, "devices", login, DEVICES_OF_ONE - 1)
            db.execute("INSERT INTO devices VALUES (?, ?, ?)", (digest(secret), login, now_ns))
        return secret

    def knows_device(self, login: str, secret: str, now_ns: int) -> bool:
        """Whether a browser has signed in with this login before."""
        row = self._db.execute(
            "SELECT seen_ns FROM devices WHERE id = ? AND login = ?", (digest(secret), login)
        ).fetchone()
        return row is not None and now_ns - row[0] < DEVICE_NS

    def see_device(self, secret: str, now_ns: int) -> None:
        """A known browser has signed in again."""
        with self._change() as db:
            db.execute("UPDATE devices SET seen_ns = ? WHERE id = ?", (now_ns, digest(secret)))

    @staticmethod
    def _forget(db: sqlite3.Connection, login: str) -> None:
        db.execute("DELETE FROM sessions WHERE login = ?", (login,))
        db.execute("DELETE FROM devices WHERE login = ?", (login,))


_COLUMNS = "login, name, roles, state, password, totp, totp_step, invited_until_ns"


def _person(row: Sequence[object]) -> Person:
    login, name, roles, state, password, totp, step, until_ns = row
    return Person(
        str(login), str(name), tuple(Role(r) for r in json.loads(str(roles))),
        AccountState(str(state)), str(password), totp if isinstance(totp, bytes) else b"",
        int(str(step)), int(str(until_ns)),
    )  # fmt: skip


def _roles_text(roles: Sequence[Role]) -> str:
    return json.dumps([role.value for role in roles])


def _next(person: Person, event: AccountEvent) -> AccountState:
    following = ACCOUNT_TRANSITIONS.get((person.state, event))
    if following is None:
        raise DecisionError(
            f"account {person.login} is {person.state}: {event} is not possible from there"
        )
    return following


def _keep_newest(db: sqlite3.Connection, table: str, login: str, most: int) -> None:
    db.execute(
        f"DELETE FROM {table} WHERE login = ? AND id NOT IN "
        f"(SELECT id FROM {table} WHERE login = ? ORDER BY seen_ns DESC LIMIT ?)",
        (login, login, most),
    )
