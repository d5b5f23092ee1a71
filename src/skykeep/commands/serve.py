"""`skykeep serve`: one site over HTTP, from its site file and the record in a folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

from skykeep.config import (
    read_delivery,
    read_feeds,
    read_page,
    read_public,
    read_retention,
    read_timestamps,
    read_watchdog,
    read_witnesses,
)
from skykeep.deliver.settings import read_recipients, read_warnings
from skykeep.errors import InputError
from skykeep.runtime import read_grounded_site, rehearse
from skykeep.service.log import configure_logs
from skykeep.service.server import Place, serve
from skykeep.service.web_page import Page

TOKENS_FILE = "tokens.json"


def run(
    site_file: Path,
    data: Path,
    host: str,
    port: int,
    tokens: Path | None,
    public: bool,
    log_level: str,
    clock: Callable[[], int],
) -> int:
    """Serve until a signal; 0 after a clean end."""
    if not public and not _is_loopback(host):
        problem = f"{host} can be reached from outside this machine"
        mend = "Put a proxy with TLS in front, or add --i-know-this-is-public"
        raise InputError("--host", problem, mend)
    configure_logs(log_level)
    site, sensors = read_grounded_site(site_file)
    drawn = read_page(site_file)
    page = Page(
        drawn.basemap_url,
        drawn.glyphs_url,
        basemap_file=drawn.basemap_file,
        procedure=drawn.procedure,
    )
    rehearse()
    place = Place(
        host, port, data, tokens or data / TOKENS_FILE, read_witnesses(site_file),
        read_retention(site_file), read_timestamps(site_file), read_watchdog(site_file),
    )  # fmt: skip
    delivery = read_delivery(site_file)
    recipients = read_recipients(site_file)
    serve(
        place, site, sensors, clock, lambda words: print(words, flush=True), page,
        delivery=delivery, shown=read_public(site_file), feeds=read_feeds(site_file),
        recipients=recipients, warn=read_warnings(site_file),
    )  # fmt: skip
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
