# What block and its helpers (block-nbd) share: who else uses a device, and what the backend driver is told.

. "$(dirname "$0")/xen-hotplug-common.sh"

mode=$(store_read "$XENBUS_PATH/mode")

# MAJOR:MINOR of a device node, in hex.
device_number()
{
  stat -L -c '%t:%T' "$1"
}

# The uuid of the virtual machine that a domain is.
vm_uuid()
{
  store_read "$(store_read "/local/domain/$1/vm")/uuid"
}

# The domain that this device is for.
own_domain()
{
  local domain=${XENBUS_PATH#backend/*/}
  echo "${domain%%/*}"
}

# A domain that arrives from this very host is there twice for a while.
same_vm()
{
  local other own
  other=$(vm_uuid "$1")
  own=$(vm_uuid "$(own_domain)")
  [ -n "$own" ] && [ "$other" = "$own" ]
}

# Is the device with this number mounted in Domain-0? Prints r or w.
mounted_here()
{
  local source target kind options rest
  while read source target kind options rest; do
    [ -b "$source" ] || continue
    if [ "$(device_number "$source")" = "$1" ]; then
      case ",$options," in
        *,ro,*) echo r ;;
        *) echo w ;;
      esac
      return 0
    fi
  done </proc/mounts
}

# Does another guest have it? Prints r or w.
used_by_guest()
{
  local domain device path
  for domain in $(xenstore-list backend/vbd 2>/dev/null); do
    for device in $(xenstore-list "backend/vbd/$domain" 2>/dev/null); do
      path="backend/vbd/$domain/$device"
      [ "$path" = "$XENBUS_PATH" ] && continue
      [ "$(store_read "$path/physical-device")" = "$1" ] || continue
      same_vm "$domain" && continue
      case "$(store_read "$path/mode")" in
        r) echo r ;;
        *) echo w ;;
      esac
      return 0
    done
  done
}

# check_sharing NUMBER SUBJECT: two may read; a writer must be alone.
check_sharing()
{
  local number="$1" subject="$2" found
  [ "$mode" = 'w!' ] && return 0
  found=$(mounted_here "$number")
  if [ "$found" = w ] || { [ -n "$found" ] && [ "$mode" != r ]; }; then
    release_lock block
    busy "$subject mounted $(read_write "$found")in the privileged domain,
and so cannot be mounted $(read_only)by a guest."
  fi
  found=$(used_by_guest "$number")
  if [ "$found" = w ] || { [ -n "$found" ] && [ "$mode" != r ]; }; then
    release_lock block
    busy "$subject mounted $(read_write "$found")in a guest domain,
and so cannot be mounted $(read_only)now."
  fi
}

read_write()
{
  if [ "$1" = w ] && [ "$mode" = r ]; then
    echo 'read-write '
  fi
}

read_only()
{
  if [ "$mode" = r ]; then
    echo 'read-only '
  fi
}

# A device of this machine that it exports to others is not for its own guests: they import it as well.
check_exported()
{
  local holder
  [ "$mode" = 'w!' ] && return 0
  for holder in "/sys/block/$(basename "$1")/holders"/*; do
    [ -e "$holder" ] || continue
    holder=${holder##*/}
    release_lock block
    busy "Device $1 is exported by ${holder%%\[*},
and so cannot be mounted by a guest."
  done
}

# reserve_volume DEVICE NUMBER: the server of a network block device knows what the guests of other hosts do with it. The
# key is the uuid of the virtual machine, so that a guest which migrates is no rival of itself.
reserve_volume()
{
  local key status other
  case "$2" in
    2b:*) ;;
    *) return 0 ;;
  esac
  nbd-client -c "$1" >/dev/null || fatal "$1 is not connected to a server."
  key=$(vm_uuid "$(own_domain)")
  nbd-reserve "$1" "$key" "$mode"
  status=$?
  case $status in
    0) must xenstore-write "$XENBUS_PATH/reservation" "$key" "$XENBUS_PATH/node" "$1" ;;
    2)
      release_lock block
      other=$(nbd-reserve -l "$1" | grep -v "^$key " | head -n 1 | cut -d ' ' -f 3)
      busy "Device $1 is mounted $(read_write w)in a guest domain on $other,
and so cannot be mounted $(read_only)now."
      ;;
    3) fatal "$1 is exported read-only." ;;
    *) fatal "$1 cannot be reserved at its server." ;;
  esac
}

release_volume()
{
  local key node
  key=$(store_read "$XENBUS_PATH/reservation")
  node=$(store_read "$XENBUS_PATH/node")
  [ -n "$key" ] && nbd-reserve "$node" "$key" release
}

attach_device()
{
  local device="$1" number
  number=$(device_number "$device") || fatal "$device is not a block device."
  check_exported "$device"
  check_sharing "$number" "Device $device is"
  reserve_volume "$device" "$number"
  must xenstore-write "$XENBUS_PATH/physical-device" "$number"
}
