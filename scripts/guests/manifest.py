#!/usr/bin/env python3
"""manifest.py FOLDER LINUX BUSYBOX ABI: manifest.json and SOURCES.md beside the images."""
import gzip
import hashlib
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
linux, busybox, abi = sys.argv[2:]
kernel_source = f'Debian source package linux {linux}'
busybox_source = f'Debian source package busybox {busybox.split(":")[1].rsplit("+b", 1)[0]}'
scripts = 'scripts/guests of this project'
images = [
    ('vmlinuz-6.1-xenU', '/boot/vmlinuz-6.1-xenU', [f'linux-source-6.1 {linux}'], [kernel_source, f'{scripts}/linux-xenU.config']),
    ('vmlinuz-6.1-686-pae', '/boot/vmlinuz-6.1-686-pae', [f'linux-image-{abi}:i386 {linux}'], [kernel_source]),
    ('initrd-6.1-xenU.img.gz', '/boot/initrd-6.1-xenU.img', [f'busybox-static:i386 {busybox}'], [busybox_source, scripts]),
    ('initrd-6.1-686-pae.img.gz', '/boot/initrd-6.1-686-pae.img', [f'busybox-static:i386 {busybox}', f'linux-image-{abi}:i386 {linux}'], [busybox_source, kernel_source, scripts]),
    ('linux.img.gz', '/home/xen/linux.img', [f'busybox-static:i386 {busybox}'], [busybox_source, scripts]),
]
entries = []
for name, path, packages, sources in images:
    data = (folder / name).read_bytes()
    # Disks are unpacked on the way in; a kernel is a file of its own format.
    contents = gzip.decompress(data) if name.endswith('.gz') else data
    entries.append({
        'name': name,
        'path': path,
        'packing': 'gzip' if name.endswith('.gz') else 'none',
        'size': len(data),
        'sha256': hashlib.sha256(data).hexdigest(),
        'contentsSize': len(contents),
        'contentsSha256': hashlib.sha256(contents).hexdigest(),
        'packages': packages,
        'licence': 'GPL-2.0-only',
        'source': sources,
    })
(folder / 'manifest.json').write_text(json.dumps({'images': entries}, indent=2) + '\n')
lines = [
    '# Guest images and their sources', '',
    'Built by `scripts/guests/build.sh` from Debian packages, byte for byte reproducible. All are free software under the GNU',
    'General Public License, version 2; the corresponding source of each is the Debian source package named here (in the',
    'Debian archive and on snapshot.debian.org), with the configuration and scripts of this project.', '',
    '| File | Made from | Source |', '|---|---|---|',
]
lines += [f"| {e['name']} | {', '.join(e['packages'])} | {'; '.join(e['source'])} |" for e in entries]
lines += ['', f'`vmlinuz-6.1-686-pae` is the kernel that Debian\'s `/boot/vmlinuz-{abi}` carries, unchanged, packed with gzip instead of xz.',
          '`vmlinuz-6.1-xenU` is `linux-source-6.1`, unchanged, built with `linux-xenU.config` on top of `tinyconfig`.', '']
(folder / 'SOURCES.md').write_text('\n'.join(lines))
