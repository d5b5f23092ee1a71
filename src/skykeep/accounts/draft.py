"""Draft rows from an article: who says what, for a person to confirm or correct.

Rules and word lists, no model: the same article gives the same rows, and each row points at its
characters. What is doubtful is not drafted but listed, with the reason; the words of private
persons and commenters are counted and never listed.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from skykeep.accounts.drafted import Draft, DraftRow, NotUnderstood
from skykeep.accounts.lexicon import WEAK
from skykeep.accounts.page import Paragraph, read_page
from skykeep.accounts.patterns import (
    ACCORDING,
    BEGINNING,
    FINITE,
    HEDGES,
    LINK,
    OPENING,
    PARTICIPLE,
    PRONOUN,
    RELATIVE,
    SUBJECT_END,
    TAIL_PP,
    TOLD,
    TOLD_WHOM,
    WHITE,
)
from skykeep.accounts.phrases import LONGEST_SENTENCE, QUOTED, Quote, Sentence, sentences_in
from skykeep.accounts.predicates import Predicate, predicates_in, stance_of
from skykeep.accounts.speakers import Cast, Unresolved
from skykeep.accounts.statement import Speaker, Stance

#: So much that was not understood is listed; the rest is counted.
MOST_LISTED = 200
MOST_ROWS = 5_000
LEAST_WORDS = 2


def draft(source: str) -> Draft:
    """The rows of an article, text or HTML; InputError where it is longer than any article."""
    page = read_page(source)
    result = Draft(comments_left_out=max(0, page.comments), parts_left_out=page.left_out)
    cast = Cast()
    told = [p for p in page.paragraphs if not p.heading]
    for paragraph in told:
        cast.read(paragraph.text)
    reader = _Reader(result, cast)
    for paragraph in told:
        if len(result.rows) >= MOST_ROWS:
            result.not_listed += 1
            continue
        reader.read(paragraph)
    for k, row in enumerate(result.rows):  # an office that spoke first and was named later
        name = cast.holder(row.speaker)
        result.rows[k] = replace(row, speaker=name)
    return result


@dataclass(slots=True)
class _Found:
    """An attribution inside a paragraph: words from `begin` until `end`, parts joined by " … "."""

    speaker: Speaker
    stance: Stance
    parts: list[tuple[int, int]]
    quoted: bool


class _Reader:
    """Goes through an article's paragraphs and remembers who spoke last."""

    def __init__(self, result: Draft, cast: Cast) -> None:
        self.result, self.cast = result, cast
        self.last: Speaker | None = None  # of the sentence before, where its words may go on
        self.paragraph = Paragraph("", (), ())
        self.text = self.frame = ""

    def read(self, paragraph: Paragraph) -> None:
        """Draft the rows of a paragraph."""
        self.paragraph, self.text = paragraph, paragraph.text
        self.frame, sentences = sentences_in(paragraph.text)
        due = self.last
        for number, sentence in enumerate(sentences):
            if sentence.end - sentence.begin > LONGEST_SENTENCE:
                self._miss(sentence, "is longer than a sentence")
                self.last = None
                continue
            if number:
                due = self.last
            self._sentence(sentence, due)

    def _sentence(self, s: Sentence, due: Speaker | None) -> None:
        frame = self.frame[s.begin : s.end]
        only = frame.strip(QUOTED + " .,")
        if not only and s.quotes:  # somebody's words go on
            if due is None:
                self._miss(s, "says nobody who speaks")
                return
            for q in s.quotes:
                self._keep(_Found(due, Stance.ASSERTS, [(q.begin, q.end)], True))
            self.last = due
            return
        found, why, private = self._attributions(s, frame)
        if private:
            self.result.private_left_out += 1
            self.last = None
            return
        for each in found:
            self._keep(each)
        self.last = found[-1].speaker if found else None
        if not found:
            self.cast.spoken_of(frame)
            self._mention(frame)
        if not found and why:
            self._miss(s, why)

    def _attributions(self, s: Sentence, frame: str) -> tuple[list[_Found], str, bool]:
        """What a sentence attributes; else why it may and was not understood."""
        found: list[_Found] = []
        why = (
            "" if not any(q.end - q.begin > 25 for q in s.quotes) else "a quotation without speaker"
        )
        m = ACCORDING.search(frame)
        if m is not None:
            try:
                each = self._according(s, frame, m)
            except Unresolved as no:
                return [], "a source that is not known", no.private
            if each is not None:
                return [each], "", False
        busy = 0
        previous: Speaker | None = None
        for p in self._opened(s, frame, found):
            if p.begin < busy and not self._goes_on(frame, p):
                continue
            try:
                subject, begin, right = self._subject(frame, p, previous)
                each = self._content(s, frame, p, begin, right, subject)
            except Unresolved as no:
                if no.private and not found:
                    return [], "", True
                why = why or "a speaker of whom neither office nor profession is told"
                continue
            if each is None:
                continue
            if found and p.begin < busy:
                self._cut(found[-1], s.begin + p.begin)
            found.append(each)
            previous = subject
            busy = max(b for _, b in each.parts) - s.begin
        return found, why, False

    def _opened(self, s: Sentence, frame: str, found: list[_Found]) -> list[Predicate]:
        """ "Denying that ..., X said ...": the predicates from X on, the denial found."""
        every = predicates_in(frame)
        m = OPENING.match(frame)
        if m is None or not every or every[0].begin:
            return every
        rest = [p for p in every if p.begin >= m.end(2)]
        if rest:
            with suppress(Unresolved):
                speaker, _ = self._left(m[2])
                found.append(self._made(s, speaker, every[0], [(0, m.end(1))], False))
        return rest

    def _goes_on(self, frame: str, p: Predicate) -> bool:
        """Whether a verb inside somebody's words is the article's own again."""
        before = frame[: p.begin].rstrip()
        return frame[p.begin : p.end] in ("adding", "saying") or bool(
            re.search(r"[,;] (?:and|but)$|;$", before)
        )

    def _cut(self, found: _Found, at: int) -> None:
        begin, end = found.parts[-1]
        end = min(end, at)
        kept = self.text[begin:end].rstrip(WHITE)
        kept = re.sub(r"[,;]? ?\b(?:and|but|adding|saying)$", "", kept)
        found.parts[-1] = (begin, begin + len(kept))

    # Who

    def _subject(
        self, frame: str, p: Predicate, previous: Speaker | None
    ) -> tuple[Speaker, int, int]:
        """The speaker, where the subject begins, and where it ends if it follows the verb."""
        if p.passive:
            return self._passive(frame, p)
        begin = max(frame.rfind(QUOTED, 0, p.begin) + 1, frame.rfind(";", 0, p.begin) + 1,
                    frame.rfind(": ", 0, p.begin) + 1)  # fmt: skip
        left = frame[begin : p.begin]
        if previous is not None and (
            frame[p.begin : p.end] in ("adding", "saying") or PARTICIPLE.search(left.rstrip())
        ):
            return previous, p.begin, 0
        inner = re.match(r"wollten? ([A-ZÄÖÜ]\w+) ", frame[p.begin :])
        if inner:
            return self.cast.resolve(inner[1]), p.begin, 0
        if frame[p.begin : p.end] in ("adding", "saying"):
            m = BEGINNING.match(frame)
            if m is None:
                raise Unresolved
            return self.cast.resolve(m[1]), p.begin, 0
        said = re.search(r"(?:^|[ ,])(?:a|ont)-t-(il|elle|ils|elles)$", left.rstrip())
        if said:
            return self.cast.resolve(said[1]), p.begin - len(said[0]), p.end
        stripped = SUBJECT_END.sub("", " " + left.rstrip(" "))[1:]
        self._mention(frame[: p.begin])
        if stripped.strip(" ,—–"):
            try:
                speaker, at = self._left(stripped)
                return speaker, begin + at, 0
            except Unresolved as no:
                inverted = self._may_invert(frame, p)
                if no.private or not inverted:
                    raise
        elif not self._may_invert(frame, p):
            raise Unresolved
        return self._right(frame, p)

    def _mention(self, front: str) -> None:
        """Whoever alone a sentence names in front of a pronoun is who it means."""
        if re.search(r"[\s,]it(?: \w+)?$", front.rstrip()):
            self.cast.organ_in(front)
        named = self.cast.mentioned(front)
        if len(named) == 1:
            self.cast.last_person = named[0]

    def _may_invert(self, frame: str, p: Predicate) -> bool:
        before = re.sub(r" (?:a|ont|hat|haben|has|had|have)$", "", frame[: p.begin].rstrip())
        after = frame[p.end : p.end + 2]
        return (
            bool(before)
            and before[-1] in f"{QUOTED},"
            and after.startswith(" ")
            and (not p.phrase or p.stance is Stance.QUESTIONS)
        )

    def _left(self, left: str) -> tuple[Speaker, int]:
        """A subject in front of its verb: the last name or noun, with what is put beside it."""
        parts = _segments(left)
        closed = left.rstrip().endswith(",")
        last = [(a, t) for a, t in parts if t.strip()]
        if not last:
            raise Unresolved
        if closed and len(last) >= 2:
            for k in (2, 3, 4):
                if len(last) < k:
                    break
                head_at, head = last[-k]
                whole = left[head_at:].rstrip(" ,")
                beside = last[1 - k][1]
                tries = [head, beside, whole]
                if self.cast.mentioned(beside) and not self.cast.mentioned(head):
                    tries = [beside, head, whole]
                for text in tries:
                    try:
                        if text is beside and RELATIVE.match(text.strip()):
                            continue
                        return self.cast.resolve(text), head_at
                    except Unresolved as no:
                        if no.private:
                            raise
            raise Unresolved
        at, text = last[-1]
        return self.cast.resolve(_clause_subject(text)), at

    def _right(self, frame: str, p: Predicate) -> tuple[Speaker, int, int]:
        """A subject behind its verb: "said Petra Lind, secretary of the union"."""
        rest = re.match(r"[^.;:\x01]*", frame[p.end :])
        text = rest[0] if rest else ""
        parts = _segments(text)
        head = parts[0][1] if parts else ""
        try:
            speaker = self.cast.resolve(re.split(r" (?:on|in a|after|when|as) ", head)[0])
        except Unresolved as no:
            if no.private or len(parts) < 2:
                raise
            speaker = self.cast.resolve(", ".join(t for _, t in parts[:2]))
        return speaker, p.begin, p.end + len(text)

    def _passive(self, frame: str, p: Predicate) -> tuple[Speaker, int, int]:
        m = re.match(r"(?:[^.;:,\x01]{0,30}? )?(?:by|von|par) ([^,;:\x01]+)", frame[p.end + 1 :])
        if m is None:
            m = re.match(r"[Bb]y ([^,;:\x01]+?) (?:it|this|that) (?:was|is|has)", frame)
            if m is None:
                raise Unresolved
            return self.cast.resolve(m[1]), 0, p.end
        name = re.split(r" (?:that|as|in|on|at|to) ", m[1])[0]
        speaker = self.cast.resolve(name)
        return speaker, p.begin, p.end + 1 + m.start(1) + len(name)

    # What

    def _content(
        self, s: Sentence, frame: str, p: Predicate, begin: int, right: int, speaker: Speaker
    ) -> _Found | None:
        quotes = [Quote(*(x - s.begin for x in (q.begin, q.end, q.outer_begin, q.outer_end)))
                  for q in s.quotes]  # fmt: skip
        after = right or p.end
        before = next((q for q in reversed(quotes) if q.outer_end <= begin), None)
        following = next((q for q in quotes if q.outer_begin >= p.end), None)
        verb = frame[p.begin : p.end].casefold()
        said = p.stance in (Stance.ASSERTS, Stance.QUESTIONS)
        parts: list[tuple[int, int]] = []
        between = frame[before.outer_end : begin] if before else ""
        if right:
            between = re.sub(r" (?:a|ont|has|had|hat)$", "", between.rstrip())
        if said and before and not between.strip(" ,—–"):
            parts = [(before.begin, before.end)]
            if following and frame[after : following.outer_begin].strip() in ("", ",", ", and"):
                parts.append((following.begin, following.end))
            return self._made(s, speaker, p, parts, True)
        if said and following and self._introduces(frame[after : following.outer_begin]):
            return self._made(s, speaker, p, [(following.begin, following.end)], True)
        if p.passive and begin == 0 and after == p.end:  # "By X it was asked whether ..."
            begin = p.begin
        if p.passive:
            m = re.search(r"\b(?:it|as) (?:was|is|has been) (?:\w+ly )?$", frame[: p.begin])
            begin = m.start() if m else begin
        fronted = self._fronted(frame, begin, after, p)
        if fronted:
            return self._made(s, speaker, p, [fronted], False)
        start, end = p.begin, len(frame.rstrip(" .!"))
        if p.stance is Stance.ASSERTS and verb not in ("accused", "accuses", "blamed", "blames"):
            start = self._start(frame, after, p)
            if verb in WEAK and not LINK.match(frame[after:]) and not following and verb not in (
                "confirmed", "reported", "called", "states", "reports", "calls",
            ):  # fmt: skip
                return None
        if p.passive:
            start = self._start(frame, after, p)
        colon = re.match(r"^[^:;\x01]{0,60}?: (?=\S)", frame[start:])
        if colon and p.stance is Stance.ASSERTS:
            start += colon.end()
        if (
            p.phrase
            and p.stance in (Stance.QUESTIONS, Stance.WITHDRAWS)
            and not frame[p.end :].strip(" .!")
        ):
            return None
        if p.stance is not Stance.DECLINES and PRONOUN.fullmatch(frame[p.end :].strip(" .!")):
            return None  # "contradicted her": what, the sentence does not say
        words = frame[start:end].replace(QUOTED, "q").split()
        if len(words) < LEAST_WORDS:
            return None
        return self._made(s, speaker, p, [(start, end)], False)

    def _introduces(self, between: str) -> bool:
        """Whether a quotation that follows is the words themselves, not a part of a clause."""
        between = between.rstrip()
        if between.endswith(":"):
            return len(between) < 120
        if between.endswith(","):
            return len(between) < 60 and not re.search(r"\bthat\b", between)
        if not between.strip():
            return True
        return bool(
            re.fullmatch(r" (?:reporters|journalists|[A-Z]\w+|the \w+|as|the \w+ \w+)", between)
        )

    def _fronted(self, frame: str, begin: int, after: int, p: Predicate) -> tuple[int, int] | None:
        """The clause in front of ", X said", where nothing that was said follows."""
        if p.stance is not Stance.ASSERTS and p.stance is not Stance.CANNOT_CONFIRM:
            return None
        front = frame[:begin].rstrip()
        if not front.endswith(",") or (QUOTED in front.strip(QUOTED) and front.startswith(QUOTED)):
            return None
        front = front.rstrip(", ")
        tail = frame[after:].strip(" .")
        told = frame[p.begin : p.end] in ("told", "tells") and len(tail.split()) <= 5
        if not FINITE.search(front):
            return None
        if len(front.split()) < 3 or re.match(
            r"(?:in|on|at|after|when|asked|earlier|while|if|under|"
            r"as|speaking|denying|pressed)\b",
            front,
            re.I,
        ):
            return None
        if re.match(r"(?:that|dass|que)\b|:", tail) or not (told or TAIL_PP.match(frame[after:])):
            return None
        if p.phrase and p.stance is not Stance.ASSERTS:
            return None
        return len(frame[:begin]) - len(frame[:begin].lstrip()), len(front)

    def _start(self, frame: str, after: int, p: Predicate) -> int:
        """Where the clause begins that was said."""
        verb = frame[p.begin : p.end].casefold()
        if "tell" in verb or verb in ("told", "informed", "assured"):
            m = TOLD.match(frame[after:])
            m = m or TOLD_WHOM.match(frame[after:])
            if m:
                return after + m.end()
        m = LINK.match(frame[after:]) or re.match(
            r"^ (?:to|in|on|at|during|late|early|by|through|via|again|today|mardi|am|au)\b"
            r"[^,:;\x01]{0,60}? (?:that|dass|que|qu[’'])\s*", frame[after:]
        ) or re.match(r"^[ ,]*", frame[after:])  # fmt: skip
        return after + (m.end() if m else 0)

    def _according(self, s: Sentence, frame: str, m: re.Match[str]) -> _Found | None:
        """ "According to X, ..." and "..., according to X"."""
        rest = frame[m.end() :]
        head = re.match(r"[^,.;:\x01]+(?:, [^,.;:\x01]{3,80}(?=,))?", rest)
        if head is None:
            return None
        opens = not frame[: m.start()].strip()
        name, stop = head[0], m.end() + head.end()
        german = m[0].casefold().startswith(("laut", "nach"))
        if german:
            verb = re.search(
                r" (?=(?:ist|sind|war|waren|wurden?|hat|haben|reicht|\w+t|in|am|um|auf)\b)", name
            )
            if verb is not None:
                name, stop = name[: verb.start()], m.end() + verb.start()
        speaker = self.cast.resolve(name)
        stance, quoted = Stance.ASSERTS, False
        if opens or german:
            begin = stop + len(frame[stop:]) - len(frame[stop:].lstrip(WHITE))
            part = (begin, len(frame.rstrip(" .!")))
        else:
            begin = len(frame[: m.start()]) - len(frame[: m.start()].lstrip(WHITE))
            part = (begin, len(frame[: m.start()].rstrip(WHITE)))
        if part[1] - part[0] < 8:
            return None
        fake = Predicate(m.start(), m.end(), stance)
        return self._made(s, speaker, fake, [part], quoted)

    def _made(
        self,
        s: Sentence,
        speaker: Speaker,
        p: Predicate,
        parts: list[tuple[int, int]],
        quoted: bool,
    ) -> _Found:
        moved = [(s.begin + a, s.begin + b) for a, b in parts]
        return _Found(speaker, p.stance, moved, quoted)

    def _keep(self, found: _Found) -> None:
        words = " … ".join(self.text[a:b].strip() for a, b in found.parts)
        if len(words.split()) < LEAST_WORDS:
            return
        begin, end = found.parts[0][0], found.parts[-1][1]
        self.result.rows.append(
            DraftRow(
                found.speaker,
                stance_of(words, found.stance, found.quoted),
                words,
                self.paragraph.position(begin, end),
                found.quoted,
                tuple(dict.fromkeys(m[0] for m in HEDGES.finditer(words))),
            )
        )

    def _miss(self, s: Sentence, why: str) -> None:
        if len(self.result.not_understood) >= MOST_LISTED:
            self.result.not_listed += 1
            return
        words = self.text[s.begin : s.end][:300]
        place = self.paragraph.position(s.begin, s.end)
        self.result.not_understood.append(NotUnderstood(place, words, why))


def _segments(text: str) -> list[tuple[int, str]]:
    """The parts between commas with their places."""
    found, at = [], 0
    for piece in text.split(","):
        found.append((at + len(piece) - len(piece.lstrip()), piece.strip()))
        at += len(piece) + 1
    return found


def _clause_subject(text: str) -> str:
    """The last clause's subject of a stretch without commas."""
    return re.split(r"\b(?:but|that|while|whereas|because|after|when|and then|aber|mais)\s", text)[
        -1
    ]
