"""The command line. Heavy imports wait until a command runs, so that help is quick.

Exit codes: 0 done and all is as it must be; 1 done, but something is not (an error in a
checked file, a step that is not allowed, a summary that does not hold); 2 the command line
or an input cannot be used.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from skykeep import __version__
from skykeep.commands import (
    evidence_cli,
    handover_cli,
    history_cli,
    permits_cli,
    statements_cli,
    zone_steps,
)
from skykeep.errors import DecisionError, InputError, SkykeepError

#: Of the service and of the demo's page.
DEFAULT_PORT = 8460
WITNESS_PORT = 8461
Run = Callable[[argparse.Namespace], int]


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each command carries its function as `run`."""
    parser = argparse.ArgumentParser(
        prog="skykeep", description="Keeps a no-drone zone: watches, identifies, warns, records."
    )
    parser.add_argument("--version", action="version", version=f"skykeep {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="play one simulated night and print what was found")
    demo.add_argument("--seed", type=int, default=1, help="another night (default 1)")
    demo.add_argument("--out", type=Path, metavar="DIR", help="where record and dossier go")
    shown = demo.add_mutually_exclusive_group()
    shown.add_argument("--once", action="store_true",
                       help="at once, without the page; so with ONCE=1")  # fmt: skip
    shown.add_argument("--page", action="store_true", help="with the page, terminal or not")
    demo.add_argument("--speed", type=_speed, default=20.0, metavar="N",
                      help="how much faster than real the page plays it (default 20)")  # fmt: skip
    demo.add_argument("--patience", type=float, default=10.0, metavar="S",
                      help="seconds that the story's officer leaves you to acknowledge "
                           "(default 10)")  # fmt: skip
    demo.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="P",
                      help="of the page (default %(default)s)")  # fmt: skip
    _add_json(demo)
    demo.set_defaults(run=_demo)

    replay = commands.add_parser("replay", help="run recorded input through the same line")
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="pcap, ADS-B rows (.json.gz), SBS-1 or JSON lines")  # fmt: skip
    replay.add_argument("--zones", type=Path, action="append", default=[], metavar="F",
                        help="zones in any format that is read; may be given again")  # fmt: skip
    replay.add_argument("--permits", type=Path, metavar="F", help="a permits file")
    replay.add_argument("--site", type=Path, metavar="F",
                        help="a site file: authority, place, terrain, sensors")  # fmt: skip
    replay.add_argument("--authority", metavar="ID", help="judge only this authority's zones")
    replay.add_argument("--events", type=Path, metavar="F", help="write every event as JSON lines")
    _add_json(replay)
    replay.set_defaults(run=_replay)

    _add_verify(commands)
    _add_incident(commands)
    recompute = commands.add_parser(
        "recompute", help="derive tracks, verdicts and alerts again, and compare"
    )
    recompute.add_argument("folder", type=Path, metavar="DIR|DOSSIER",
                           help="a record, or a dossier's file")  # fmt: skip
    _add_json(recompute)
    recompute.set_defaults(run=_recompute)
    salvage = commands.add_parser("salvage", help="save what verifies of a damaged record")
    salvage.add_argument("folder", type=Path, metavar="DIR")
    salvage.add_argument("--to", type=Path, required=True, metavar="NEW", help="a new folder")
    salvage.set_defaults(run=_salvage)

    _add_serve(commands)
    history_cli.add(commands, _add_json, _add_token)
    _add_feeds(commands)
    _add_raw(commands)
    _add_log(commands)
    _add_witness(commands)
    _add_zones(commands)
    _add_permit(commands)
    handover_cli.add(commands, _add_token)
    evidence_cli.add(commands, _add_json, _add_token)
    statements_cli.add(commands, _add_json)
    return parser


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = commands.add_parser("verify", help="check a dossier offline against a key")
    verify.add_argument("file", metavar="FILE")
    verify.add_argument("--key", required=True, metavar="KEYFILE", help="the keeper's public key")
    _add_witnesses(verify)
    verify.add_argument("--timestamp-root", action="append", type=Path, default=[], metavar="PEM",
                        help="roots of time-stamp authorities that you trust")  # fmt: skip
    verify.set_defaults(run=_verify)

    receipt = commands.add_parser("verify-receipt", help="check a receipt offline against keys")
    receipt.add_argument("file", metavar="FILE", help="a .tlog-proof that the service gave")
    receipt.add_argument("--key", required=True, metavar="KEYFILE", help="the log's public key")
    _add_witnesses(receipt)
    receipt.set_defaults(run=_verify_receipt)

    fork = commands.add_parser("verify-fork", help="check a proof that a log went two ways")
    fork.add_argument("file", type=Path, metavar="FILE")
    fork.add_argument("--key", type=Path, required=True, metavar="KEYFILE", help="the log's")
    fork.set_defaults(run=_verify_fork)

    change = commands.add_parser("verify-handover", help="check a change of a log's key")
    change.add_argument("file", type=Path, metavar="FILE")
    change.add_argument("--key", type=Path, required=True, metavar="KEYFILE",
                        help="the log's key that you trust")  # fmt: skip
    change.add_argument("--out", type=Path, metavar="F", help="the new key goes here")
    change.set_defaults(run=_verify_handover)


