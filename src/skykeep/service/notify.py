"""Telling a permit's holder: one notice as words, by e-mail or webhook. Blocks; no retries.

What goes wrong comes back as words that name neither address nor person, for the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from skykeep.codec.moment import format_moment
from skykeep.config import Delivery, Smtp
from skykeep.core.permit import Channel, ChannelKind, Permit
from skykeep.core.permit_book import Notice
from skykeep.deliver.mail import send_mail
from skykeep.deliver.webhook import post_json


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
    subject = f"Permit {message.permit_id} is {message.state.replace('_', ' ')}"
    return send_mail(addresses, subject, words_of(message, site), smtp)


def post(url: str, message: Message, hosts: tuple[str, ...]) -> str:
    """Post a message as JSON to a host that the site allows."""
    if (urlsplit(url).hostname or "").lower() not in hosts:
        return "the webhook's host is not one that the site allows"
    return post_json(url, msgspec.json.encode(message))
