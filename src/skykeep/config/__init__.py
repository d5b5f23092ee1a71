"""A site's configuration file: what it may say is written in `document`."""

from skykeep.config.around import (
    Delivery,
    FeedSettings,
    PageSettings,
    PublicSettings,
    SightingSettings,
    Smtp,
    TimestampPlace,
    WatchdogSettings,
    WitnessPlace,
    read_delivery,
    read_feeds,
    read_outgoing,
    read_page,
    read_public,
    read_retention,
    read_timestamps,
    read_watchdog,
    read_witnesses,
)
from skykeep.config.document import MAX_SITE_BYTES, is_url
from skykeep.config.site import (
    decode_site,
    read_site,
    read_terrain_file,
)

__all__ = [
    "MAX_SITE_BYTES",
    "Delivery",
    "FeedSettings",
    "PageSettings",
    "PublicSettings",
    "SightingSettings",
    "Smtp",
    "TimestampPlace",
    "WatchdogSettings",
    "WitnessPlace",
    "decode_site",
    "is_url",
    "read_delivery",
    "read_feeds",
    "read_outgoing",
    "read_page",
    "read_public",
    "read_retention",
    "read_site",
    "read_terrain_file",
    "read_timestamps",
    "read_watchdog",
    "read_witnesses",
]
