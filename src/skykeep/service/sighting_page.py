"""The sightings form: plain HTML that works without script; with it the phone fills in the rest."""

from __future__ import annotations

from html import escape

#: What can be told; nothing is typed, so that nobody's name comes in.
KINDS = {
    "multirotor": "a drone with rotors",
    "fixed_wing": "a drone with wings",
    "light": "a light that moved like a drone",
    "sound": "the sound of a drone, nothing seen",
    "landed": "a drone that landed or fell",
    "other": "something else in the air",
}
DOING = {"": "not known", "hovering": "hovering", "passing": "passing", "circling": "circling"}
AGO_MIN = (0, 1, 2, 5, 10, 20, 30, 60)
DIRECTIONS = {
    "": "not known", "0": "north", "45": "north-east", "90": "east", "135": "south-east",
    "180": "south", "225": "south-west", "270": "west", "315": "north-west",
}  # fmt: skip
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Permissions-Policy": "geolocation=(self), gyroscope=(self), magnetometer=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE = """body{font:1.1rem/1.5 sans-serif;max-width:34rem;margin:1rem auto;padding:0 1rem}
label{display:block;margin:.8rem 0 .2rem}select,input,button{font:inherit;padding:.4rem;
width:100%;box-sizing:border-box}button{margin:.8rem 0;background:#123;color:#fff;border:0}
small,p.law{color:#444;font-size:.9rem}"""


def _page(title: str, body: str, script: bool) -> str:
    tag = '<script src="/sighting.js" defer></script>' if script else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style>{tag}</head><body><main><h1>{escape(title)}</h1>{body}"
        "</main></body></html>"
    )


def _choice(name: str, words: str, options: dict[str, str]) -> str:
    rows = "".join(f'<option value="{k}">{escape(v)}</option>' for k, v in options.items())
    return f'<label for="{name}">{words}</label><select id="{name}" name="{name}">{rows}</select>'


def form(site: str, legal_basis: str, retention: str) -> str:
    """The empty form of a site."""
    ago = {str(m): "now" if m == 0 else f"{m} min ago" for m in AGO_MIN}
    body = (
        f"<p>{escape(site)} asks those who saw a drone to tell. In danger call the police.</p>"
        '<form method="post" action="/sighting">'
        + _choice("kind", "What did you see?", KINDS)
        + _choice("doing", "What did it do?", DOING)
        + _choice("ago", "When?", ago)
        + _choice("direction", "In which direction from you?", DIRECTIONS)
        + '<label for="elevation">How high over the horizon? (degrees, 90 is overhead)</label>'
        '<input id="elevation" name="elevation" type="number" min="-10" max="90" step="1">'
        '<label for="lat">Where did you stand? Latitude</label>'
        '<input id="lat" name="lat" inputmode="decimal" maxlength="20">'
        '<label for="lon">Longitude</label>'
        '<input id="lon" name="lon" inputmode="decimal" maxlength="20">'
        '<input id="azimuth" name="azimuth" type="hidden">'
        '<div id="phone" hidden><button type="button" id="here">Take my position</button>'
        '<button type="button" id="aim">Point the phone at it and press</button>'
        '<small id="told" role="status"></small></div>'
        '<button type="submit">Send</button></form>'
        f'<p class="law">Legal basis: {escape(legal_basis)}. {escape(retention)} Your place is '
        "kept to about 100 m. No name is asked for, and your address is not kept.</p>"
    )
    return _page("Report a drone", body, script=True)


def thanks(entry: int) -> str:
    """What who reported is answered."""
    body = (
        f"<p>Thank you. Your report is entry <strong>{entry}</strong> of the public log.</p>"
        f'<p><a href="/log/receipts/{entry}">The receipt</a> proves that it was taken in, and '
        "when; it is there some seconds after the entry. Keep it if you want to show that later."
        '</p><p><a href="/sighting">Another report</a></p>'
    )
    return _page("Reported", body, script=False)


def refused(words: str) -> str:
    """Why a report was not taken."""
    body = f'<p>{escape(words)}</p><p><a href="/sighting">Back to the form</a></p>'
    return _page("Not taken", body, script=False)


SCRIPT = """'use strict';
const by = (id) => document.getElementById(id);
by('phone').hidden = false;
by('here').addEventListener('click', () => {
  navigator.geolocation.getCurrentPosition((at) => {
    by('lat').value = at.coords.latitude.toFixed(4);
    by('lon').value = at.coords.longitude.toFixed(4);
    by('told').textContent = 'Position taken.';
  }, () => { by('told').textContent = 'The phone gives no position.'; },
  { enableHighAccuracy: true, timeout: 15000 });
});
let aim = null;
const turned = (e) => {
  const heading = typeof e.webkitCompassHeading === 'number' ? e.webkitCompassHeading
    : (e.absolute && e.alpha !== null ? 360 - e.alpha : null);
  if (heading !== null && e.beta !== null) aim = [(heading + 360) % 360, e.beta - 90];
};
const listen = () => {
  addEventListener('deviceorientationabsolute', turned);
  addEventListener('deviceorientation', turned);
};
by('aim').addEventListener('click', async () => {
  const asks = globalThis.DeviceOrientationEvent && DeviceOrientationEvent.requestPermission;
  if (aim === null) {
    if (asks) await DeviceOrientationEvent.requestPermission();
    listen();
    by('told').textContent = 'Hold the phone upright towards it and press again.';
    return;
  }
  by('azimuth').value = aim[0].toFixed(0);
  by('elevation').value = Math.max(-10, Math.min(90, aim[1])).toFixed(0);
  by('told').textContent = 'Direction taken: ' + aim[0].toFixed(0) + ' degrees.';
});
"""
