# What the hotplug scripts share: where they report to, and how they fail.
#
# The kernel's hotplug event gives them XENBUS_PATH (backend/CLASS/DOMAIN/DEVICE), XENBUS_TYPE and, for network
# interfaces, vif. What they write into the store is read by xend: hotplug-status is "connected", "error" or "busy",
# and hotplug-error says why.

. "$(dirname "$0")/xen-script-common.sh"

exec 2>>/var/log/xen/xen-hotplug.log

export PATH="/sbin:/bin:/usr/sbin:/usr/bin:$PATH"

store_read()
{
  xenstore-read "$1" 2>/dev/null
}

report()
{
  logger -t "$0" -- "$*"
}

fatal()
{
  xenstore-write "$XENBUS_PATH/hotplug-error" "$*" "$XENBUS_PATH/hotplug-status" error
  report "$*"
  exit 1
}

busy()
{
  xenstore-write "$XENBUS_PATH/hotplug-error" "$*" "$XENBUS_PATH/hotplug-status" busy
  report "$*"
  exit 1
}

success()
{
  xenstore-write "$XENBUS_PATH/hotplug-status" connected
}

must()
{
  "$@" || fatal "$0 failed; error detected."
}

# One at a time: a directory can be made only once.
claim_lock()
{
  mkdir -p /var/run/xen-hotplug
  while ! mkdir "/var/run/xen-hotplug/$1" 2>/dev/null; do
    sleep 0.1
  done
  lock_held="/var/run/xen-hotplug/$1"
  trap 'rmdir "$lock_held" 2>/dev/null' EXIT
}

release_lock()
{
  rmdir "/var/run/xen-hotplug/$1" 2>/dev/null
  trap - EXIT
}
