"""Draws the pictures of docs/precedence.md: python docs/precedence/draw.py"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
RED, AMBER, GREEN, BLUE = "#c0392b", "#d68910", "#1e8449", "#21618c"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-family="sans-serif" font-size="13" role="img" aria-label="{label}">'
    '<rect width="{w}" height="{h}" fill="#ffffff"/>'
)


def area(x: int, y: int, w: int, h: int, colour: str, hole: str = "") -> str:
    """A rectangle with a coloured border, see-through; `hole` cuts a part out."""
    outline = f"M{x} {y}h{w}v{h}h{-w}z{hole}"
    return (
        f'<path d="{outline}" fill="{colour}" fill-opacity="0.18" fill-rule="evenodd" '
        f'stroke="{colour}" stroke-width="2"/>'
    )


def words(x: int, y: int, text: str, colour: str = "#1b2631") -> str:
    """A line of text."""
    return f'<text x="{x}" y="{y}" fill="{colour}">{text}</text>'


def drone(x: int, y: int, name: str) -> str:
    """Where somebody asks."""
    return f'<circle cx="{x}" cy="{y}" r="5" fill="#1b2631"/>' + words(x + 9, y + 5, name)


def write(name: str, w: int, h: int, label: str, *parts: str) -> None:
    """One picture."""
    text = HEAD.format(w=w, h=h, label=label) + "".join(parts) + "</svg>\n"
    (FOLDER / name).write_text(text, encoding="utf-8")


def main() -> None:
    """All of them."""
    write(
        "overlap.svg", 560, 220, "A lenient zone over a strict one, and a hole in a strict one",
        area(20, 40, 240, 150, RED), words(28, 58, "PROHIBITED", RED),
        area(90, 90, 140, 80, GREEN), words(98, 108, "NO_RESTRICTION", GREEN),
        drone(140, 140, "A"), words(20, 24, "an overlapping lenient zone: A is prohibited"),
        area(300, 40, 240, 150, RED, "M380 90h120v80h-120z"), words(308, 58, "PROHIBITED", RED),
        drone(420, 135, "B"), words(300, 24, "a hole: B is open"),
    )  # fmt: skip
    write(
        "authorities.svg", 560, 220, "A permit opens the zones it names of its own authority",
        area(20, 40, 300, 150, RED), words(28, 58, "city: PROHIBITED", RED),
        area(180, 70, 340, 110, AMBER), words(328, 88, "airport: REQ_AUTHORISATION", AMBER),
        area(60, 100, 220, 50, BLUE), words(66, 118, "the city's permit", BLUE),
        drone(100, 135, "C"), drone(230, 135, "D"), drone(420, 135, "E"),
        words(20, 24, "C is open; D and E still have to ask the airport"),
    )  # fmt: skip
    write(
        "heights.svg", 560, 240, "Seen from the side: limits over ground and over the sea",
        '<path d="M20 210L200 190L330 130L430 150L540 205V230H20z" fill="#b2babb"/>',
        '<path d="M20 150L200 130L330 70L430 90L540 145" fill="none" stroke="#d68910" '
        'stroke-width="2" stroke-dasharray="6 4"/>',
        words(26, 168, "120 m above the ground", AMBER),
        '<path d="M20 60H540" stroke="#c0392b" stroke-width="2"/>',
        words(26, 52, "500 m above the sea", RED),
        drone(120, 100, "F"), drone(330, 100, "G"), drone(430, 44, "H"),
        words(350, 226, "ground"),
        words(20, 24, "F: open between the two. G: the lower zone's. H: the upper one's."),
    )  # fmt: skip


if __name__ == "__main__":
    main()
