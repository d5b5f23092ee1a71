"""Remote ID in one captured packet, whatever the radio it was heard with."""

from __future__ import annotations

from skykeep.codec.bluetooth import (
    LINKTYPE_BLUETOOTH_HCI_H4,
    LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR,
    LINKTYPE_BLUETOOTH_LE_LL,
    LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR,
    LINKTYPE_NORDIC_BLE,
    find_in_bluetooth,
)
from skykeep.codec.radio import (
    LINKTYPE_IEEE802_11,
    LINKTYPE_IEEE802_11_AVS,
    LINKTYPE_IEEE802_11_PRISM,
    LINKTYPE_IEEE802_11_RADIOTAP,
    LINKTYPE_PPI,
    Heard,
)
from skykeep.codec.wifi import find_in_wifi
from skykeep.core.event import Finding

WIFI = frozenset(
    {
        LINKTYPE_IEEE802_11,
        LINKTYPE_IEEE802_11_PRISM,
        LINKTYPE_IEEE802_11_RADIOTAP,
        LINKTYPE_IEEE802_11_AVS,
        LINKTYPE_PPI,
    }
)
BLUETOOTH = frozenset(
    {
        LINKTYPE_BLUETOOTH_HCI_H4,
        LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR,
        LINKTYPE_BLUETOOTH_LE_LL,
        LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR,
        LINKTYPE_NORDIC_BLE,
    }
)


def find_remote_id(
    linktype: int, packet: bytes, *, dji: bool = False
) -> tuple[tuple[Heard, ...], tuple[Finding, ...]] | None:
    """What a packet holds and what was amiss with it; None for a link type that is no radio.

    Nothing is raised, whatever the bytes. DJI's own beacons are passed over unless `dji`.
    """
    if linktype in WIFI:
        return find_in_wifi(linktype, packet, dji=dji)
    if linktype in BLUETOOTH:
        return find_in_bluetooth(linktype, packet)
    return None
