"""The page: whole, safe whatever a text holds, and readable without colour, script or network."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skykeep.core.casebook import Conclusion
from skykeep.core.event import Bias, Permission, RegistrationChanged, Strength
from skykeep.core.observation import SensorKind
from skykeep.core.verdict import BOUND, GONE, INSIDE, MAYBE_INSIDE
from skykeep.core.zone import Restriction
from skykeep.dossier import page_words
from skykeep.dossier.found_off import off_words
from skykeep.dossier.markup import Markup, element, style
from skykeep.dossier.reader import render
from skykeep.dossier.view import DossierView, ProofView, SensorView
from skykeep.units import SensorId
from tests.unit.dossier.page_sample import FIRST, VIEW, Page


def told(view: DossierView) -> str:
    return Page(render(view)).text


def with_texts(value: Any, change: Any) -> Any:
    """The same view with every text in it, at any depth, put through a function."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(with_texts(v, change) for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return type(value)(**{k: with_texts(v, change) for k, v in fields.items()})
    return value


def test_the_page_is_in_order_and_complete() -> None:
    page = Page(render(VIEW))
    assert page.faults == []
    headings = re.findall("<h2[^>]*>([^<]*)", render(VIEW).decode())
    assert headings == [
        "Where it happened",
        "What was allowed",
        "What was seen, and by what",
        "What people reported",
        "What was decided, and by whom",
        "What was assessed",
        "Everything in its order",
        "How to check this page",
        "Words used here",
    ]
    assert ("html", "lang", "en") in page.attributes
    ids = page.all_of("id")
    assert len(ids) == len(set(ids))
    links = page.all_of("href")
    assert len(links) == len(headings)
    for link in links:
        assert link[0] == "#"
        assert link[1:] in ids
    for names in page.all_of("aria-labelledby"):
        assert set(names.split()) <= set(ids)


def test_every_text_of_a_view_is_on_the_page() -> None:
    """Texts are marked one by one; codes stay, since the page puts them into its own words."""
    marked: list[str] = []

    def mark(text: str) -> str:
        if re.fullmatch("[a-z_]+|[A-Z_]+", text) or text in {"T0003", "radar", "df-west"}:
            return text
        marked.append(f"text{len(marked)}end")
        return marked[-1]

    shown = told(with_texts(VIEW, mark))
    assert len(marked) > 60
    assert [m for m in marked if m not in shown] == []


def test_numbers_are_on_the_page() -> None:
    shown = told(VIEW)
    for words in ("176", "120", "203", "379", "3.5 km north-east", "900 m south", "1 (1 is the"):
        assert words in shown
    assert "about 140 m above" in shown


def test_the_same_view_gives_the_same_bytes() -> None:
    assert render(VIEW) == render(dataclasses.replace(VIEW))
    assert render(VIEW) != render(dataclasses.replace(VIEW, title="Another"))


