"""The interface on one page of plain HTML, made from the OpenAPI document; needs no network."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-top:1px solid #bbb;padding-top:1rem;font-size:1.1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f3f3f3;padding:.8rem;overflow:auto}
table{border-collapse:collapse}td,th{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#151515;color:#ddd}pre{background:#222}}"""


def docs_page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        *(f"<p>{_words(p)}</p>" for p in info["description"].split("\n\n")),
        "<p>For programs: <a href=openapi.json>openapi.json</a>.</p>",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(document, path, method, operation)
    return "\n".join(parts) + "\n"


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> list[str]:
    parts = [f"<h2><code>{method.upper()} {escape(path)}</code></h2>"]
    parts += [f"<p>{_words(p)}</p>" for p in operation.get("description", "").split("\n\n")]
    for parameter in operation.get("parameters", ()):
        name, kind = parameter["name"], parameter["schema"].get("type", "")
        parts.append(
            f"<p>{escape(parameter['in'])} <code>{escape(name)}</code>: {escape(kind)}</p>"
        )
    content = operation.get("requestBody", {}).get("content", {})
    for media, body in content.items():
        parts.append(f"<p>Body, {escape(media)}:</p>{_schema(document, body.get('schema', {}))}")
    rows = [
        f"<tr><td>{status}<td>{_words(answer.get('description', ''))}"
        for status, answer in operation["responses"].items()
    ]
    return [*parts, "<table>", *rows, "</table>"]


def _schema(document: dict[str, Any], schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    found = document["components"]["schemas"][name] if name else schema
    shown = found.get("example") or found.get("properties") or found
    return f"<pre>{escape(json.dumps(shown, indent=1, ensure_ascii=False))}</pre>"


def _words(text: str) -> str:
    """Text with its `code` as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
