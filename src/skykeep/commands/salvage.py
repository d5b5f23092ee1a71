"""`skykeep salvage DIR --to NEW`: what verifies of a damaged record, in a new folder."""

from __future__ import annotations

from pathlib import Path

from skykeep.store.salvage import Salvaged, salvage

#: Losses named one by one.
NAMED = 20


def run(folder: Path, to: Path) -> int:
    """Save what verifies and say what is lost; 0 if nothing is."""
    found = salvage(folder, to)
    print("\n".join(told(found, to)))
    return 0 if found.is_whole else 1


def told(found: Salvaged, to: Path) -> list[str]:
    """What was saved and what was not, a line each."""
    lines = [f"saved: entries 0 to {found.entries - 1}, under a signed checkpoint, in {to}"]
    if found.signed > found.entries:
        lines.append(
            f"lost: entries {found.entries} to {found.signed - 1}, which were signed "
            f"({found.signed - found.entries})"
        )
    lost = [f"entry {index}: its leaf is damaged; its hash stands in" for index in found.empty]
    lost += found.lost
    lines += [f"lost: {one}" for one in lost[:NAMED]]
    if len(lost) > NAMED:
        lines.append(f"lost: {len(lost) - NAMED} more")
    if found.unreadable:
        lines.append(
            f"{found.unreadable} private facts have no key: it was destroyed when its time was "
            "over, or is lost"
        )
    if found.left:
        lines.append(f"not copied: {', '.join(found.left)}")
    if found.is_whole:
        lines.append("nothing is lost: the new folder can be served")
    else:
        lines.append(
            "The log's secret key was not copied: this record can be read, and must not be "
            "continued. Begin a new log for the site"
        )
    return lines
