"""Who speaks in an article: names with the offices they are given in, and organisations.

A first pass over all paragraphs gathers who is introduced and as what; then a subject ("she",
"the ministry", "Brandt") is resolved against that. Somebody of whom the article tells neither
office nor profession stays unknown, and a private person is known only not to be drafted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from skykeep.accounts.lexicon import (
    HE,
    IT,
    NAME_PARTICLES,
    NAMELESS,
    OFFICES,
    ORGANS,
    PRIVATE,
    STATES,
    TITLES,
    words_of,
)
from skykeep.accounts.statement import Speaker, SpeakerKind

TOKEN = re.compile(r"[^\W_]+(?:[’'.\-][^\W_]+)*['’]?|[,;:()]")
_POSSESSIVE = re.compile(r"[’']s?$")
_OPENERS = words_of(
    "but and so then yet however meanwhile earlier later also still while although though when "
    "in on at by for from with to as if it its the a an his her their our this that these those "
    "laut angaben nach denying asked pressed speaking after before since both some all one two "
    "three no not only "
    "either "
    "der die das ein eine einer dem den des seine ihre im am bei nach zu über aber und doch auch "
    "le la les l un une des son sa ses ce cette au aux en dans mais et selon"
)
_OWNS = re.compile(r"[’']s?$")
_ELISION = re.compile(r"^[ldLD][’']")
#: Appositions and relative clauses that tell an organisation or an office.
_ORG_CUE = re.compile(
    r"^, (?:which\b|whose\b|(?:a|an|the)\b[^,.]{0,60}\b(?:firm|group|maker|company|club|agency|"
    r"broadcaster|paper|newspaper|operator|network|charity|campaign|manufacturer|party)\b)"
)
_FIRST = re.compile(
    r"((?:The|An?|Its|Their) [\w’' -]{3,50}?|"
    r"[A-Z][\w’'.-]+(?: (?:of |for )?[A-Z][\w’'.-]+){0,4})(?: itself)?(?:, [^,]{3,60},)? "
    r"(?:is|are|was|were|has|have|had|gave|will|would|did|does|[a-z]{2,}(?:ed|s))\b"
)
#: No article introduces more; each name that comes up is looked for among them.
_MOST_NAMES = 400
_SAYINGS = words_of("statement communique communiqué message letter erklärung")
_GENERIC = words_of("company firm group club agency maker manufacturer organisation party "
                     "organization operator")  # fmt: skip
PROFESSIONS = words_of(
    "analyst expert professor researcher fellow historian lawyer scientist engineer physician "
    "doctor surgeon astronomer meteorologist economist consultant specialist academic lecturer "
    "attorney solicitor investigator experte expertin luftfahrtexperte forscher forscherin "
    "sicherheitsforscher chercheur chercheuse spécialiste analyste avocat avocate dr prof"
)


class Unresolved(Exception):  # noqa: N818 - says what it is
    """A subject that is nobody who may have a row; `private` where it is a private person."""

    def __init__(self, private: bool = False) -> None:
        super().__init__()
        self.private = private


@dataclass(slots=True)
class Person:
    """A named person as the article introduces them."""

    name: str
    roles: list[str] = field(default_factory=list)
    organisation: str = ""
    private: bool = False

    @property
    def surname(self) -> str:
        """The last of the names."""
        return self.name.split()[-1]


@dataclass(frozen=True, slots=True)
class Run:
    """Capitalised words in a row: the title in front, and what is left."""

    begin: int
    end: int
    title: tuple[str, ...]
    rest: tuple[str, ...]


def bare(word: str) -> str:
    """A word without its possessive ending and elided article."""
    return _ELISION.sub("", _POSSESSIVE.sub("", word))


def key(word: str) -> str:
    """A word as the lists have it."""
    return bare(word).casefold()


def runs_in(text: str) -> list[Run]:
    """Capitalised words in a row, with particles in between."""
    found: list[Run] = []
    words: list[re.Match[str]] = []

    def close() -> None:
        while words and (key(words[-1][0]) in NAME_PARTICLES or words[-1][0] in ("for", "the")):
            words.pop()
        while words and key(words[0][0]) in _OPENERS:
            words.pop(0)
        if words:
            found.append(_run(words))
        words.clear()

    last = 0
    tokens = list(TOKEN.finditer(text))
    for number, m in enumerate(tokens):
        between = text[last : m.start()]
        last = m.end()
        word = m[0]
        if words and between not in (" ", ". "):
            close()
        if between == ". " and words and len(bare(words[-1][0])) > 4:
            close()
        organ = (word == "for" and any(key(w[0]) in ORGANS for w in words)) or (
            word == "the" and bool(words) and words[-1][0] == "for"
        )
        if bare(word)[:1].isupper() or (words and (word in NAME_PARTICLES or organ)):
            words.append(m)
            following = key(tokens[number + 1][0]) if number + 1 < len(tokens) else ""
            if word.endswith(("'s", "’s")) and following not in ORGANS:
                close()
        else:
            close()
    close()
    return found


def _run(words: list[re.Match[str]]) -> Run:
    names = [m[0] for m in words]
    cut = 0
    for k, name in enumerate(names):
        if key(name) in OFFICES or (k == cut and key(name) in TITLES):
            cut = k + 1
    rest = names[cut:]
    while rest and rest[0] in NAME_PARTICLES:  # "Secretary of State Antony Blinken"
        rest = rest[2:] if len(rest) > 2 and key(rest[1]) in TITLES else []
    of = next((k for k, w in enumerate(rest) if w in ("of", "de") and k), 0)
    if of and not any(key(w) in ORGANS for w in rest[:of]) and (of > 1 or cut):
        end = words[len(names) - len(rest) + of - 1].end()
        return Run(words[0].start(), end, tuple(names[: len(names) - len(rest)]), tuple(rest[:of]))
    return Run(words[0].start(), words[-1].end(), tuple(names[: len(names) - len(rest)]),
               tuple(rest))  # fmt: skip


class Cast:
    """Everybody whom an article introduces."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.organs: dict[str, None] = {}
        self.last_person: Person | None = None
        self.last_organ = ""
        self.unnamed = ""  # an office that spoke, whose holder was not named yet

    def read(self, text: str) -> None:
        """Gather who is introduced in a paragraph."""
        text = re.sub(" [–—] ", ", ", text)
        for run in runs_in(text):
            if len(self.people) + len(self.organs) > _MOST_NAMES:
                return
            before, after = text[max(0, run.begin - 80) : run.begin], text[run.end : run.end + 160]
            self._introduce(run, before, after)
        for m in re.finditer(
            r"\b((?:[Pp]réfecture|[Mm]inistère|[Aa]éroport|[Gg]endarmerie|[Aa]mbassade|[Ss]yndicat|"
            r"[Mm]airie) (?:de la |de l[’']|de |des |du |d[’'])[^\W\d_][\w-]+)", text,
        ):  # fmt: skip
            self.organs.setdefault(m[1])

    def _introduce(self, run: Run, before: str, after: str) -> None:
        rest = run.rest
        if any(key(w) in ORGANS for w in rest) or (
            not rest and any(key(w) in ORGANS for w in run.title)
        ):
            name = " ".join(run.title + rest)
            if len(rest) > 2 and rest[-2] == "of":  # whose it is may speak for itself
                self.organs.setdefault(bare(rest[-1]))
            self.organs.setdefault(bare(name) if name.endswith(("'s", "’s")) else name)
            return
        if not rest:
            return
        name = " ".join(bare(w) for w in rest)
        role, organ = _role(run, before, after)
        if len(rest) == 1 and not run.title:
            self._single(name, run, before, after)
            return
        if len(rest) > 4:
            return
        person = self._known(name)
        if person is None:
            if len(rest) > 1 and not role and self._is_organ(before, after):
                self.organs.setdefault(name)
                return
            if not role and not _is_private(before, after):
                return
            person = self.people[name] = Person(name)
        if role and role not in person.roles:
            person.roles.append(role)
            person.organisation = person.organisation or organ
        if not person.roles and _is_private(before, after):
            person.private = True

    def _single(self, name: str, run: Run, before: str, after: str) -> None:
        if any(p.surname == name for p in self.people.values()):
            return
        if key(name) in STATES:
            self.organs.setdefault(name)
            return
        placed = re.search(r"\b(?:in|at|from|to|of|on|near|for|inside|over) $", before, re.I)
        role, organ = ("", "") if placed else _role(run, "", after)
        if role:
            self.people[name] = Person(name, [role], organ)
            return
        owns = run.rest[-1].endswith(("'s", "’s"))
        office = TOKEN.findall(after)[:3]
        if (owns and any(key(w) in OFFICES for w in office)) or self._is_organ(before, after):
            self.organs.setdefault(name)
        elif _is_private("", after) or _is_private(before[-25:], ""):
            self.people.setdefault(name, Person(name, private=True))

    def _is_organ(self, before: str, after: str) -> bool:
        if _ORG_CUE.match(after):
            return True
        m = re.search(r"([\w-]+) (?:of|at|for|with|chez|bei|beim) (?:the )?$", before)
        return m is not None and key(m[1]) in OFFICES

    def _known(self, name: str) -> Person | None:
        if name in self.people:
            return self.people[name]
        words = name.split()
        fits = [p for p in self.people.values() if p.surname == words[-1]]
        if len(words) == 1 and fits:
            return fits[-1]
        return next((p for p in fits if p.name.endswith(name) or name.endswith(p.name)), None)

    def resolve(self, subject: str) -> Speaker:
        """Who a subject is; Unresolved where nobody who may have a row."""
        words = [w for w in TOKEN.findall(subject) if w not in ",;:()"]
        keys = [key(w) for w in words]
        plain = [k for k in keys if k not in _OPENERS]
        if not words:
            raise Unresolved
        if plain and plain[-1] in _SAYINGS:
            return self._organ(self.last_organ)
        if len(words) <= 2 and keys[-1] in HE:
            return self._person(self.last_person)
        if len(words) <= 2 and keys[-1] in IT:
            return self._organ(self.last_organ)
        if keys[-1] in ORGANS and words[-1].islower() and any(_OWNS.search(w) for w in words[:-1]):
            kept = words[1:] if keys[0] in _OPENERS else words
            return self._organ(" ".join(kept[-6:]))  # "President Holm's office"
        for run in runs_in(subject):
            if not run.rest or any(key(w) in ORGANS for w in run.rest):
                continue
            person = self._known(" ".join(bare(w) for w in run.rest))
            if person is not None and not run.rest[-1].endswith(("'s", "’s")):
                if any(k in PRIVATE for k in plain) and not person.roles:
                    person.private = True
                return self._person(person)
        if any(k in NAMELESS for k in plain):
            raise Unresolved
        self._named_now(subject)
        offices = [k for k in plain if k in OFFICES]
        organs = [k for k in plain if k in ORGANS]
        if not offices and not organs and any(k in PRIVATE for k in plain):
            raise Unresolved(private=True)
        if offices:
            return self._office(subject, words, offices)
        named = self._named(subject)
        if named:
            return self._organ(named)
        if self.unnamed and len(self.people) and not organs:
            found = next((p for p in self.people.values() if self.unnamed in p.roles), None)
            if found is not None and found.name in subject:
                return self._person(found)
        if organs:
            return self._organ(self._short(words, organs))
        if 2 <= len(words[-1]) <= 5 and words[-1].isupper() and len(words) <= 2:
            return self._organ(words[-1])
        raise Unresolved

    def _named_now(self, subject: str) -> None:
        """The first name without an office after an office without a name: they are one."""
        names = [r for r in runs_in(subject) if len(r.rest) in (2, 3) and not r.title]
        if not self.unnamed or len(names) != 1 or subject.strip(" ,") != " ".join(names[0].rest):
            return
        name = " ".join(names[0].rest)
        if self._known(name) is None and name not in self.organs:
            self.people[name] = Person(name, [self.unnamed], self.last_organ)

    def holder(self, speaker: Speaker) -> Speaker:
        """Who holds an office that spoke without a name, if the article tells later."""
        if speaker.name != speaker.role:
            return speaker
        found = next((p for p in self.people.values() if speaker.role in p.roles), None)
        return speaker if found is None else replace(speaker, name=found.name)

    def mentioned(self, text: str) -> list[Person]:
        """The people with an office whom a stretch names."""
        found: dict[str, Person] = {}
        for run in runs_in(text):
            person = self._known(" ".join(bare(w) for w in run.rest)) if run.rest else None
            if person is not None and person.roles:
                found[person.name] = person
        return list(found.values())

    def spoken_of(self, sentence: str) -> None:
        """A sentence's subject is who the next one's pronouns mean."""
        m = _FIRST.match(sentence)
        if m is None:
            return
        before = (self.last_person, self.last_organ, self.unnamed)
        try:
            self.resolve(m[1])
        except Unresolved:
            self.last_person, self.last_organ, self.unnamed = before

    def organ_in(self, front: str) -> None:
        """The organisation that a sentence names before "it"."""
        self.last_organ = self._named(front) or self.last_organ

    def _person(self, person: Person | None) -> Speaker:
        if person is None:
            raise Unresolved
        if not person.roles:
            raise Unresolved(private=person.private)
        self.last_person = person
        role = person.roles[0]
        profession = any(key(w) in PROFESSIONS for w in TOKEN.findall(role))
        kind = SpeakerKind.PROFESSIONAL if profession else SpeakerKind.OFFICE_HOLDER
        if person.organisation:
            self.last_organ = person.organisation
        return Speaker(kind, person.name, role, person.organisation)

    def _organ(self, name: str) -> Speaker:
        if not name:
            raise Unresolved
        self.last_organ = name
        return Speaker(SpeakerKind.ORGANISATION, name, "", name)

    def _office(self, subject: str, words: list[str], offices: list[str]) -> Speaker:
        """An office without a name: who holds it in this article, or whose office it is."""
        indefinite = words[0].casefold() in ("a", "an", "ein", "eine", "un", "une")
        if not indefinite:
            holders = [
                p for p in self.people.values()
                if any(o in (key(w) for w in TOKEN.findall(r)) for r in p.roles for o in offices)
            ]  # fmt: skip
            if self.last_person in holders and self.last_person is not None:
                return self._person(self.last_person)
            subject_keys = {key(w) for w in words}
            holders.sort(key=lambda p: -len(
                subject_keys & {key(w) for r in p.roles for w in TOKEN.findall(r)}
            ))  # fmt: skip
            if holders:
                return self._person(holders[0])
        named = self._named(subject)
        if named and indefinite:
            return self._organ(named)
        if indefinite and len(words) < 3:
            raise Unresolved
        at = next(k for k, w in enumerate(words) if key(w) in OFFICES)
        first = max((k + 1 for k in range(at) if words[k].casefold() in _OPENERS), default=0)
        name = " ".join(words[first : first + 8])
        if not indefinite:
            self.unnamed = name
        return Speaker(SpeakerKind.OFFICE_HOLDER, name, name, named or name)

    def _named(self, subject: str) -> str:
        """The organisation that a subject names, in the article's fullest form."""
        found = [o for o in self.organs if re.search(rf"\b{re.escape(o)}(?!\w)", subject)]
        found += [s.title() for s in (key(w) for w in TOKEN.findall(subject)) if s in STATES]
        if not found:
            return ""
        best = max(found, key=len)
        if not any(key(w) in ORGANS for w in best.split()):
            return best
        longer = [o for o in self.organs if set(best.split()) < set(o.split())]
        return longer[0] if longer else best

    def _short(self, words: list[str], organs: list[str]) -> str:
        """ "The ministry", "its press office": the organisation that was spoken of last."""
        if words[0].casefold() in ("its", "their"):
            return self.last_organ
        if organs[-1] in (key(w) for w in self.last_organ.split()):
            return self.last_organ
        fits = [o for o in self.organs if organs[-1] in (key(w) for w in o.split())]
        if fits and len(words) <= 3:
            return fits[-1] if len(fits) == 1 else fits[0]
        if organs[-1] in _GENERIC and len(words) <= 3:
            return self.last_organ
        kept = words[1:] if words[0].casefold() in _OPENERS else words
        return " ".join(kept[:6])


