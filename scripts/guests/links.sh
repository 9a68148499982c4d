#!/bin/bash
# links.sh FOLDER: the names of all of busybox's commands, as its own --install would make them.
set -euo pipefail
"$1/bin/busybox" --list | while read -r name; do
  [ -e "$1/bin/$name" ] || ln -s busybox "$1/bin/$name"
done