def test_the_page_needs_and_allows_nothing_from_outside() -> None:
    html = render(VIEW).decode()
    page = Page(render(VIEW))
    assert "script" not in page.shape
    assert not {"src", "style", "srcset", "action"} & {name for _, name, _ in page.attributes}
    assert not [n for _, n, _ in page.attributes if n.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    assert "://" not in html
    policy = next(v for v in page.all_of("content") if "default-src" in v)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_policy_names_the_sheet_that_is_there() -> None:
    import base64
    import hashlib

    html = render(VIEW).decode()
    sheet = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert f"sha256-{digest}" in html.replace("&#x27;", "'")
    assert "prefers-color-scheme" in sheet
    assert "@media print" in sheet


BREAKERS = st.sampled_from(
    [
        "</title><script>alert(1)</script>",
        "</style><img src=x onerror=alert(1)>",
        "\"' onload='x' \"",
        "<!--",
        "-->",
        "]]>",
        "&lt;b&gt;&#60;b&#62;&amp;",
        "<svg/onload=x>",
        "</svg></p></table></html>",
        "\x00\x1b[31m\x7f\x85",
        "\ud800",
        "\u202egnp.exe\u2066",
        "\r\n\r",
        "",
    ]
)
ANY_TEXT = st.text(st.characters(), max_size=40) | BREAKERS


@settings(max_examples=20, deadline=None)
@given(text=ANY_TEXT)
@example(text="</title><script>alert(1)</script>")
def test_no_text_breaks_out_of_its_element(text: str) -> None:
    """With it in every field, the page has the elements that it has with a harmless one."""
    page = Page(render(with_texts(VIEW, lambda _: text)))
    harmless = Page(render(with_texts(VIEW, lambda _: "x" * len(text))))
    assert page.faults == []
    assert page.shape == harmless.shape
    assert [(t, n) for t, n, _ in page.attributes] == [(t, n) for t, n, _ in harmless.attributes]
    if text and text.isascii() and text.isprintable():
        assert text in "".join(page.texts)


@settings(max_examples=10, deadline=None)
@given(text=ANY_TEXT)
def test_a_text_stays_what_it_is_in_one_field(text: str) -> None:
    page = Page(render(dataclasses.replace(VIEW, title=text, summary=(text,))))
    harmless = Page(render(dataclasses.replace(VIEW, title="x", summary=("x",))))
    assert page.faults == []
    assert page.shape == harmless.shape


def test_what_hides_or_turns_a_text_is_shown() -> None:
    shown = told(dataclasses.replace(VIEW, title="a\u202eb\x00c\ud800d"))
    assert "a[U+202E]b[U+0000]c[U+D800]d" in shown


def test_markup_is_made_by_elements_alone() -> None:
    assert element("p", "<b>").html == "<p>&lt;b&gt;</p>"
    assert element("p", element("b", "&")).html == "<p><b>&amp;</b></p>"
    assert element("p", title='"').html == '<p title="&quot;"></p>'
    with pytest.raises(ValueError, match="no name"):
        element("p", **{"a b": "c"})
    with pytest.raises(ValueError, match="'<'"):
        style("</style>")
    assert Markup("<i>") == Markup("<i>")


def test_an_empty_dossier_says_so() -> None:
    nothing: dict[str, Any] = {
        f.name: ()
        for f in dataclasses.fields(DossierView)
        if get_origin(get_type_hints(DossierView)[f.name]) is tuple
    }
    assert len(nothing) == 13
    empty = dataclasses.replace(VIEW, proof=ProofView((), "skykeep verify", ()), **nothing)
    page = Page(render(empty))
    assert page.faults == []
    for words in (
        "there is no map",
        "No zone is part",
        "No permit or exemption is part",
        "No track is part",
        "Nobody reported",
        "No alert is part",
        "Nobody has assessed",
        "The timeline is empty",
    ):
        assert words in page.text
    assert "svg" not in page.shape


def test_permission_is_told_by_words_sign_and_dash_not_by_colour_alone() -> None:
    looks = [*page_words.LOOKS.values(), page_words.UNJUDGED]
    for part in ("words", "css", "dash", "sign"):
        assert len({getattr(look, part) for look in looks}) == len(looks)
    html = render(VIEW).decode()
    dashes = set(re.findall('class="line ([a-z]+)" stroke-dasharray="([^"]+)"', html))
    assert dashes == {("banned", "none"), ("allowed", "2 5")}
    for name in ("T0003: not permitted", "T0041: permitted"):
        assert html.count(f">{name}</text>") == 2  # on both maps
    assert "hostile" not in html.lower()


def test_the_line_of_a_track_shows_what_it_was_found_to_be() -> None:
    assert page_words.weightiest(("undetermined", "permitted", "undetermined")) == "permitted"
    assert page_words.weightiest(("permitted", "not_permitted", "gone")) == "not_permitted"
    assert page_words.weightiest(("undetermined",)) == "undetermined"
    assert page_words.weightiest(("something_new",)) == "something_new"
    assert page_words.weightiest(()) == ""
    assert page_words.look_of("something_new").words == "something new"
    assert page_words.look_of("").words == "Not judged"


def three_of(html: str, track_id: str) -> list[str]:
    after = html.partition(f">Track {track_id}: ")[2]
    box = after.partition('class="three">')[2].partition("<dl>")[0]
    return [re.sub("<[^>]*>", " ", part) for part in box.split("<h4>")[1:]]


def test_permission_confirmation_and_disposition_stay_three_things() -> None:
    permission, confirmation, disposition = three_of(render(VIEW).decode(), "T0003")
    assert "Not permitted" in permission
    assert "Confirmed" not in permission
    # Two people, two answers; the page does not choose.
    assert "Confirmed  by A. Weber" in confirmation
    assert "Unverified  by D. Roth" in confirmation
    # What a rule did afterwards does not hide who has it in hand.
    assert "Handed over by C. Weber (23:52:47)" in disposition
    permission, confirmation, disposition = three_of(render(VIEW).decode(), "T0041")
    assert "Permitted" in permission
    assert "No assessment rests" in confirmation
    assert "No alert was raised" in disposition


def test_alerts_without_tracks_are_not_guessed_at() -> None:
    alerts = tuple(dataclasses.replace(a, tracks=()) for a in VIEW.alerts)
    html = render(dataclasses.replace(VIEW, alerts=alerts)).decode()
    assert "they do not name their tracks" in three_of(html, "T0041")[2]


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (tuple(Permission), page_words.LOOKS),
        (tuple(Permission), page_words.GRAVITY),
        (tuple(Strength), page_words.STRENGTH),
        (tuple(Conclusion), page_words.CONCLUSION),
        (tuple(Restriction), page_words.RESTRICTION),
        (tuple(SensorKind), page_words.SENSOR_KIND),
        ((INSIDE, MAYBE_INSIDE, BOUND, GONE), page_words.PRESENCE),
    ],
)
def test_every_code_of_the_core_has_words(codes: tuple[str, ...], table: Any) -> None:
    assert {str(code) for code in codes} == set(table)


