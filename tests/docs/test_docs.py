"""Documents that cannot lie: commands parse, links lead somewhere, files are there."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.feed.conformance import faults_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def code_lines(text: str) -> Iterator[str]:
    """Lines of fenced and indented code, joined where a backslash ends them."""
    blocks = [body for _, body in _FENCE.findall(text)]
    outside = _FENCE.sub("", text)
    blocks += [line[4:] for line in outside.splitlines() if line.startswith("    ")]
    for block in blocks:
        yield from block.replace("\\\n", " ").splitlines()


def shown_commands(text: str) -> list[list[str]]:
    """The arguments of each `skykeep ...` line in code, without a shell's redirections."""
    found = []
    for line in code_lines(text):
        command = line.strip().removeprefix("$ ")
        if command.startswith("skykeep "):
            words = shlex.split(command, comments=True)
            end = next((i for i, w in enumerate(words) if w in ("|", ">", "&&", ";")), len(words))
            found.append(words[1:end])
    return found


def anchors(text: str) -> set[str]:
    """What a heading is called in a link, after GitHub's rule."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(_FENCE.sub("", text))
    }


def broken_links(document: Path, text: str) -> list[str]:
    """Links inside the repository whose file or heading is not there."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (
            anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            broken.append(link)
    return broken


def is_understood(parser: argparse.ArgumentParser, arguments: list[str]) -> bool:
    """Whether the parser takes a command; asking for help is a good end."""
    try:
        parser.parse_args(arguments)
    except SystemExit as end:
        return end.code == 0
    return True


def _shown() -> list[tuple[str, list[str]]]:
    return [
        (document.relative_to(ROOT).as_posix(), arguments)
        for document in DOCUMENTS
        for arguments in shown_commands(document.read_text(encoding="utf-8"))
    ]


def test_shown_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    from skykeep.cli import build_parser

    shown = _shown()
    assert any(document == "README.md" for document, _ in shown)
    refused = [
        f"{document}: skykeep {shlex.join(arguments)}"
        for document, arguments in shown
        if not is_understood(build_parser(), arguments)
    ]
    assert refused == [], capsys.readouterr().err


def test_files_that_shown_commands_read_are_there() -> None:
    paths = [word for _, words in _shown() for word in words if word.startswith(("tests/", "src/"))]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text(encoding="utf-8")) == []


def test_the_template_of_a_feed_keeps_its_contract() -> None:
    text = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
    (template,) = (body for language, body in _FENCE.findall(text) if language == "python")
    made: dict[str, Any] = {}
    exec(template, made)
    assert faults_of(made["KIND"], [b"49.61 6.13", b"49.62 6.13"]) == []


def test_every_document_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in seen:
            continue
        seen.add(document)
        for link in _LINK.findall(document.read_text(encoding="utf-8")):
            target = (document.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists():
                waiting.append(target)
    assert set(DOCUMENTS) <= seen


def test_readme_shows_the_two_commands_and_make_has_them() -> None:
    shown = {line.split("#")[0].strip() for line in code_lines((ROOT / "README.md").read_text())}
    assert {"make demo", "make test"} <= shown
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = re.findall(
        r"\bmake ((?:[a-z]+ ?)+)",
        "\n".join(line for d in DOCUMENTS for line in code_lines(d.read_text(encoding="utf-8"))),
    )
    assert {name for names in named for name in names.split()} <= targets


def test_what_the_checks_themselves_find(tmp_path: Path) -> None:
    text = (
        "# A head-line, here\n```console\n$ skykeep replay a.pcap \\\n  --zones z | less\n```\n"
        "    skykeep demo  # says\n[good](#a-head-line-here) [bad](#nowhere) [gone](no.md)\n"
    )
    assert shown_commands(text) == [["replay", "a.pcap", "--zones", "z"], ["demo"]]
    document = tmp_path / "page.md"
    document.write_text(text, encoding="utf-8")
    assert broken_links(document, text) == ["#nowhere", "no.md"]
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["demo"])
    assert is_understood(parser, ["demo"])
    assert is_understood(parser, ["--help"])
    assert not is_understood(parser, ["dance"])


def _contract(name: str) -> list[list[str]]:
    """The layers of an import contract, from the top, each as its modules."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in contracts["tool"]["importlinter"]["contracts"]:
        if contract["id"] == name:
            return [re.findall(r"\w+", layer) for layer in contract["layers"]]
    raise AssertionError(f"no contract {name}")


@pytest.mark.parametrize("name", ["rooms", "core"])
def test_the_picture_is_the_import_contract(name: str) -> None:
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    drawn = [
        re.findall(r"\w+", re.split(r" {2,}", line[4:])[0])
        for line in lines
        if line.startswith("    ")
    ]
    layers = [layer for layer in _contract(name) if layer != ["__main__"]]
    first = drawn.index(layers[0])
    assert drawn[first : first + len(layers)] == layers
