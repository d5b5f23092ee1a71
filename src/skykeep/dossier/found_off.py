"""How far a sensor was found to be off, in words."""

from __future__ import annotations

from skykeep.core.event import RegistrationChanged


def off_words(found: RegistrationChanged) -> str:
    """One change: each part that is taken away with its uncertainty, and what it rests on."""
    bias, sigma = found.bias, found.sigma
    parts = {
        "range": f"range by {bias.range_m:.1f} \N{PLUS-MINUS SIGN} {sigma.range_m:.1f} m",
        "azimuth": f"azimuth by {bias.azimuth_deg:.2f} \N{PLUS-MINUS SIGN} "
        f"{sigma.azimuth_deg:.2f} degrees",
        "elevation": f"elevation by {bias.elevation_deg:.2f} \N{PLUS-MINUS SIGN} "
        f"{sigma.elevation_deg:.2f} degrees",
        "time": f"time by {bias.time_s:.2f} \N{PLUS-MINUS SIGN} {sigma.time_s:.2f} s",
    }
    said = ", ".join(words for name, words in parts.items() if name in found.applied)
    return f"{said or 'nothing that is sure enough'} ({found.aircraft} aircraft agree)"
