"""The published zones as plain GeoJSON (RFC 7946), exact enough to be judged by.

One feature a zone: geometry and flat members as codec/zone_geojson_write.py writes them, for any
map and for `read_zones`. A zone that this cannot say has no geometry. What the public page judges
by stands in `properties.published`:

    id, version, name, restriction, state ("in_force" or "approved"), readable, emergency
    reasons, conditions, message, legal_basis, references, authority, authorities
    valid_from, valid_until, unsure_from       RFC 3339 or null
    time_zone, sun_place [lat, lon]            by which clock and at which place its times are
    volumes [{circle [lat, lon, m] | rings, lower, upper}]      lower and upper {m, ref} or null
    periods [{start, end, windows [{days, start, end}]}]        none: always

A window's days are 0 (Monday) to 6; its start and end {s: seconds after midnight, utc} or a sun
event. Their meaning is that of core/schedule.py. Moments are rounded up to a millisecond, which
changes no answer at a whole one. `skykeep` beside the features has the site and, for each time
zone that is used, its offsets: [from UTC second, seconds east of Greenwich], so that a browser
answers by the same time zone data as the service.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from skykeep.codec.moment import format_moment
from skykeep.codec.publication import PublicZone
from skykeep.codec.zone_geojson_write import write_geojson as write_plain
from skykeep.core.airspace import Site
from skykeep.core.geo import (
    Circle,
    Height,
    Volume,
    reference_of,
)
from skykeep.core.schedule import (
    TIME_ZONE_DATA_VERSION,
    DailyPeriod,
    Period,
    SunEvent,
    TimeOfDay,
    time_zone_of,
)
from skykeep.core.zone import Zone, sun_place
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS, NS_PER_S, to_datetime, to_ns

FORMAT = 1
#: Whole years of offsets around the present one: whoever plans a flight looks no further.
_YEARS_BACK, _YEARS_AHEAD = 1, 4
_DAY_S = 86_400

Json = dict[str, object]


def write_geojson(
    zones: Iterable[PublicZone], site: Site, contact: str, changed_ns: int | None, year: int
) -> bytes:
    """The document in UTF-8; time zones are told for the years around `year`.

    `contact` is whom to ask where a zone names nobody.
    """
    zones = tuple(zones)
    names = {"UTC", site.time_zone, *(z.zone.time_zone for z in zones)}
    start = to_ns(datetime(year - _YEARS_BACK, 1, 1, tzinfo=UTC)) // NS_PER_S
    end = to_ns(datetime(year + _YEARS_AHEAD, 1, 1, tzinfo=UTC)) // NS_PER_S
    head: Json = {
        "format": FORMAT,
        "site": site.name,
        "authority": site.authority_id,
        "contact": contact,
        "time_zone": site.time_zone,
        "place": [site.frame.lat_deg, site.frame.lon_deg],
        "terrain": None if site.terrain is None else asdict(site.terrain),
        "changed": None if changed_ns is None else format_moment(changed_ns),
        "clocks": {
            "data": TIME_ZONE_DATA_VERSION,
            "from_s": start,
            "until_s": end,
            "offsets": {
                name: offsets(clock, start, end)
                for name in sorted(names)
                if (clock := time_zone_of(name)) is not None
            },
        },
    }
    document = json.dumps({"type": "FeatureCollection", "skykeep": head}, ensure_ascii=False)
    features = ",\n".join(_feature(zone) for zone in zones)
    return f'{document[:-1]}, "features": [\n{features}\n]}}\n'.encode("utf-8", "replace")


@lru_cache(maxsize=64)  # pure, and the same for a year
def offsets(clock: ZoneInfo, start_s: int, end_s: int) -> tuple[tuple[int, int], ...]:
    """Each offset of a time zone (seconds east) with the UTC second from which it holds."""
    found = [(start_s, _offset_s(clock, start_s))]
    # No time zone has changed twice within a day; Morocco's two changes a year lie a month apart.
    for day_s in range(start_s + _DAY_S, end_s + _DAY_S, _DAY_S):
        low, high = day_s - _DAY_S, day_s
        after = _offset_s(clock, high)
        if after == found[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset_s(clock, middle) == after else (middle, high)
        found.append((high, after))
    return tuple(found)


def _offset_s(clock: ZoneInfo, at_s: int) -> int:
    offset = to_datetime(at_s * NS_PER_S).astimezone(clock).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _feature(public: PublicZone) -> str:
    zone = public.zone
    geometry, members = _plain(zone)
    own = _text(_judged(public))
    return (
        f'{{"type": "Feature", "id": {_text(zone.zone_id)}, "geometry": {geometry}, '
        f'"properties": {members[:-1]}, "published": {own}}}}}'
    )


@lru_cache(maxsize=2_048)  # pure, and takes milliseconds; one change leaves the others as they are
def _plain(zone: Zone) -> tuple[str, str]:
    """Geometry and flat members as JSON."""
    try:
        feature = json.loads(write_plain((zone,)))["features"][0]
    except InputError:
        said = {"identifier": zone.zone_id, "name": zone.name, "restriction": zone.restriction}
        return "null", _text(said)
    return _text(feature["geometry"]), _text(feature["properties"])


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _judged(public: PublicZone) -> Json:
    zone = public.zone
    told = zone.volumes if zone.readable else ()
    lat_lon = list(sun_place(zone)) if told else None
    return {
        "id": zone.zone_id,
        "zone": public.zone_id,
        "version": public.number,
        "name": zone.name,
        "restriction": zone.restriction.value,
        "state": public.state.value,
        "readable": zone.readable,
        "emergency": zone.emergency,
        "reasons": zone.reasons,
        "conditions": zone.conditions,
        "message": zone.message,
        "legal_basis": zone.legal_basis,
        "references": zone.references,
        "authority": zone.authority_id,
        "authorities": [asdict(authority) for authority in zone.authorities],
        "valid_from": _moment(public.from_ns),
        "valid_until": _moment(public.until_ns),
        "unsure_from": _moment(public.unsure_ns),
        "time_zone": zone.time_zone,
        "sun_place": lat_lon,
        "volumes": [_volume(volume) for volume in told],
        "periods": [_period(period) for period in zone.periods],
    }


def _moment(at_ns: int | None) -> str | None:
    return None if at_ns is None else format_moment(-(-at_ns // NS_PER_MS) * NS_PER_MS)


def _volume(volume: Volume) -> Json:
    area = volume.area
    shape: Json = (
        {"circle": [area.lat_deg, area.lon_deg, area.radius_m]}
        if isinstance(area, Circle)
        else {"rings": area.rings}
    )
    return {**shape, "lower": _height(volume.lower), "upper": _height(volume.upper)}


def _height(height: Height | None) -> Json | None:
    return None if height is None else {"m": height.m, "ref": reference_of(height).name}


def _period(period: Period) -> Json:
    return {
        "start": _moment(period.start_ns),
        "end": _moment(period.end_ns),
        "windows": [_window(window) for window in period.windows],
    }


def _window(window: DailyPeriod) -> Json:
    return {
        "days": window.weekdays,
        "start": _time(window.start),
        "end": _time(window.end),
    }


def _time(moment: TimeOfDay | SunEvent) -> Json | str:
    if isinstance(moment, SunEvent):
        return moment.value
    return {"s": moment.seconds, "utc": moment.utc}
