#!/bin/bash
# Builds the guest images in public/guests from Debian packages: twice the same bytes from the same package versions.
#
#   scripts/guests/build.sh [WORK FOLDER]        default /var/tmp/xen-lab-guests, needs 3 GB; Debian 12 as root
#
# Packages are downloaded and unpacked, never installed, except for the tools of a kernel build. A step whose result lies in
# the work folder already is not done again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../public/guests
work=${1:-/var/tmp/xen-lab-guests}

linux_version=6.1.176-1
linux_abi=6.1.0-50-686-pae
busybox_version=1:1.35.0-4+deb12u1+b1

export SOURCE_DATE_EPOCH=1767225600 # 2026-01-01
export PATH=$PATH:/usr/sbin:/sbin # mke2fs and its like, where somebody became root without a login
export LC_ALL=C TZ=UTC
export KBUILD_BUILD_TIMESTAMP='2026-01-01 00:00:00 UTC' KBUILD_BUILD_USER=guests KBUILD_BUILD_HOST=xen-lab
export KBUILD_BUILD_VERSION=1

umask 022
mkdir -p "$work/debs" "$out"
work=$(cd "$work" && pwd)

tools() {
  dpkg --print-foreign-architectures | grep -qx i386 || dpkg --add-architecture i386
  # A mirror in the middle of its own update is no reason to stop: what is missing fails below.
  apt-get update -qq || true
  apt-get install -y -qq --no-install-recommends bc bison flex cpio e2fsprogs gcc make libc6-dev xz-utils python3
}

# fetch PACKAGE=VERSION: into $work/debs
fetch() {
  ls "$work/debs/${1%%[:=]*}_"*.deb >/dev/null 2>&1 || (cd "$work/debs" && apt-get download -qq "$1")
}

unpack() { # PACKAGE FOLDER
  [ -d "$2" ] || dpkg-deb -x "$work/debs/${1}_"*.deb "$2"
}

build_kernel() {
  [ -f "$work/build/arch/x86/boot/bzImage" ] && return
  local source=$work/source/linux-source-6.1
  unpack linux-source-6.1 "$work/source"
  [ -d "$source" ] || tar -C "$work/source" -xf "$work/source/usr/src/linux-source-6.1.tar.xz"
  mkdir -p "$work/build"
  cd "$source"
  make -s O="$work/build" ARCH=i386 tinyconfig
  ARCH=i386 scripts/kconfig/merge_config.sh -O "$work/build" -m "$work/build/.config" "$here/linux-xenU.config" >/dev/null
  make -s O="$work/build" ARCH=i386 olddefconfig
  nice -n 19 make -s O="$work/build" ARCH=i386 -j"${JOBS:-1}" bzImage
}

# A program of this project's own, which needs no library.
build_workload() {
  gcc -m32 -march=i686 -Os -ffreestanding -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -static -nostdlib -no-pie \
    -Wl,--build-id=none,-z,noexecstack -s "$here/workload.c" -o "$work/workload"
}

# tree FOLDER: what both RAM disks and the disk image have in common
tree() {
  rm -rf "$1"
  mkdir -p "$1"/{bin,dev,proc,sys,tmp,root,run,mnt,etc,lib,newroot}
  ln -s bin "$1/sbin"
  cp "$work/busybox/bin/busybox" "$1/bin/busybox"
  install -m 755 "$work/workload" "$1/bin/workload"
  cp -r "$here/root/etc/." "$1/etc/"
  chmod 755 "$1"/etc/{rc,shell,udhcpc}
  chmod 644 "$1"/etc/{inittab,passwd,group}
}

# ram_disk FOLDER: commands without names of their own, each of which would cost a kernel its time; `init` makes the names when
# the guest stays here.
ram_disk() {
  tree "$1"
  ln -s busybox "$1/bin/sh"
  install -m 755 "$here/root/init" "$1/init"
}

# pack FOLDER FILE.gz: a RAM disk (cpio, newc, sorted, no times of ours). Domain-0 has it unpacked: an emulated processor would
# spend half of a small kernel's boot on that.
pack() {
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  (cd "$1" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0 --reproducible --ignore-devno) | gzip -9n >"$2"
}

modules() { # FOLDER: the front ends of Debian's kernel, each after what it needs
  "$here/modules.py" "$work/debian/lib/modules/$linux_abi/kernel" "$1/lib/modules" \
    crc32c_generic xen-blkfront xen-netfront ext4 xenfs
}

tools
fetch "linux-source-6.1=$linux_version"
fetch "linux-image-$linux_abi:i386=$linux_version"
fetch "busybox-static:i386=$busybox_version"
unpack "linux-image-$linux_abi" "$work/debian"
unpack busybox-static "$work/busybox"
build_kernel
build_workload

cp "$work/build/arch/x86/boot/bzImage" "$out/vmlinuz-6.1-xenU"
"$here/payload.py" "$work/debian/boot/vmlinuz-$linux_abi" | gzip -9n >"$out/vmlinuz-6.1-686-pae"

ram_disk "$work/initrd-xenU"
pack "$work/initrd-xenU" "$out/initrd-6.1-xenU.img.gz"

ram_disk "$work/initrd-debian"
modules "$work/initrd-debian"
pack "$work/initrd-debian" "$out/initrd-6.1-686-pae.img.gz"

tree "$work/root"
"$here/links.sh" "$work/root"
find "$work/root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
rm -f "$work/linux.img"
# An ext4 file system whose features Domain-0 can read too, when the guest is down.
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -O ^metadata_csum,^64bit,^orphan_file -b 4096 -m 0 -L linux \
  -E root_owner=0:0,hash_seed=11111111-2222-3333-4444-555555555555 -U 6c696e75-7872-6f6f-7400-000000000001 \
  -d "$work/root" "$work/linux.img" 12M
# mke2fs copies the change times of the files, which no touch can set: that of every inode in use is set in the image.
used=$(dumpe2fs -h "$work/linux.img" 2>/dev/null | awk -F: '/^Inode count/ { all = $2 } /^Free inodes/ { print all - $2 }')
for inode in 2 $(seq 11 "$used"); do echo "set_inode_field <$inode> ctime @$SOURCE_DATE_EPOCH"; done |
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f - "$work/linux.img" >/dev/null 2>&1
gzip -9nc "$work/linux.img" >"$out/linux.img.gz"

"$here/manifest.py" "$out" "$linux_version" "$busybox_version" "$linux_abi"