def test_views_hold_values_that_never_change() -> None:
    for kind in (DossierView, *_views()):
        assert kind.__dataclass_params__.frozen
        assert "__slots__" in vars(kind)


def _views() -> set[Any]:
    inner = {t for hint in get_type_hints(DossierView).values() for t in (hint, *get_args(hint))}
    return {t for t in inner if dataclasses.is_dataclass(t)}


def test_people_stand_apart_from_sensors() -> None:
    guard = SensorView("guard-1", "person", 10.0, 400.0, "at the gate", 3)
    html = render(dataclasses.replace(VIEW, sensors=(*VIEW.sensors, guard))).decode()
    seen, _, after = html.partition('id="reported"')
    assert "at the gate" not in seen.partition('id="seen"')[2]
    assert "at the gate" in after.partition('id="decided"')[0]
    assert "a person who told" in seen
    assert "a person who told" not in told(VIEW)


def test_the_head_shows_a_dated_moment_as_a_time_of_day() -> None:
    dated = dataclasses.replace(FIRST, first_seen="2026-09-12 23:50:33")
    html = render(dataclasses.replace(VIEW, tracks=(dated,))).decode()
    assert "<strong>23:50:33</strong>" in html
    assert ">on 2026-09-12, track T0003<" in html


def test_how_far_a_sensor_was_off_is_told_with_when() -> None:
    found = RegistrationChanged(
        1, SensorId("radar"), ("range", "azimuth"), Bias(0.4, -1.234, 9.0, 9.0),
        Bias(1.4, 0.03, 9.0, 9.0), 10, 221,
    )  # fmt: skip
    words = off_words(found)
    assert words == "range by 0.4 ± 1.4 m, azimuth by -1.23 ± 0.03 degrees (10 aircraft agree)"
    assert "nothing" in off_words(dataclasses.replace(found, applied=()))
    first, *others = VIEW.sensors
    off = dataclasses.replace(first, corrections=(("2026-09-12 23:50:33", words),))
    html = render(dataclasses.replace(VIEW, sensors=(off, *others))).decode()
    assert "azimuth by -1.23" in html
    assert "found to be off" in html
    assert "found to be off" not in told(VIEW)
