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
    parts += _parameters(operation.get("parameters", ()))
    content = operation.get("requestBody", {}).get("content", {})
    for media, body in content.items():
        parts.append(f"<p>Body, {escape(media)}:</p>{_example(document, body)}")
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            for media, body in answer.get("content", {}).items():
                parts.append(f"<p>Answer, {escape(media)}:</p>{_example(document, body)}")
    rows = [
        f"<tr><td>{status}<td>{_words(answer.get('description', ''))}"
        for status, answer in operation["responses"].items()
    ]
    return [*parts, "<table>", *rows, "</table>"]


def _parameters(parameters: Any) -> list[str]:
    """A table of a route's parameters, if it has any."""
    rows = []
    for parameter in parameters:
        schema = parameter["schema"]
        examples = schema.get("examples") or schema.get("default", "")
        shown = examples[0] if isinstance(examples, list) else examples
        rows.append(
            f"<tr><td><code>{escape(parameter['name'])}</code><td>{escape(parameter['in'])}"
            f"{', needed' if parameter.get('required') else ''}<td>{escape(_kind(schema))}"
            f"<td>{_words(parameter.get('description', ''))}"
            f"<td><code>{escape(json.dumps(shown)) if shown != '' else ''}</code>"
        )
    if not rows:
        return []
    head = "<tr><th>parameter<th>in<th>type<th>meaning<th>example or default"
    return ["<table>", head, *rows, "</table>"]


def _kind(schema: dict[str, Any]) -> str:
    kinds = [schema, *schema.get("anyOf", ())]
    return " or ".join(k["type"] for k in kinds if k.get("type", "null") != "null")


def _example(document: dict[str, Any], body: dict[str, Any]) -> str:
    """An example, else the fields; of bytes nothing can be shown."""
    schema = body.get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    found = document["components"]["schemas"][name] if name else schema
    if found.get("format") == "binary":
        return ""
    shown = body.get("example") or found.get("example") or found.get("properties") or found
    text = shown if isinstance(shown, str) else json.dumps(shown, indent=1, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _words(text: str) -> str:
    """Text with its `code` as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
