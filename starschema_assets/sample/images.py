"""Generates small PNG images for the product lines, each from a number."""

import struct
import zlib

SIDE = 24


def product_line_image(number: int) -> bytes:
    """Return a PNG of 24 x 24 pixels: a striped square whose colours depend on `number`.

    The pixels are stored uncompressed, because the output of zlib differs between its versions.
    """
    rows = bytearray()
    for y in range(SIDE):
        rows.append(0)  # filter of the row: none
        for x in range(SIDE):
            light = 255 if (x + y * (number + 1)) // 4 % 2 else 92
            rows += bytes((light, (light * (number + 3)) % 256, (40 * number + y) % 256))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