def _add_witnesses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--witness", action="append", default=[], metavar="KEYFILE",
                        help="a witness's public key, or a second one of the log (ML-DSA-44); "
                             "may be given again")  # fmt: skip
    parser.add_argument("--quorum", type=int, metavar="N",
                        help="so many witnesses are enough (else more than half)")  # fmt: skip


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print data as JSON")


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="keep one site's record and serve it over HTTP")
    serve.add_argument("--site", type=Path, required=True, metavar="F", help="the site file")
    serve.add_argument("--data", type=Path, required=True, metavar="DIR", help="of the record")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    serve.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="(default %(default)s; 0: any free one)"
    )
    serve.add_argument("--log-level", default="warning", metavar="LEVEL",
                       help="of the JSON lines on stderr: debug, info (each request), warning "
                            "or error (default warning)")  # fmt: skip
    serve.add_argument("--tokens", type=Path, metavar="F", help="(default DIR/tokens.json)")
    serve.add_argument("--i-know-this-is-public", action="store_true", dest="public",
                       help="allow a host that others can reach")  # fmt: skip
    serve.set_defaults(run=_serve)
    token = commands.add_parser("token", help="tokens of those who may speak to the service")
    steps = token.add_subparsers(required=True, metavar="STEP")
    new = steps.add_parser("new", help="print a fresh token and keep its hash")
    new.add_argument("file", type=Path, metavar="FILE", help="the tokens file")
    new.add_argument("--name", required=True, help="of the person or the thing")
    new.add_argument(
        "--role",
        required=True,
        choices=(
            "sensor",
            "watch_officer",
            "shift_lead",
            "permit_officer",
            "viewer",
            "evidence_officer",
            "recipient",
        ),
    )
    new.add_argument("--sensor", metavar="ID", help="which sensor a sensor's token speaks for")
    new.add_argument("--recipient", metavar="NAME", help="for whom a recipient's token speaks")
    new.set_defaults(run=_token_new)


