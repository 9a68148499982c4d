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

# Where packets are filtered on this host, a guest's interface gets its own rules: what the guest sends may pass, if it comes
# from one of the addresses in its configuration (all of them without any) or asks for one by DHCP, and so may the answers.
# They matter once chain FORWARD is closed, as by network-bridge antispoof=yes.
filters_packets()
{
  grep -q filter /proc/net/ip_tables_names 2>/dev/null
}

let_pass()
{
  iptables -I FORWARD -m physdev --physdev-in "$vif" "$@" -j ACCEPT
}

open_firewall()
{
  local address
  filters_packets || return 0
  if [ -n "$ip" ]; then
    for address in $ip; do
      let_pass -s "$address"
    done
    let_pass -p udp --sport 68 --dport 67
  else
    let_pass
  fi
  iptables -I FORWARD -m state --state RELATED,ESTABLISHED -m physdev --physdev-out "$vif" -j ACCEPT
}

close_firewall()
{
  local command rule
  filters_packets || return 0
  iptables-save | while read -r command rule; do
    case "$command $rule " in
      "-A FORWARD "*"--physdev-in $vif "* | "-A FORWARD "*"--physdev-out $vif "*) iptables -D $rule ;;
    esac
  done
}
