"""PNG files (ISO/IEC 15948), for which no package is needed."""

import struct
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


def png(
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    palette: npt.NDArray[np.uint8] | None = None,
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """Return a PNG file.

    Args:
        pixels: Grey, of 8 or 16 bits, or numbers of colours; shape (height, width).
        palette: The colours that 8-bit pixels stand for, shape (256, 3).
        texts: What else the file says of itself, by keyword: 1 to 79 letters of ASCII.
    """
    height, width = pixels.shape
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, depth, 0 if palette is None else 3, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", palette.tobytes()))
    for key, text in (texts or {}).items():
        if text.isascii() and "\0" not in text:
            chunks.append(_chunk(b"tEXt", f"{key}\0{text}".encode("ascii")))
        else:  # in UTF-8, not compressed, of no language
            chunks.append(_chunk(b"iTXt", f"{key}\0\0\0\0\0{text}".encode()))
    stored = pixels.astype(">u2" if depth == 16 else "u1")
    rows = stored.view(np.uint8).reshape(height, -1)
    # Each row begins with the number of its filter: none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    chunks.append(_chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)))
    chunks.append(_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
