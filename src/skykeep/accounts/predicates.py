# ruff: noqa: E501 - a pattern is easier to read in one line
"""Where a sentence attributes: verbs of saying, alone or in a phrase, each with its stance."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skykeep.accounts.statement import Stance
from skykeep.accounts.verbs import VERBS

_A, _D, _C = Stance.ASSERTS, Stance.DENIES, Stance.CANNOT_CONFIRM
_Q, _X, _W = Stance.QUESTIONS, Stance.DECLINES, Stance.WITHDRAWS


@dataclass(frozen=True, slots=True)
class Predicate:
    """From and until where it goes; `passive`: the speaker comes after "by" behind it;
    `phrase`: more than a verb, so that it says what it says whatever follows.
    """

    begin: int
    end: int
    stance: Stance
    passive: bool = False
    phrase: bool = False


_NOT = r"(?:n[o’']t|not)"
_HAVE = r"(?:(?:has|have|had|is|was|were|are)(?: since| later| now| also| still| so far| yet)? )?"
_LATE = r"(?:(?:since|later|now|also|on \w+|still|earlier|yet|repeatedly|again|so far) )*"
_PHRASES: list[tuple[str, Stance]] = [
    # declines
    (rf"{_HAVE}{_LATE}(?:declined|declines|refused|refuses|declining|refusing) (?:to|any|comment)\w*", _X),
    (rf"(?:would|will|did|does|do|has|have|had|could|can) ?{_NOT} (?:be drawn|(?:yet |so far "
     r"|immediately |further )*(?:comment\w*|discuss\w*|speculat\w+|elaborat\w+|respond\w*|reply|repl"
     r"ied|answer\w*|give details|say more|return))", _X),
    (rf"(?:has|have|had) so far {_NOT} (?:comment\w*|responded|replied|answered)", _X),
    (rf"(?:was|were) {_NOT} (?:immediately )?(?:available|reachable)", _X),
    (r"(?:gave|had|offered) no comment", _X),
    (r"wollten? sich (?:\w+ )?nicht[^.;]{0,40}? (?:äußern|einlassen)", _X),
    (r"wollten? (?:[A-ZÄÖÜ]\w+ )?(?:dazu )?(?:keine Angaben|nichts|sich nicht)", _X),
    (r"lehnten? [^.;]{0,40}?ab\b", _X),
    (r"(?:a|ont) (?:refusé|décliné) de\b", _X),
    (r"n['’](?:a|ont) pas (?:souhaité|voulu)\b", _X),
    # cannot confirm
    (rf"(?:could|can|did|does|do|has|have|had|was|were|is|are|would) ?{_NOT}(?: yet| immediately| been"
     r"| able| in a position| so far| to| independently)* (?:confirm\w*|verif\w+|validat\w+|corroborat\w+"
     r"|authenticat\w+|say (?:who|whe|how|wha|why|if)\w*|den(?:y|ied)|ascertain\w*|rule on)", _C),
    (r"cannot (?:yet |immediately |independently )*(?:confirm|verify|validate|say|corroborate)", _C),
    (r"(?:was|is|were|are|remained)(?: still| so far)* (?:unable|not able|not in a position) to"
     r" (?:\w+ )?(?:confirm|verify|validate|say|corroborate|authenticate)", _C),
    (r"(?:could |would |can )?(?:neither|nor) (?:confirm\w*|verif\w+)(?: n?or (?:deny|denied))?", _C),
    (r"konnten? (?:[^.;,]{0,40} )?nicht bestätigen", _C),
    (r"n['’](?:a|ont) pas (?:pu|été en mesure de) (?:confirmer|vérifier)", _C),
    (r"(?:a|ont) dit ne pas pouvoir (?:confirmer|vérifier)", _C),
    # withdraws
    (rf"{_HAVE}{_LATE}(?:took|taken|takes|take) (?:it |that |this )?back", _W),
    (rf"{_HAVE}{_LATE}(?:withdrew|withdrawn|withdraws|retracted|retracts|backed down|backtracked|"
     r"walked back|apologi[sz]ed for)", _W),
    (rf"{_HAVE}{_LATE}corrected (?:his|her|its|their|itself|himself|herself|an earlier|the)\b", _W),
    (r"no longer st(?:ands?|ood) by", _W),
    (r"(?:zog|zogen|nahm|nahmen) (?=[^.;]{0,120}\bzurück)", _W),
    (r"(?:est|sont) revenue?s? (?:\w+ )?sur", _W),
    (r"(?:a|ont) retiré", _W),
    # questions
    (r"(?:was|were|is|are)(?: \w+)? (?:sceptical|skeptical|not convinced|unconvinced|doubtful)", _Q),
    (r"(?:cast|casts|expressed|voiced|expresses) (?:\w+ )?doubts?", _Q),
    (r"(?:found|finds|find) it (?:hard|difficult) to believe", _Q),
    (r"s['’](?:est demandé|interrogeait|interroge)", _Q),
    # denies
    (r"(?:ruled|rules|laughed) (?:out|off)", _D),
    (r"(?:wies|wiesen) (?=[^.;]{0,160}\bzurück)", _D),
    (rf"{_HAVE}{_LATE}(?:categorically|strongly|firmly|flatly|strenuously|angrily|vehemently) "
     r"(?:denied|denies|rejected|rejects|dismissed)", _D),
    # asserts
    (r"(?:let it be known|made (?:it )?clear|pointed out|went on(?: to \w+)?|put the blame)", _A),
    (r"teilten? (?=[^.;]{0,60}\bmit\b)", _A),
]  # fmt: skip
_PHRASE = [(re.compile(rf"(?<![\w’'-])(?:{p})", re.I), s) for p, s in _PHRASES]
_VERB = re.compile(
    rf"(?<![\w’'-])(?:{'|'.join(sorted(VERBS, key=len, reverse=True))})(?![\w’'-])", re.I
)
_BE = re.compile(
    r"(?:\b(?:was|is|were|are|been|be|being|wurde[n]?|est|été|sont)(?: \w+ly| also| not)?)$"
)
_BY = re.compile(r"(?:[^.;:,\x01]{0,30}? )?(?:by|von|par) ")
_QUOTED_AS = re.compile(
    r"\b(?:was|is|were|are|been) (?:also )?(?:quoted|cited|reported)(?: [^.;\x01]{1,120}?)?,? as "
    r"(?:saying|telling|claiming)", re.I,
)  # fmt: skip
_IT_WAS = re.compile(r"\b(?:it|as) (?:was|is|has been|were)(?: \w+ly)?$", re.I)


def predicates_in(frame: str) -> list[Predicate]:
    """Those of a sentence's frame, in their order, none inside another."""
    found = [
        Predicate(m.start(), m.end(), stance, phrase=True)
        for pattern, stance in _PHRASE
        for m in pattern.finditer(frame)
    ]
    found += [Predicate(m.start(), m.end(), _A, phrase=True) for m in _QUOTED_AS.finditer(frame)]
    for m in _VERB.finditer(frame):
        before = frame[max(0, m.start() - 40) : m.start()].rstrip()
        stance = VERBS[m[0].casefold()]
        if _BE.search(before):
            if _BY.match(frame, m.end() + 1) or re.search(r"\bby\b", frame[: m.start()], re.I):
                found.append(Predicate(m.start(), m.end(), stance, passive=True))
            continue
        if (
            re.search(
                r"\b(?:to|the|a|an|of|his|her|its|their|no|those|these|such|any|several|some|zu)$",
                before,
                re.I,
            )
            and m[0][-1] not in "éi"
        ):
            continue  # an infinitive or a noun
        found.append(Predicate(m.start(), m.end(), stance))
    found.sort(key=lambda p: (p.begin, not p.phrase, -p.end))
    kept: list[Predicate] = []
    for p in found:
        if not kept or p.begin >= kept[-1].end:
            kept.append(p)
    return kept


