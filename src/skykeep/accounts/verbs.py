"""Verbs of saying, each with the stance that it tells of."""

from __future__ import annotations

from skykeep.accounts.statement import Stance

_A, _D, _C = Stance.ASSERTS, Stance.DENIES, Stance.CANNOT_CONFIRM
_Q, _X, _W = Stance.QUESTIONS, Stance.DECLINES, Stance.WITHDRAWS
_VERBS = {
    _A:
        "said says saying told tells stated states claimed claims claiming added adds adding "
        "announced announces confirmed confirms reported reports wrote writes posted posts "
        "tweeted insisted insists maintained maintains explained explains noted notes argued "
        "argues warned warns stressed stresses alleged alleges accused accuses accusing blamed "
        "blames suggested suggests conceded concedes admitted admits acknowledged acknowledges "
        "recalled remarked remarks revealed reveals declared declares countered counters retorted "
        "replied replies responded responds vowed vows believes thinks cautioned cautions "
        "estimated estimates testified commented observed observes concluded concludes contends "
        "contended emphasised emphasized emphasises emphasizes disclosed asserted asserts "
        "indicated indicates described describes called calls regarded alluded assured advised "
        "urged urges promised promises demanded demands sagte sagt erklärte erklärt betonte "
        "betont berichtete "
        "berichtet meldete meldet versicherte behauptete behauptet teilte schrieb schreibt warnte "
        "warnt bestätigte ergänzte fügte äußerte kündigte mitteilte gab räumte annoncé annonce "
        "déclaré déclare affirmé affirme indiqué indique précisé précise assuré assure ajouté "
        "ajoute expliqué explique confirmé confirme estimé estime accusé accuse souligné souligne "
        "rapporté dit écrit signalé signale prévenu",
    _D:
        "denied denies denying rejected rejects rejecting dismissed dismisses dismissing refuted "
        "refutes disputed disputes disputing rebutted repudiated contradicted contradicts "
        "bestritt bestreitet dementierte dementiert wies verneinte leugnete démenti dément nié "
        "nie rejeté rejette réfuté réfute contesté conteste",
    _Q:
        "questioned questions doubted doubts doubting asked asks wondered wonders bezweifelte "
        "bezweifelt fragte fragt zweifelte interroge demandé demande doute",
    _W:
        "withdrew withdraws withdrawn retracted retracts corrected zog widerrief retiré retire",
}  # fmt: skip
VERBS: dict[str, Stance] = {w: s for s, text in _VERBS.items() for w in text.split()}
