"""Who may do what: each action, and the roles that may; nothing is allowed that is not here.

Every route and socket names its action. docs/roles.md is this table in words: after a change,
`python -m skykeep.service.rights > docs/roles.md`. What a role does not need for its work, it does
not have (NIST SP 800-53, AC-6, least privilege).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skykeep.service.tokens import Holder, Role
from skykeep.units import NS_PER_S

V, W, L, P = Role.VIEWER, Role.WATCH_OFFICER, Role.SHIFT_LEAD, Role.PERMIT_OFFICER
E, R, S = Role.EVIDENCE_OFFICER, Role.RECIPIENT, Role.SENSOR

#: A watch officer is quiet about an alert for so long at most; longer is the shift lead's.
OFFICERS_SHELF_NS = 4 * 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Budget:
    """How often one person or token may do what is costly: so many at once, then at a pace."""

    at_once: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Right:
    """What an action is, and who may; who holds several of the roles acts in the first."""

    words: str
    roles: tuple[Role, ...]
    budget: Budget | None = None


#: The whole record is read, or a file of megabytes made.
_RARE = Budget(10, 10.0)
#: Pages of rows: a client that walks through a day waits for its turn.
_PAGES = Budget(240, 0.25)

RIGHTS: Mapping[str, Right] = {
    "alerts.acknowledge": Right("say that somebody has seen an alert", (W, L)),
    "alerts.close": Right("close an alert, with a reason", (W, L)),
    "alerts.hand_over": Right("hand an alert to whoever may respond", (W, L)),
    "alerts.read": Right("see the alerts", (W, L, V)),
    "alerts.shelve": Right("be quiet about an alert for up to 4 hours, or bring it back", (W, L)),
    "alerts.shelve_long": Right("be quiet about an alert for longer", (L,)),
    "alerts.test": Right("try the alarm by an alert that is marked as a test", (W, L)),
    "batches.send": Right("report what the own sensor observed", (S,)),
    "coverage.read": Right("see which sensors were up when", (W, L, E), _RARE),
    "dossier.build": Right("have an incident as a file to be checked offline", (W, L, E), _RARE),
    "dossier.withhold": Right("withhold from a dossier, or show bystanders in it", (E,)),
    "exemptions.declare": Right("exempt an aircraft in an emergency", (W, L, P)),
    "exemptions.import": Right("enter standing exemptions from a table", (P,)),
    "exemptions.count": Right("see how many exempted flights there were", (W, L, P, V)),
    "exercise.begin": Right("begin an exercise or make it last longer", (W, L)),
    "exercise.end": Right("end an exercise before its time", (L,)),
    "feeds.read": Right("see how the feeds do", (W, L)),
    "handovers.answer": Right("acknowledge and report back; a recipient for itself", (W, L, R)),
    "handovers.make": Right("hand an incident over", (W, L)),
    "handovers.instruct": Right("tell people in the protected building what to do", (W, L)),
    "handovers.read": Right("see the hand-overs; a recipient its own", (W, L, R)),
    "handovers.withdraw": Right("take a hand-over back", (W, L)),
    "history.by_serial": Right("ask the history for one serial number", (W, L), _PAGES),
    "history.read": Right("ask the history, without names", (W, L, P), _PAGES),
    "identity.read": Right("see claimed identities, operators' places, reasons in words", (W, L)),
    "incidents.assess": Right("conclude about an incident, by name", (W, L)),
    "incidents.hold": Right("keep what points to a person for an incident, or let it go", (W, L)),
    "incidents.list": Right("see the incidents in short", (W, L, E, V)),
    "incidents.list_openers": Right("see by whom each was opened", (W, L, E)),
    "incidents.move": Right("close an incident or open it again", (W, L)),
    "incidents.open": Right("gather alerts into an incident", (W, L)),
    "incidents.read": Right("see an incident with all that belongs to it", (W, L)),
    "incidents.report": Right("file what responders reported", (W, L)),
    "live.listen": Right("hear the live stream, each role its topics", (W, L, P, V)),
    "looks.read": Right("see who looked at what points to a person", (E,), _RARE),
    "me.read": Right("see who one is here", tuple(Role)),
    "metrics.read": Right("see the service's figures", (W, L, V)),
    "observations.read": Right("see what the sensors reported", (W, L, V), _PAGES),
    "permits.card": Right("have a permit as a signed code", (W, L, P)),
    "permits.check": Right("hold applications against zones and permits", (W, L, P)),
    "permits.decide": Right("take the permit office's steps of a permit", (P,)),
    "permits.put": Right("enter permits", (P,)),
    "permits.read": Right("see permits, exemptions and what became of them", (W, L, P)),
    "permits.step": Right("activate, end, suspend, resume, revoke, confirm", (W, L, P)),
    "receipts.read": Right(
        "have the receipt of an entry; a sensor with its facts", (S, W, L, P, V)
    ),
    "recipients.read": Right("see who may be handed something", (W, L)),
    "rights.read": Right("see this table", tuple(Role)),
    "sensors.maintain": Right("begin and end work on a sensor", (W, L)),
    "sensors.read": Right("see the sensors and their health", (W, L, P, V)),
    "sightings.read": Right("see people's reports", (W, L)),
    "sightings.report": Right("report what was seen, by name", (W, L, R)),
    "stream.read": Right("hear the tracks of the own hand-overs", (R,)),
    "tracks.read": Right("see the tracks", (W, L, V)),
    "warnings.draft": Right("draft a warning to the public", (W, L)),
    "warnings.read": Right("see the warnings", (W, L, V)),
    "warnings.release": Right("release a warning to the public, or cancel it", (W, L)),
    "zones.approve": Right("approve and confirm zones", (P,)),
    "zones.change": Right("put approved zones into force, withdraw them", (W, L, P)),
    "zones.declare": Right("ban in an emergency", (W, L, P)),
    "zones.pending": Right("see the zones that wait for somebody", (W, L, P)),
    "zones.propose": Right("propose zones", (W, L, P)),
    "zones.publish": Right("publish zones at once", (W, L, P)),
    "zones.read": Right("see the zones", (W, L, P, V)),
}


def may(holder: Holder, action: str) -> bool:
    """Whether somebody may, in the role in which he acts."""
    return holder.role in RIGHTS[action].roles


def as_markdown() -> str:
    """The table as docs/roles.md shows it."""
    heads = [role.value.replace("_", " ") for role in Role]
    rows = [
        f"| `{action}` | {right.words} | "
        + " | ".join("x" if role in right.roles else "" for role in Role)
        + " |"
        for action, right in sorted(RIGHTS.items())
    ]
    budgets = [
        f"| `{action}` | {right.budget.at_once} | {60 / right.budget.every_s:g} |"
        for action, right in sorted(RIGHTS.items())
        if right.budget is not None
    ]
    return "\n".join(
        (
            "# Who may do what",
            "",
            "Made from `src/skykeep/service/rights.py`; a running site tells it at "
            "`GET /v1/rights`. What is not",
            "marked is refused with 403. In `/openapi.json` each route names its action, as what a "
            "token must be good",
            "for (`security`). The administrator's work, accounts, is at `/people` "
            "([people](people.md)).",
            "",
            f"| action | what it is | {' | '.join(heads)} |",
            "|---|---|" + "---|" * len(heads),
            *rows,
            "",
            "## How often",
            "",
            "What is costly has a budget for each person and each token. Beyond it the answer is "
            "429, with",
            "`Retry-After`, counted in `skykeep_requests_limited_total`. Sensors' batches and the "
            "commands of the",
            "watch have none of these.",
            "",
            "| action | at once | then, a minute |",
            "|---|---|---|",
            *budgets,
            "",
        )
    )


if __name__ == "__main__":
    print(as_markdown(), end="")
