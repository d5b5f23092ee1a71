"""An application for a flight authorisation: the ten items of (EU) 2021/664, Annex IV.

Annex IV names what a UAS flight authorisation request (Article 6(4)) comprises; the numbers
behind the fields are its own. Item (5), the 4D trajectory, and item (1), the serial
numbers, stand in the permit itself (`volumes`, `serials`). What is beyond the ten is what
an authority needs on the day: whom to call.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Mode(enum.StrEnum):
    """(2) mode of operation."""

    VLOS = "VLOS"
    BVLOS = "BVLOS"


class Category(enum.StrEnum):
    """(4) category of UAS operation, (EU) 2019/947 Article 3."""

    OPEN = "open"
    SPECIFIC = "specific"
    CERTIFIED = "certified"


@dataclass(frozen=True, slots=True)
class Application:
    """What Annex IV asks for beside serial numbers (1) and trajectory (5).

    `flight_type` (3): special operations, empty for none. `aircraft_class` (4): C0 to C6, or
    the type certificate. `identification` (6), `connectivity` (7): technologies in words.
    `endurance_s` (8). `lost_link` (9): what happens when command and control are lost.
    `operator` (10): the UAS operator's registration number, public part; `aircraft_registration`
    where the aircraft has one. `contact_name` and `contact_phone`: who is called on the day.
    """

    mode: Mode
    flight_type: str
    category: Category
    aircraft_class: str
    identification: str
    connectivity: str
    endurance_s: float
    lost_link: str
    operator: str
    aircraft_registration: str = ""
    contact_name: str = ""
    contact_phone: str = ""
