# What the scripts for virtual network interfaces share.
#
# Settings come from the environment, then from VAR=VALUE arguments, then from the device's directory in the store.

. "$(dirname "$0")/xen-hotplug-common.sh"

command="$1"
[ $# -gt 0 ] && shift
read_arguments "$@"

case "$command" in
  online | offline | add | remove) ;;
  *)
    report "Invalid command: $command"
    exit 1
    ;;
esac

bridge=$(first_of "$(store_read "$XENBUS_PATH/bridge")" "$bridge")
ip=$(first_of "$(store_read "$XENBUS_PATH/ip")" "$ip")
vifname=$(store_read "$XENBUS_PATH/vifname")

if [ "$command" = online ] && [ -n "$vifname" ] && ! has_link "$vifname"; then
  must ip link set dev "$vif" name "$vifname"
fi
if [ -n "$vifname" ]; then
  vif="$vifname"
fi
