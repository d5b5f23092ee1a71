"""`skykeep coverage DIR|URL`: who was looking, and who would have seen a place."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from skykeep.codec import entries
from skykeep.commands import remote
from skykeep.errors import RecordError
from skykeep.service.coverage import CoverageList, coverage_in, span_of, spot_at, told
from skykeep.store.record_store import RECORD_FILE, RecordStore


def run(
    target: str, since: str, until: str, at: list[float] | None, height_m: float | None,
    token_file: Path | None, json: bool,
) -> int:  # fmt: skip
    """Print each sensor's spans, and with `at` whether it covered the place."""
    lat, lon = at or (None, None)
    if remote.is_remote(target):
        asked = {"from": since, "to": until, "lat": lat, "lon": lon, "height_hae_m": height_m}
        query = urlencode({k: v for k, v in asked.items() if v is not None})
        answer = remote.ask(target, f"/v1/coverage?{query}", remote.read_token(token_file))
        found = CoverageList.model_validate_json(answer)
    else:
        found = _read(Path(target), since, until, (lat, lon, height_m))
    print(found.model_dump_json() if json else "\n".join(_lines(found)))
    return 0


def _read(
    folder: Path, since: str, until: str, at: tuple[float | None, float | None, float | None]
) -> CoverageList:
    span = span_of(since, until)
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        site = entries.site_of(store.facts(next(store.entries(0, 1))))
        return told(coverage_in(store, *span), site, span, spot_at(site, *at))
    finally:
        store.close()


def _lines(found: CoverageList) -> list[str]:
    lines = [f"{found.since} to {found.until}"]
    for one in found.sensors:
        signs = ", signs" if one.signs else ""
        lines.append(
            f"{one.sensor} ({one.kind}{signs}): up {one.up_share:.1%}, {one.batches} batches"
        )
        if one.covers is not None:
            seen = "covers the place" if one.covers else "does not cover the place"
            lines.append(f"  {seen} at {found.height_hae_m:g} m above the ellipsoid")
        lines += [f"  {s.since}  {s.until}  {s.state}" for s in one.spans]
        lines += [
            f"  {n.at}  {n.what}: session {n.session}, {n.first} to {n.last}" for n in one.numbered
        ]
    return lines
