"""Codecs of what flies crewed: ASTERIX CAT 048 beside its peers, SBS-1 lines, Beast messages.

CAT 048 is that of the real capture where it is (SKYKEEP_SHARED, or ../shared), else of our own
encoder: the same blocks for each, turn and turn about in one run, each read to range, azimuth,
address and callsign. A peer that is not installed is left out. Seconds are the processor's.
"""

from __future__ import annotations

import importlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure
from skykeep.codec.asterix import Splitter, join
from skykeep.codec.asterix_radar import Plot, encode_plot, plot_of
from skykeep.codec.beast import Beast, Frames, encode
from skykeep.codec.mode_s import encode_cpr, encode_extended
from skykeep.codec.pcap import Packet, read_packets
from skykeep.codec.sbs1 import Sbs1Message, encode_line
from skykeep.codec.sbs1_batch import read_lines
from skykeep.config import FeedSettings
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.feed.asterix import AsterixDecoder
from skykeep.feed.beast import BeastDecoder
from skykeep.feed.inbox import Piece
from skykeep.feed.sbs1 import Sbs1Decoder
from skykeep.units import SensorId

SHARED = Path(os.environ.get("SKYKEEP_SHARED", Path(__file__).parents[2] / "shared"))
CAPTURE = SHARED / "data" / "asterix" / "cat_034_048.pcap"
AT_NS = 1_789_257_600_000_000_000
AIM_PLOTS_PER_S, AIM_LINES_PER_S = 30_000.0, 400_000.0
TURNS = 5
RADAR = Sensor(SensorId("r"), SensorKind.RADAR, 49.6, 6.1, 400.0, Coverage(0.0, 450_000.0), 4.0)
ADSB = Sensor(SensorId("a"), SensorKind.ADSB, 49.6, 6.1, 400.0, Coverage(0.0, 450_000.0))


def figures() -> list[Figure]:
    """Messages a second of each codec, and of each feed with all that it makes of them."""
    return [*_asterix(), *_sbs1(), _beast()]


def _blocks() -> tuple[list[bytes], int, str]:
    """Data blocks of CAT 048, how many records they hold, and where they are from."""
    if not CAPTURE.is_file():
        made = [
            encode_plot(
                Plot(25, 1, k, 74_080.0, 90.0, True, False, True, "", "1000", 3_048.0, None,
                     f"{k + 1:06x}", "DLH1", k % 4_096, False)
            )
            for k in range(128)
        ]  # fmt: skip
        return made, len(made), "of our own encoder"
    blocks, count, splitter = [], 0, Splitter()
    for packet in read_packets(CAPTURE.read_bytes()):
        if not isinstance(packet, Packet):
            continue
        udp = packet.data[14 + (packet.data[14] & 15) * 4 :]
        records, _ = splitter.split(udp[8 : struct.unpack(">H", udp[4:6])[0]])
        if plots := [r.items for r in records if r.category == 48]:
            blocks.append(join(48, plots))
            count += len(plots)
    return blocks, count, "of a real capture"


def _asterix() -> list[Figure]:
    blocks, count, source = _blocks()
    splitter = Splitter()

    def ours() -> None:
        for block in blocks:
            for record in splitter.split(block)[0]:
                plot_of(record)

    readers: dict[str, tuple[Callable[[], None], int]] = {"": (ours, 100)}
    for name, made in (("libasterix", _libasterix), ("aviconv-asterix", _aviconv)):
        try:
            readers[name] = (made(blocks), 2 if name == "libasterix" else 20)
        except ImportError:
            continue
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(TURNS):
        for name, (read, times) in readers.items():
            begun = time.process_time()
            for _ in range(times):
                read()
            best[name] = min(best[name], (time.process_time() - begun) / times)
    note = f"{count} records {source}, all items measured"
    found = [
        Figure(
            f"ASTERIX CAT 048{', ' + name if name else ''}", count / seconds, "messages/s",
            None if name else AIM_PLOTS_PER_S, note="the peer, same blocks" if name else note,
        )
        for name, seconds in best.items()
    ]  # fmt: skip
    return [*found, _feed_of_plots()]


def _feed_of_plots() -> Figure:
    settings = FeedSettings("f", RADAR.sensor_id, "asterix", "", {"sources": {"25/1": "r"}},
                            {"r": RADAR})  # fmt: skip
    pieces = [
        Piece(
            AT_NS,
            encode_plot(
                Plot(25, 1, k, 74_080.0, 90.0, True, False, True, "", "1000", 3_048.0, None,
                     "3c6dd2", "DLH1", k % 4_096, False)
            ),
        )
        for k in range(20_000)
    ]  # fmt: skip
    best = _best(lambda: list(AsterixDecoder(settings).push(pieces)))
    return Figure(
        "ASTERIX feed, CAT 048", len(pieces) / best, "messages/s", AIM_PLOTS_PER_S,
        note="datagrams of one plot to batches, hashes and claims included",
    )  # fmt: skip


def _libasterix(blocks: list[bytes]) -> Callable[[], None]:
    base = importlib.import_module("asterix.base")
    uap = importlib.import_module("asterix.generated").Cat_048_1_32.cv_uap

    def read() -> None:
        for block in blocks:
            for part in base.RawDatablock.parse(base.Bits.from_bytes(block)):
                for record in uap.parse(part.get_raw_records()):
                    for item in ("040", "220", "240"):
                        if (said := record.get_item(item)) is not None:
                            said.unparse()

    return read


def _aviconv(blocks: list[bytes]) -> Callable[[], None]:
    decoder = importlib.import_module("aviconv_asterix.decoder")

    def read() -> None:
        for block in blocks:
            for _ in decoder.iter_records(block):
                pass

    return read


def _sbs1() -> list[Figure]:
    lines = [
        Piece(
            AT_NS,
            encode_line(
                Sbs1Message(3, f"{k % 200 + 1:06X}", AT_NS, AT_NS, None, 2_500.0, None, None,
                            49.61, 6.13, None, None, False)
            ),
        )
        for k in range(20_000)
    ]  # fmt: skip
    settings = FeedSettings("f", ADSB.sensor_id, "sbs1", "")
    texts = [piece.data for piece in lines]
    read_lines(texts)  # compiles
    together = _best(lambda: read_lines(texts))
    fed = _best(lambda: list(Sbs1Decoder(settings).push(lines)))
    return [
        Figure(
            "SBS-1 lines, decoded together", len(lines) / together, "lines/s", AIM_LINES_PER_S,
            note="to columns; what is unusual is left to the literal decoder",
        ),
        Figure(
            "SBS-1 feed", len(lines) / fed, "lines/s",
            note="the same to batches with claims and hashes; a full channel has 8,333 a second",
        ),
    ]  # fmt: skip


def _beast() -> Figure:
    stream = b""
    for k in range(20_000):
        cpr = encode_cpr(49.61, 6.13, bool(k % 400 >= 200))
        me = 11 << 51 | 0x110 << 36 | cpr.odd << 34 | cpr.lat << 17 | cpr.lon
        stream += encode(Beast(3, k, 40, encode_extended(f"{k % 200 + 1:06x}", me)))
    settings = FeedSettings("f", ADSB.sensor_id, "beast", "", {}, {"a": ADSB})

    def read() -> None:
        pieces = [Piece(AT_NS, frame) for frame in Frames().push(stream)]
        list(BeastDecoder(settings).push(pieces))

    return Figure(
        "Beast feed", 20_000 / _best(read), "messages/s",
        note="a stream of positions to batches: escapes, parity, CPR",
    )  # fmt: skip


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best
