#!/usr/bin/env python3
"""modules.py KERNEL-FOLDER OUT NAME...: copies kernel modules and what they depend on, and writes the order to load them in."""
import pathlib
import re
import sys

source, out, *names = sys.argv[1:]
files = {path.stem.replace('-', '_'): path for path in pathlib.Path(source).rglob('*.ko')}
order = []


def add(name):
    name = name.replace('-', '_')
    if name in order or name not in files:  # built in
        return
    depends = re.search(rb'\0depends=([^\0]*)\0', files[name].read_bytes())
    for other in depends.group(1).decode().split(',') if depends else []:
        if other:
            add(other)
    order.append(name)


for wanted in names:
    add(wanted)
target = pathlib.Path(out)
target.mkdir(parents=True, exist_ok=True)
for name in order:
    (target / f'{name}.ko').write_bytes(files[name].read_bytes())
(target / 'order').write_text(''.join(f'{name}.ko\n' for name in order))