def _add_feeds(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    feeds = commands.add_parser("feeds", help="the kinds of feed, and how a site's feeds do")
    steps = feeds.add_subparsers(required=True, metavar="STEP")
    kinds = steps.add_parser("kinds", help="print every kind: what it reads, from where")
    _add_json(kinds)
    kinds.set_defaults(run=_feeds_kinds)
    try_ = steps.add_parser("try", help="listen without the service, and print what is heard")
    try_.add_argument("site", type=Path, metavar="SITE", help="the site file")
    try_.add_argument("--feed", metavar="NAME", help="this one alone")
    try_.add_argument("--seconds", type=float, default=10.0, metavar="S", help="(default 10)")
    _add_json(try_)
    try_.set_defaults(run=_feeds_try)
    status = steps.add_parser("status", help="how the feeds of a running site do")
    status.add_argument("target", metavar="URL", help="such as http://127.0.0.1:8460")
    status.add_argument("--token-file", type=Path, metavar="F", help="(default SKYKEEP_TOKEN)")
    _add_json(status)
    status.set_defaults(run=_feeds_status)


def _add_raw(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    raw = commands.add_parser("raw", help="raw bytes that feeds have kept, by their hash")
    steps = raw.add_subparsers(required=True, metavar="STEP")
    get = steps.add_parser("get", help="write the bytes of a hash")
    get.add_argument("sha256", metavar="SHA256", help="as an observation names it")
    get.add_argument("--data", type=Path, required=True, metavar="DIR", help="of the record")
    get.add_argument("--out", type=Path, required=True, metavar="F", help="a new file")
    get.set_defaults(run=_raw_get)


def _add_log(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    log = commands.add_parser("log", help="the record as a public log (C2SP tlog-tiles)")
    steps = log.add_subparsers(required=True, metavar="STEP")
    export = steps.add_parser("export", help="write the log as files for a plain web server")
    export.add_argument("source", metavar="DIR|URL", help="a record, or a running site")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="the files go here")
    export.add_argument("--key", type=Path, metavar="KEYFILE", help="the log's public key")
    export.set_defaults(run=_log_export)
    change = steps.add_parser("new-key", help="give a record's log a new key, signed by both")
    change.add_argument("folder", type=Path, metavar="DIR", help="of the record; not served now")
    change.add_argument("--out", type=Path, required=True, metavar="F", help="the hand-over")
    change.set_defaults(run=_log_new_key)
    compare = steps.add_parser("compare", help="hold witnesses' heads against the log's own")
    compare.add_argument("source", metavar="DIR|URL", help="a record, or a running site")
    compare.add_argument("witnesses", nargs="+", metavar="URL", help="where witnesses listen")
    compare.add_argument("--key", type=Path, required=True, metavar="KEYFILE", help="the log's")
    compare.add_argument("--out", type=Path, metavar="F", help="the proof goes here, if any")
    compare.set_defaults(run=_log_compare)


def _add_witness(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    witness = commands.add_parser("witness", help="cosign logs' heads, in a process of its own")
    steps = witness.add_subparsers(required=True, metavar="STEP")
    new = steps.add_parser("new", help="make a witness with a key and an empty memory")
    new.add_argument("folder", type=Path, metavar="DIR", help="of its key and its state")
    new.add_argument("--name", required=True, help="such as witness.example/w1")
    new.set_defaults(run=_witness_new)
    run = steps.add_parser("run", help="serve C2SP tlog-witness until a signal")
    run.add_argument("folder", type=Path, metavar="DIR", help="what `witness new` made")
    run.add_argument("--log", type=Path, action="append", required=True, metavar="KEYFILE",
                     help="public key of a log to cosign for; may be given again")  # fmt: skip
    run.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    run.add_argument("--port", type=int, default=WITNESS_PORT, metavar="P",
                     help="(default %(default)s; 0: any free one)")  # fmt: skip
    run.add_argument("--i-know-this-is-public", action="store_true", dest="public",
                     help="allow a host that others can reach")  # fmt: skip
    run.set_defaults(run=_witness_run)


def _add_incident(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    incident = commands.add_parser("incident", help="incidents of a record, and their dossiers")
    steps = incident.add_subparsers(required=True, metavar="STEP")
    list_ = steps.add_parser("list", help="print the incidents of a record")
    list_.add_argument("folder", metavar="DIR|URL")
    _add_json(list_)
    _add_token(list_)
    list_.set_defaults(run=_incident_list)
    dossier = steps.add_parser("dossier", help="write an incident as one file")
    dossier.add_argument("folder", metavar="DIR|URL")
    _add_token(dossier)
    dossier.add_argument("incident_id", metavar="INCIDENT")
    dossier.add_argument("--out", type=Path, required=True, metavar="F", help="the file to write")
    dossier.add_argument("--withhold", action="append", default=[], metavar="SENSOR",
                         help="show nothing of a sensor; may be given again")  # fmt: skip
    dossier.add_argument("--withhold-kind", action="append", default=[], metavar="KIND",
                         help="the same for a kind of sensors, or `identity`: all that names a "
                              "person or a serial")  # fmt: skip
    dossier.add_argument("--reason", default="", metavar="WORDS", help="why it is withheld")
    dossier.add_argument("--by", default="", metavar="NAME", help="who withholds it (a running "
                         "site takes the token's name)")  # fmt: skip
    dossier.add_argument("--role", default="evidence officer", metavar="ROLE", help="in which role")
    dossier.add_argument("--whole", action="store_true",
                         help="show also who is not part of the incident: for a court")  # fmt: skip
    dossier.set_defaults(run=_incident_dossier)


def _add_zones(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    zones = commands.add_parser("zones", help="check zone documents, turn or publish them")
    steps = zones.add_subparsers(required=True, metavar="STEP")
    check = steps.add_parser("check", help="say what is amiss in zone files")
    check.add_argument("files", nargs="+", metavar="FILE")
    _add_json(check)
    check.set_defaults(run=_zones_check)
    import_ = steps.add_parser("import", help="read any format, write one document of zones")
    import_.add_argument("files", nargs="+", metavar="FILE")
    import_.add_argument("--out", required=True, metavar="F", help="the file to write")
    forms = ("ed318", "ed269", "geojson")
    import_.add_argument("--as", dest="form", default=forms[0], choices=forms, help="its format")
    _add_json(import_)
    import_.set_defaults(run=_zones_import)
    list_ = steps.add_parser("list", help="print the zones of a running site, as ED-318")
    list_.add_argument("url", metavar="URL")
    list_.add_argument("--at", metavar="TIME", help="what was in force then, RFC 3339")
    _add_token(list_)
    list_.set_defaults(run=_zones_list)
    export = steps.add_parser("export", help="write what is in force for a plain web server")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="files and page go here")
    export.add_argument("--from", type=Path, required=True, dest="data", metavar="DATA_FOLDER",
                        help="of a record that no service holds now")  # fmt: skip
    export.add_argument("--site", type=Path, metavar="F", help="the site file, for its contact")
    export.set_defaults(run=_zones_export)
    verify = steps.add_parser("verify", help="check a copy of what was published against a key")
    verify.add_argument("folder", type=Path, metavar="FOLDER")
    verify.add_argument("--key", type=Path, required=True, metavar="KEYFILE")
    verify.set_defaults(run=_zones_verify)
    publish = steps.add_parser("publish", help="publish a file's zones at a running site")
    publish.add_argument("file", type=Path, metavar="FILE")
    publish.add_argument("--to", required=True, metavar="URL")
    _add_token(publish)
    publish.set_defaults(run=_zones_publish)
    zone_steps.add(steps, _add_token)


def _add_permit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    permit = commands.add_parser("permit", help="permits in a file, or of a running site")
    steps = permit.add_subparsers(required=True, metavar="STEP")
    list_ = steps.add_parser("list", help="print permits and exemptions")
    list_.add_argument("file", metavar="FILE|URL")
    _add_json(list_)
    _add_token(list_)
    list_.set_defaults(run=_permit_list)
    put = steps.add_parser("put", help="enter the permits of a file at a running site")
    put.add_argument("file", type=Path, metavar="FILE")
    put.add_argument("--to", required=True, metavar="URL")
    _add_token(put)
    put.set_defaults(run=_permit_put)
    for name, words, run in (
        ("grant", "grant a submitted permit", _permit_grant),
        ("revoke", "revoke a permit or exemption", _permit_revoke),
    ):
        step = steps.add_parser(name, help=words)
        step.add_argument("file", metavar="FILE|URL")
        step.add_argument("permit_id", metavar="PERMIT")
        step.add_argument("--by", default="", metavar="NAME", help="who decides (in a file)")
        step.add_argument("--role", default="", metavar="ROLE", help="in which role (in a file)")
        step.add_argument("--why", required=name == "revoke", default="", metavar="WORDS")
        if name == "grant":
            step.add_argument("--application", type=Path, metavar="F", help="taken from there")
        _add_json(step)
        _add_token(step)
        step.set_defaults(run=run)
    permits_cli.add(steps, _add_json, _add_token)


def _add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--token-file", type=Path, metavar="F", help="for a running site; else SKYKEEP_TOKEN"
    )


def _demo(args: argparse.Namespace) -> int:
    from skykeep.commands import demo

    folder = args.out or Path("out") / f"citadel-night-{args.seed}"
    once = args.once or args.json or os.environ.get("ONCE", "0") not in ("", "0")
    if args.page or (sys.stdout.isatty() and not once):
        return demo.run_page(args.seed, folder, args.speed, args.patience, args.port)
    return demo.run(args.seed, folder, args.json)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.1 <= speed <= 1_000.0:
        raise argparse.ArgumentTypeError("must be 0.1 to 1000")
    return speed


def _replay(args: argparse.Namespace) -> int:
    from skykeep.commands import replay

    return replay.run(
        args.files, args.zones, args.permits, args.site, args.authority, args.events, args.json
    )


def _verify(args: argparse.Namespace) -> int:
    from skykeep.commands import verify

    roots = getattr(args, "timestamp_root", [])
    return verify.run(args.file, args.key, args.witness, args.quorum, roots)


def _verify_receipt(args: argparse.Namespace) -> int:
    return _verify(args)


def _serve(args: argparse.Namespace) -> int:
    from skykeep.commands import serve

    return serve.run(
        args.site, args.data, args.host, args.port, args.tokens, args.public, args.log_level,
        time.time_ns,
    )  # fmt: skip


def _raw_get(args: argparse.Namespace) -> int:
    from skykeep.commands import raw

    return raw.get(args.sha256, args.data, args.out)


def _feeds_kinds(args: argparse.Namespace) -> int:
    from skykeep.commands import feeds

    return feeds.kinds(args.json)


def _feeds_try(args: argparse.Namespace) -> int:
    from skykeep.commands import feeds

    return feeds.try_(args.site, args.feed, args.seconds, args.json, time.time_ns)


def _feeds_status(args: argparse.Namespace) -> int:
    from skykeep.commands import feeds

    return feeds.status(args.target, args.token_file, args.json)


def _log_export(args: argparse.Namespace) -> int:
    from skykeep.commands import log_export

    return log_export.run(args.source, args.out, args.key)


def _log_compare(args: argparse.Namespace) -> int:
    from skykeep.commands import log_heads

    return log_heads.compare(args.source, args.witnesses, args.key, args.out)


def _verify_fork(args: argparse.Namespace) -> int:
    from skykeep.commands import log_heads

    return log_heads.verify_fork(args.file, args.key)


def _log_new_key(args: argparse.Namespace) -> int:
    from skykeep.commands import log_key

    return log_key.change(args.folder, args.out)


def _verify_handover(args: argparse.Namespace) -> int:
    from skykeep.commands import log_key

    return log_key.verify(args.file, args.key, args.out)


def _witness_new(args: argparse.Namespace) -> int:
    from skykeep.commands import witness

    return witness.new(args.folder, args.name)


def _witness_run(args: argparse.Namespace) -> int:
    from skykeep.commands import witness

    return witness.run(
        args.folder, args.log, args.host, args.port, args.public, lambda: int(time.time())
    )


def _token_new(args: argparse.Namespace) -> int:
    from skykeep.commands import token

    return token.new(args.file, args.name, args.role, args.sensor, args.recipient)


def _incident_list(args: argparse.Namespace) -> int:
    from skykeep.commands import incident, remote

    if remote.is_remote(args.folder):
        return remote.show(args.folder, "/v1/incidents", remote.read_token(args.token_file))
    return incident.list_(Path(args.folder), args.json)


def _incident_dossier(args: argparse.Namespace) -> int:
    from skykeep.commands import incident, remote

    if remote.is_remote(args.folder):
        token = remote.read_token(args.token_file)
        return remote.dossier(
            args.folder, args.incident_id, args.out, token, args.withhold, args.withhold_kind,
            args.reason, args.whole,
        )  # fmt: skip
    withhold = incident.withholdings(
        args.withhold, args.withhold_kind, args.by, args.role, args.reason
    )
    return incident.dossier(Path(args.folder), args.incident_id, args.out, withhold, args.whole)


def _recompute(args: argparse.Namespace) -> int:
    from skykeep.commands import recompute, recompute_dossier

    if args.folder.is_file():
        return recompute_dossier.run(args.folder, args.json)
    return recompute.run(args.folder, args.json)


def _salvage(args: argparse.Namespace) -> int:
    from skykeep.commands import salvage

    return salvage.run(args.folder, args.to)


def _zones_check(args: argparse.Namespace) -> int:
    from skykeep.commands import zones

    return zones.check(args.files, args.json)


def _zones_import(args: argparse.Namespace) -> int:
    from skykeep.commands import zones

    return zones.import_(args.files, args.out, args.json, args.form)


def _zones_list(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    path = "/v1/zones" if args.at is None else f"/v1/zones/at?at={quote(args.at, safe='')}"
    return remote.show(args.url, path, remote.read_token(args.token_file))


def _zones_export(args: argparse.Namespace) -> int:
    from skykeep.commands import zones_export

    return zones_export.export(args.folder, args.data, args.site)


def _zones_verify(args: argparse.Namespace) -> int:
    from skykeep.commands import zones_export

    return zones_export.verify(args.folder, args.key)


def _zones_publish(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    document = remote.read_file(args.file)
    return remote.command(args.to, "publish_zone", remote.read_token(args.token_file), document)


def _permit_list(args: argparse.Namespace) -> int:
    from skykeep.commands import permits, remote

    if remote.is_remote(args.file):
        return remote.show(args.file, "/v1/permits", remote.read_token(args.token_file))
    return permits.list_(Path(args.file), args.json)


def _permit_put(args: argparse.Namespace) -> int:
    from skykeep.commands import remote

    document = remote.read_file(args.file)
    return remote.command(args.to, "put_permit", remote.read_token(args.token_file), document)


def _permit_grant(args: argparse.Namespace) -> int:
    from skykeep.commands import permits, remote

    if remote.is_remote(args.file):
        fields = {"permit_id": args.permit_id, "why": args.why}
        token = remote.read_token(args.token_file)
        return remote.command(args.file, "grant_permit", token, fields)
    return permits.grant(
        Path(args.file), args.permit_id, args.why, args.by, args.role, time.time_ns(), args.json,
        args.application,
    )  # fmt: skip


def _permit_revoke(args: argparse.Namespace) -> int:
    from skykeep.commands import permits, remote

    if remote.is_remote(args.file):
        fields = {"permit_id": args.permit_id, "why": args.why}
        token = remote.read_token(args.token_file)
        return remote.command(args.file, "revoke_permit", token, fields)
    return permits.revoke(
        Path(args.file), args.permit_id, args.why, args.by, args.role, time.time_ns(), args.json
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors of ours are words and an exit code, never a trace."""
    args = build_parser().parse_args(argv)
    run: Run = args.run
    try:
        return run(args)
    except InputError as error:
        print(f"skykeep: {error}", file=sys.stderr)
        return 2
    except DecisionError as error:
        print(f"skykeep: {error}", file=sys.stderr)
        return 1
    except SkykeepError as error:
        print(f"skykeep: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("skykeep: stopped", file=sys.stderr)
        return 130
