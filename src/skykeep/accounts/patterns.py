"""Patterns of attribution around a verb of saying: who is in front of it, what follows it."""

from __future__ import annotations

import re

HEDGES = re.compile(
    r"\b(?:allegedly|apparently|reportedly|presumably|possibly|probably|perhaps|likely|may have|"
    r"might have|could have|seems? to|appears? to|suspected|believed to|vermutlich|offenbar|"
    r"möglicherweise|wahrscheinlich|mutmaßlich\w*|probablement|peut-être|aurait|auraient)\b", re.I,
)  # fmt: skip
ACCORDING = re.compile(
    r"\b(?:according to|in the words of|selon|d[’']après|laut|nach angaben (?:von|der|des)?)\s+",
    re.I,
)
SUBJECT_END = re.compile(
    r"(?:\s+(?:has|have|had|was|is|were|are|also|later|earlier|then|since|again|first|once|"
    r"previously|already|still|now|only|even|just|further|repeatedly|meanwhile|however|therefore|"
    r"\w+ly|ist|hat|haben|habe|a|ont|est|s[’']|n[’']|himself|herself|itself|themselves|"
    r"(?:on|late on|early on|am) [A-Z]\w+|today|yesterday|in (?:a|an|its|his|her|their) "
    r"(?:\w+ )?(?:statement|message|email|letter|briefing|reply|post|communique|interview|report)"
    r"|(?:in|at|for) [A-Z]\w+|through (?:a|his|her) \w+|by (?:telephone|phone|email)|did|would))+$"
)
RELATIVE = re.compile(r"^(?:who|which|whose|that|where|der|die|das|qui)\b", re.I)
PARTICIPLE = re.compile(r"\b(?:adding|saying|and|but|claiming|noting|warning|stressing)$", re.I)
LINK = re.compile(r"^(?:\s*,)?\s*(?:that|dass|daß|que|qu[’'](?=\w))\s*", re.I)
TOLD = re.compile(r"^\s+[^,:;\x01]{1,90}?\b(?:that|dass|que)\s+")
TOLD_WHOM = re.compile(
    r"^ (?:the )?(?:[A-Z]\w+|reporters|journalists|parliament|lawmakers|them|him|her|us|me)"
    r"(?: (?:on [A-Z]\w+|later|in [A-Z]\w+))?\s+(?!that\b)"
)
TAIL_PP = re.compile(
    r"^\s*(?:,|$|\.|(?:on|in|at|to|after|before|during|by|when|while|late|early|outside|through|with|"
    r"from|for|yesterday|today|as|reporters|journalists|am|gegenüber|à|lors|mardi|lundi)\b)", re.I,
)  # fmt: skip
FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|fell|came|broke|flew|went|"
    r"stood|hit|struck|began|saw|took|do|does|did|ist|sind|war|waren|hat|haben|wurden?|a|ont|est|sont|"
    r"[a-z]{3,}(?:ed|s)|don[’']t|won[’']t|can[’']t)\b"
)
OPENING = re.compile(
    r"((?:Denying|Rejecting|Dismissing|Disputing) [^\x01]+?), ([A-Z][\w’' .-]{1,60}?) (?=\w+)"
)
BEGINNING = re.compile(
    r"((?:The |An? )?[^,]{3,60}?(?:, [^,]{3,60},)?) (?:is|was|has|have|are|were|\w+ed)\b"
)
PRONOUN = re.compile(r"(?:him|her|it|them|that|this|so|each other|one another)", re.I)
WHITE = " \t,;:—–-"