# What the words themselves say of their stance, where the verb is one of saying.
_CONTENT: list[tuple[re.Pattern[str], Stance]] = [
    (re.compile(p, re.I), s)
    for p, s in [
        (r"(?:(?:\bnot|n[’']t) (?:going to |able to )?(?:comment|discuss|speculate)|no comment\b)|(?:\bnot|n[’']t) (?:want|wish) to (?:speculate|comment|discuss|say)", _X),
        (r"(?:\bnot|n[’']t|\bcannot|\bunable|\bneither)\b(?! rule)[^.;]{0,40}?\b(?:confirm|verif[yi]|validat|corroborat|"
         r"authenticat)\w*|\b(?:validation|verification|confirmation)\b[^.]*\bimpossible", _C),
        (r"\b(?:can|could) ?(?:not|n[’']t) say (?=who|whe|how|what|why|if)|\b(?:have|seen|had|has) no evidence|\bno way to (?:confirm|verify)|"
         r"\bnot in a position to|\bnicht bestätigen|\b(?:do|did|does) ?(?:not|n[’']t) know (?:if|whe|who|what)", _C),
        (r"\bno longer (?:say|hold|stand|stood|claim|believe)|\btake (?:that|it) back\b|\bI take back\b|"
         r"\b(?:withdrew|have withdrawn|took back)\b", _W),
        (r"\b(?:grain|pinch|spoon|shaker|spoonful) of salt\b|\bhard to believe\b|n[’']t buy (?:it|that|this)\b", _Q),
        (r"\bnothing to do with\b|\b(?:was|were|is)(?: not|n[’']t) (?:us|me|ours)\b|\bof ours\b(?=[^.]*\b(?:was|were|in)\b)"
         r"|\b(?:not|un)[ -]?true\b|\bbaseless\b|\bnonsense\b|\bfabricat\w+|\bfalse\b(?! flag)|\b(?:absurd|ludicrous|ridiculous)\b|\btale for\b|\b(?:invention|hoax|lies?)\b|"
         r"\bno truth\b|\bnot involved\b|\bhad no (?:part|role|hand|involvement)\b|\bno (?:involvement|responsibility)\b", _D),
        (r"\b(?:we|I|it|they|he|she|us|ours)\b (?:do|did|have|has|had|are|were|was|would)(?: not|n[’']t| never)"
         r" (?!comment|know|discuss|say|rule|close|believe|think|want|expect|see|have|need|intend|yet)\w+", _D),
        (r"^(?:it|they|we|I|he|she) (?:had|have|has) no (?:aircraft|drones?)\b", _D),
        (r"\bnot\b[^.]*\bby us\b", _D),
        (r"^(?:there (?:was|were|is) no|no (?:drone|aircraft|craft)s?(?: of ours)?|nothing)\b"
         r"[^.]*\b(?:wind|ours|fell|was|were|aircraft)\b", _D),
    ]
]  # fmt: skip


def stance_of(words: str, stance: Stance, quoted: bool) -> Stance:
    """The stance that words take which somebody only "said"."""
    if stance is not Stance.ASSERTS:
        return stance
    if quoted and words.rstrip().endswith("?"):
        return Stance.QUESTIONS
    return next((s for pattern, s in _CONTENT if pattern.search(words)), stance)
