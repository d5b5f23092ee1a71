"""What a dossier withholds, and how it is checked, in words for its pages."""

from __future__ import annotations

from dataclasses import dataclass

from skykeep.codec import entries
from skykeep.dossier.excerpt import Excerpt, Group
from skykeep.dossier.page_words import SENSOR_KIND, said
from skykeep.dossier.view import ProofView, WithheldView
from skykeep.dossier.withholding import STANDING
from skykeep.units import SensorId

#: Of what is withheld for one reason, so many commitments are shown on a page.
COMMITMENTS_SHOWN = 3

CANNOT_KNOW = (
    "Whether what a sensor or a person handed in was true. The record shows that it was handed "
    "in, when it was received, and that nobody changed it since.",
    "What nobody handed in. What is withheld is counted here; what was never recorded cannot be.",
    "Whether the keeper of the record kept a second one and signed both. Only witnesses who "
    "publish what they saw of it can tell.",
)

CHECKS = (
    (
        "The file",
        "Every byte is what it has to be. One that was changed, by accident or on purpose, is "
        "found and named.",
    ),
    (
        "The signature",
        "The record's keeper signed the digest of every file in here. A file that is not listed, "
        "or is missing, is found.",
    ),
    (
        "The head of the record",
        "The keeper signed how many entries the record had, and one number (the root) that "
        "follows from all of them.",
    ),
    (
        "The witnesses",
        "Others than the keeper signed a head too, each with a clock of their own. So the keeper "
        "cannot keep two records and show whichever suits. It needs the witnesses' keys, from "
        "you.",
    ),
    (
        "The entries",
        "They stand side by side in that record: none is left out between the first and the last.",
    ),
    (
        "The facts",
        "Every fact that is shown is the one that was recorded then. For each that is withheld a "
        "number stands that fits it alone, and it says who withheld it and why.",
    ),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The heads in a dossier: the signed one, and how far witnesses have cosigned."""

    size: int
    root: str
    witnessed: int
    witnesses: tuple[str, ...]


def withheld(excerpt: Excerpt) -> tuple[WithheldView, ...]:
    """What is withheld, an item for each reason and source; decisions on this dossier first."""
    joined: dict[tuple[str, str, str], list[Group]] = {}
    for group in excerpt.groups.values():
        source = group.source if group.kind == entries.BATCH else ""
        standing = group.why in STANDING
        joined.setdefault((group.by, group.why, "" if standing else source), []).append(group)
    found = [_withheld(excerpt, source, groups) for (_, _, source), groups in joined.items()]
    return tuple(sorted(found, key=lambda each: not each.decided))


def _withheld(excerpt: Excerpt, source: str, groups: list[Group]) -> WithheldView:
    first = groups[0]
    count = sum(len(group.places) for group in groups)
    commitments = [place[2] for group in groups for place in group.places[:COMMITMENTS_SHOWN]]
    if source:
        words = _of_sensor(excerpt, source, count)
    else:
        kinds = sorted({group.kind for group in groups})
        sources = sorted({group.source for group in groups if group.kind == entries.BATCH})
        words = f"{count} of {excerpt.facts} facts are withheld, in entries of the kind "
        words += ", ".join(kinds)
        words += f", of the sensors {', '.join(sources)}" if sources else ""
    return WithheldView(
        words,
        first.by,
        first.why,
        count,
        tuple(commitments[:COMMITMENTS_SHOWN]),
        first.why not in STANDING,
    )


def _of_sensor(excerpt: Excerpt, sensor_id: str, count: int) -> str:
    """How much of a sensor is not here, and what it had to do with the tracks."""
    source = excerpt.sources[sensor_id]
    sensor = excerpt.sensors.get(SensorId(sensor_id))
    kind = "sensor" if sensor is None else said(SENSOR_KIND, sensor.kind.value)
    words = (
        f"{source.hidden_leaves} of {source.leaves} batches of {sensor_id} ({kind}) are withheld: "
        f"{count} of its {source.facts} facts"
    )
    used = [f"{by[sensor_id]} in {track}" for track, by in excerpt.seen_by.items() if by[sensor_id]]
    if not used:
        return f"{words}. None of its observations is in a track of this incident"
    return f"{words}. Of its observations the record says that they went into tracks: " + ", ".join(
        used
    )


def proof(
    excerpt: Excerpt, head: Head, hidden: tuple[WithheldView, ...], file_name: str
) -> ProofView:
    """How to check it, what is withheld, and what no check can tell."""
    leaves = excerpt.size - excerpt.start
    lines = [
        f"0 of {leaves} leaves are withheld: every entry of the record from {excerpt.start} to "
        f"{excerpt.size - 1} is here.",
        f"{excerpt.withheld} of {excerpt.facts} facts are withheld.",
        *(f"{each.words}. By {each.by}: {each.why}." for each in hidden),
    ]
    behind = excerpt.size - max(head.witnessed, excerpt.start)
    if not head.witnessed:
        seen = "nobody: no witness's signature is in this dossier. It is the keeper's word alone"
    else:
        seen = f"{', '.join(head.witnesses)}, the first {head.witnessed} entries"
        if behind:
            seen += f"; the last {behind} entries here are newer"
    return ProofView(
        tuple(lines),
        f"skykeep verify {file_name} --key KEYFILE --witness WITNESSKEY",
        CANNOT_KNOW,
        CHECKS,
        (
            ("Record", excerpt.key_name),
            ("Entries in it", f"{head.size}"),
            ("Its root", head.root),
            ("Cosigned by", seen),
        ),
    )
