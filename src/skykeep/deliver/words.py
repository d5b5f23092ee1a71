"""The words that go out, by language: few, plain, and none about intent.

A test reads all of them. What is added here is translated into every language of the table.
"""

from __future__ import annotations

#: By language (ISO 639-1), then by what is meant. `{}` is filled in by whoever says it.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "exercise": "EXERCISE EXERCISE EXERCISE",
        "handed_over": "Alert {alert}, priority {priority}, is handed to you.",
        "withdrawn": "Taken back: {id}. {why}",
        "answer": "Please acknowledge by {by} here: {link}",
        "answer_otherwise": "Please acknowledge by {by}. Number of this hand-over: {id}",
        "track": "{track}: {permission}, {confirmation}; {lat}, {lon}, give or take {ce} m",
        "zone": "Zone: {zones}",
        "note": "Note: {note}",
        "take_cover": "TAKE COVER. Go inside, away from windows and roofs, and stay there.",
        "hold_event": "HOLD THE EVENT. Let nobody in or out until you hear from us again.",
        "all_clear": "ALL CLEAR. You may go on as before.",
        "permitted": "has a permit",
        "not_permitted": "has no permit",
        "undetermined": "permission cannot be told",
        "not_subject": "the ban does not apply to it",
        "unverified": "nobody has confirmed it",
        "corroborated": "corroborated",
        "confirmed": "confirmed",
        "identified_as_other": "identified as something else",
        "closed_undetermined": "never determined",
        "disputed": "assessments differ",
        "warn_event": "drone in a no-drone zone",
        "warn_headline": "A drone is flying at {area} without permission.",
        "warn_description": "A drone is flying at {area} without permission. What it is "
        "doing there is not known.",
        "warn_instruction": "Go inside and stay away from windows. If something falls "
        "down, keep away from it and call the police.",
        "over_headline": "All clear at {area}.",
        "over_description": "The warning about a drone at {area} is over.",
        "over_instruction": "Nothing need be done any more. Do not touch parts that fell down.",
    },
    "de": {
        "exercise": "ÜBUNG ÜBUNG ÜBUNG",
        "handed_over": "Alarm {alert}, Priorität {priority}, wird Ihnen übergeben.",
        "withdrawn": "Zurückgenommen: {id}. {why}",
        "answer": "Bitte bestätigen Sie bis {by} hier: {link}",
        "answer_otherwise": "Bitte bestätigen Sie bis {by}. Nummer der Übergabe: {id}",
        "track": "{track}: {permission}, {confirmation}; {lat}, {lon}, auf {ce} m genau",
        "zone": "Zone: {zones}",
        "note": "Hinweis: {note}",
        "take_cover": "IN DECKUNG. Gehen Sie nach drinnen, weg von Fenstern und Dächern, "
        "und bleiben Sie dort.",
        "hold_event": "VERANSTALTUNG ANHALTEN. Lassen Sie niemanden hinein oder hinaus, bis Sie "
        "wieder von uns hören.",
        "all_clear": "ENTWARNUNG. Sie können weitermachen wie zuvor.",
        "permitted": "hat eine Genehmigung",
        "not_permitted": "hat keine Genehmigung",
        "undetermined": "ob erlaubt, ist nicht zu sagen",
        "not_subject": "das Verbot gilt nicht dafür",
        "unverified": "von niemandem bestätigt",
        "corroborated": "erhärtet",
        "confirmed": "bestätigt",
        "identified_as_other": "als etwas anderes erkannt",
        "closed_undetermined": "nie geklärt",
        "disputed": "die Einschätzungen gehen auseinander",
        "warn_event": "Drohne in einer Drohnenverbotszone",
        "warn_headline": "Bei {area} fliegt eine Drohne ohne Erlaubnis.",
        "warn_description": "Bei {area} fliegt eine Drohne ohne Erlaubnis. Was sie dort "
        "tut, ist nicht bekannt.",
        "warn_instruction": "Gehen Sie nach drinnen und bleiben Sie weg von Fenstern. "
        "Fällt etwas herab, halten Sie Abstand und rufen Sie die Polizei.",
        "over_headline": "Entwarnung bei {area}.",
        "over_description": "Die Warnung vor einer Drohne bei {area} ist vorbei.",
        "over_instruction": "Es ist nichts mehr zu tun. Berühren Sie keine herabgefallenen Teile.",
    },
    "fr": {
        "exercise": "EXERCICE EXERCICE EXERCICE",
        "handed_over": "L'alerte {alert}, priorité {priority}, vous est transmise.",
        "withdrawn": "Retirée : {id}. {why}",
        "answer": "Veuillez confirmer avant {by} ici : {link}",
        "answer_otherwise": "Veuillez confirmer avant {by}. Numéro de la transmission : {id}",
        "track": "{track} : {permission}, {confirmation} ; {lat}, {lon}, à {ce} m près",
        "zone": "Zone : {zones}",
        "note": "Remarque : {note}",
        "take_cover": "À L'ABRI. Rentrez, éloignez-vous des fenêtres et des toits, et restez-y.",
        "hold_event": "SUSPENDEZ L'ÉVÉNEMENT. Ne laissez entrer ni sortir personne jusqu'à notre "
        "prochain message.",
        "all_clear": "FIN D'ALERTE. Vous pouvez reprendre.",
        "permitted": "a une autorisation",
        "not_permitted": "n'a pas d'autorisation",
        "undetermined": "autorisation indéterminée",
        "not_subject": "l'interdiction ne le concerne pas",
        "unverified": "non confirmé",
        "corroborated": "corroboré",
        "confirmed": "confirmé",
        "identified_as_other": "identifié comme autre chose",
        "closed_undetermined": "jamais déterminé",
        "disputed": "les évaluations divergent",
        "warn_event": "drone dans une zone interdite aux drones",
        "warn_headline": "Un drone vole sans autorisation à {area}.",
        "warn_description": "Un drone vole sans autorisation à {area}. On ne sait pas ce "
        "qu'il y fait.",
        "warn_instruction": "Rentrez et éloignez-vous des fenêtres. Si quelque chose "
        "tombe, restez à distance et appelez la police.",
        "over_headline": "Fin d'alerte à {area}.",
        "over_description": "L'alerte concernant un drone à {area} est terminée.",
        "over_instruction": "Il n'y a plus rien à faire. Ne touchez pas aux pièces tombées.",
    },
}
LANGUAGES = tuple(WORDS)


def say(language: str, what: str, **filled: object) -> str:
    """A sentence of the table, filled in."""
    return WORDS[language][what].format(**filled)
