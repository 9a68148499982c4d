#!/usr/bin/env python3
"""payload.py BZIMAGE: writes the ELF kernel that a bzImage carries, byte for byte as the package has it."""
import lzma
import struct
import sys

image = open(sys.argv[1], 'rb').read()
offset, length = struct.unpack_from('<II', image, 0x248)
start = (image[0x1f1] + 1) * 512 + offset
payload = image[start:start + length]
elf = lzma.LZMADecompressor().decompress(payload)
assert elf[:4] == b'\x7fELF', 'not an ELF kernel'
sys.stdout.buffer.write(elf)
