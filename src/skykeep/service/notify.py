"""Telling a permit's holder: one notice as words, by e-mail or webhook. Blocks; no retries.

What goes wrong comes back as words that name neither address nor person, for the record.
"""

from __future__ import annotations

import http.client
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import urlsplit

import msgspec

from skykeep.codec.moment import format_moment
from skykeep.config import Delivery, Smtp
from skykeep.core.permit import Channel, ChannelKind, Permit
from skykeep.core.permit_book import Notice

#: A relay or host that needs longer is tried again later.
TIMEOUT_S = 10.0
#: Nobody needs to read what a webhook answers.
ANSWER_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Message:
    """A notice with all that its holder must know."""

    notice_id: str
    permit_id: str
    state: str
    at: str
    why: str
    land_by: str | None
    conditions: tuple[str, ...]
    appeal: str
    page: str | None


def message_of(notice: Notice, permit: Permit, page: str | None) -> Message:
    """The message of a notice; what the permit has become since is told by a later one."""
    same = permit.state is notice.state
    land_by_ns = permit.procedure.land_by_ns if same else None
    return Message(
        notice.notice_id,
        notice.permit_id,
        notice.state.value,
        format_moment(notice.at_ns),
        notice.why,
        None if land_by_ns is None else format_moment(land_by_ns),
        permit.conditions if same else (),
        permit.procedure.appeal if same else "",
        page,
    )


def words_of(message: Message, site: str) -> str:
    """The message as plain text."""
    lines = [
        f"Permit {message.permit_id} is {message.state.replace('_', ' ')} since {message.at}.",
        f"Reason: {message.why}" if message.why else "",
        f"LAND NOW, at the latest by {message.land_by}." if message.land_by else "",
        *(f"Condition: {condition}" for condition in message.conditions),
        f"How to appeal: {message.appeal}" if message.appeal else "",
        f"Your permit's page: {message.page}" if message.page else "",
        "",
        f"{site} (notice {message.notice_id})",
    ]
    return "\n".join(line for i, line in enumerate(lines) if line or i == len(lines) - 2) + "\n"


def send(
    kind: ChannelKind, channels: tuple[Channel, ...], message: Message, site: str, by: Delivery
) -> str:
    """Tell a holder by all channels of a kind; empty if all took it, else why not."""
    chosen = [c.address for c in channels if c.kind is kind]
    if kind is ChannelKind.EMAIL:
        return send_email(chosen, message, site, by.smtp)
    problems = [post(address, message, by.webhook_hosts) for address in chosen]
    return "; ".join(p for p in problems if p)


def send_email(addresses: list[str], message: Message, site: str, smtp: Smtp | None) -> str:
    """Hand an e-mail to the site's relay; empty if it took it for everybody."""
    if smtp is None:
        return "the site has no mail relay"
    mail = EmailMessage()
    mail["From"], mail["To"] = smtp.sender, ", ".join(addresses)
    mail["Subject"] = f"Permit {message.permit_id} is {message.state.replace('_', ' ')}"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(words_of(message, site))
    try:
        with smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_S) as relay:
            if smtp.starttls:
                relay.starttls(context=ssl.create_default_context())
            if smtp.user is not None and smtp.password_file is not None:
                relay.login(smtp.user, smtp.password_file.read_text(encoding="utf-8").strip())
            refused = relay.send_message(mail, to_addrs=addresses)
    except smtplib.SMTPRecipientsRefused:
        return "the mail relay refused every address"
    except smtplib.SMTPResponseException as error:
        return f"the mail relay answered {error.smtp_code}"
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return f"the mail relay did not take it ({type(error).__name__})"
    return f"the mail relay refused {len(refused)} of {len(addresses)} addresses" if refused else ""


def post(url: str, message: Message, hosts: tuple[str, ...]) -> str:
    """Post a message as JSON to a host that the site allows; no redirect is followed."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host not in hosts:
        return "the webhook's host is not one that the site allows"
    secure = parts.scheme == "https"
    made = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = made(host, parts.port, timeout=TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", path, msgspec.json.encode(message), headers)
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"the webhook did not take it ({type(error).__name__})"
    finally:
        connection.close()
    return "" if 200 <= answer.status < 300 else f"the webhook answered {answer.status}"
