"""Pack EGM96 from PROJ's grid: python scripts/pack_geoid.py /usr/share/proj/egm96_15.gtx

The grid comes with Debian's package proj-data. docs/decisions/0016-geoid.md says why it is
shipped, store/geoid.py how it is read.
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import numpy as np

QUANTUM_M = 0.05
TARGET = Path(__file__).parents[1] / "src" / "skykeep" / "data" / "egm96-15.bin"


def main() -> None:
    """Steps along each parallel, then between parallels, high bytes apart from low ones."""
    data = Path(sys.argv[1]).read_bytes()
    south, west, d_lat, d_lon, rows, columns = struct.unpack(">4d2i", data[:40])
    if (south, west, d_lat, d_lon, rows, columns) != (-90.0, -180.0, 0.25, 0.25, 721, 1440):
        raise SystemExit("this is not PROJ's egm96_15.gtx")
    heights = np.frombuffer(data[40:], ">f4").reshape(rows, columns)
    steps = np.round(heights / QUANTUM_M).astype(np.int16)
    steps = np.diff(steps, axis=1, prepend=np.int16(0))
    steps = np.diff(steps, axis=0, prepend=np.int16(0)).astype(">i2")
    bytes_of = steps.view(np.uint8)
    TARGET.write_bytes(zlib.compress(bytes_of[:, 0::2].tobytes() + bytes_of[:, 1::2].tobytes(), 9))


if __name__ == "__main__":
    main()