def _role(run: Run, before: str, after: str) -> tuple[str, str]:
    """The office that a name is introduced with, and whose; empty where none is told."""
    title = " ".join(run.title)
    m = re.match(r",? (?:of|from|at|de|der|von) ((?:the |la |le )?[A-ZÀ-Þ][^,.;:]{2,50})", after)
    organ = _first_name(m[1]) if m else ""
    member = m[1] if m else ""
    if any(key(w) in OFFICES for w in run.title):
        return title, organ
    m = re.match(
        r",? (?:\([^)]{1,40}\),? )?((?:who|the|a|an|its|whose|der|die|l[’'])?\b ?[^,.;:]{3,90})",
        after,
    )
    if m and after.startswith(","):
        told = m[1]
        head = re.split(r"\b(?:of|at|for|in|with|de|der|des|an)\b|\b\w+[’']s\b", told)
        if any(key(w) in OFFICES for w in TOKEN.findall(told)[:6]) and not any(
            key(w) in PRIVATE for w in TOKEN.findall(head[0])
        ):
            return told, _first_name(told)
    m = re.search(r"([^.;:!?\"“”\x01]{2,70}?)(,?) $", before)
    if m:
        told = m[1].rsplit(",", 1)[-1].strip().removeprefix("according to ")
        words = TOKEN.findall(told)
        near = words[-7:] if m[2] else words[-2:]
        if any(key(w) in OFFICES for w in near) and not (
            m[2] and re.search(r"\b(?:said|says|told|by)\b", told)
        ):
            return " ".join(words[-7:]), _first_name(told)
    if len(run.rest) > 1 and (
        any(key(w) in ORGANS for w in TOKEN.findall(member)) or "think tank" in member
    ):
        return f"of {member}", organ
    return "", ""


def _first_name(text: str) -> str:
    names = [" ".join(bare(w) for w in r.title + r.rest) for r in runs_in(text)]
    return max(names, key=len, default="")


def _is_private(before: str, after: str) -> bool:
    front = [key(w) for w in TOKEN.findall(before)[-3:]]
    m = re.match(r",? ?\d{1,3},|, (?:a|an|who|the)\b ([^,.;:]{0,40})", after)
    if m and m[0][-2:-1].isdigit():  # whose age is told is no office-holder
        return True
    told = [key(w) for w in TOKEN.findall(m[0])] if m else []
    return any(k in PRIVATE for k in (*front, *told))
