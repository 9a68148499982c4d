/** Texts of the default root file system that have to do with the network: the two services, and the names of ports. */

export const NETWORK = `#!/bin/sh
# network: brings the interfaces up, as the kernel's ip= says or as /etc/sysconfig/network-scripts/ifcfg-* do.
# chkconfig: 2345 10 90

# The kernel's word: CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:HOW
kernel_address()
{
    for word in $(cat /proc/cmdline); do
        case "$word" in
        ip=*:*) echo "\${word#ip=}" ;;
        esac
    done
}

# bring_up DEVICE HOW [ADDRESS [NETMASK]]
bring_up()
{
    ifconfig "$1" >/dev/null 2>&1 || return 0
    if [ "$2" = dhcp ]; then
        dhclient -q "$1"
    else
        ifconfig "$1" $3 \${4:+netmask $4} up
    fi
}

start()
{
    GATEWAY=
    [ -f /etc/sysconfig/network ] && . /etc/sysconfig/network
    given=$(kernel_address)
    if [ -n "$given" ]; then
        IFS=: read address server router netmask host device how <<END
$given
END
        [ -n "$host" ] && hostname "$host"
        bring_up "\${device:-eth0}" "\${how:-off}" "$address" "$netmask"
        [ -n "$router" ] && GATEWAY=$router
    else
        for config in /etc/sysconfig/network-scripts/ifcfg-*; do
            [ -f "$config" ] || continue
            DEVICE= BOOTPROTO= IPADDR= NETMASK= ONBOOT=
            . "$config"
            [ "$ONBOOT" = no ] || [ "$DEVICE" = lo ] || bring_up "$DEVICE" "$BOOTPROTO" "$IPADDR" "$NETMASK"
        done
    fi
    [ -n "$GATEWAY" ] && route add default gw "$GATEWAY"
}

stop()
{
    for config in /etc/sysconfig/network-scripts/ifcfg-*; do
        [ -f "$config" ] || continue
        . "$config"
        [ "$DEVICE" = lo ] || ifconfig "$DEVICE" down 2>/dev/null
    done
}

case "$1" in
start)
    start
    ;;
stop)
    stop
    ;;
restart)
    stop
    start
    ;;
*)
    echo "Usage: $0 {start|stop|restart}"
    exit 1
    ;;
esac
exit 0
`;

export const IPTABLES = `#!/bin/sh
# iptables: puts the firewall's rules from /etc/sysconfig/iptables in place, takes them away, writes them down.
# chkconfig: 2345 08 92

RULES=/etc/sysconfig/iptables
LOCK=/var/lock/subsys/iptables
IPTABLES_SAVE_ON_STOP=no
IPTABLES_SAVE_ON_RESTART=no
IPTABLES_SAVE_COUNTER=no
IPTABLES_STATUS_NUMERIC=yes
[ -f /etc/sysconfig/iptables-config ] && . /etc/sysconfig/iptables-config
counters=
[ "$IPTABLES_SAVE_COUNTER" = yes ] && counters=-c

# step MESSAGE COMMAND...: says how it went
step()
{
    message=$1
    shift
    if "$@"; then
        printf '%-60s[  OK  ]\n' "$message"
    else
        printf '%-60s[FAILED]\n' "$message"
        return 1
    fi
}

is_used()
{
    grep -q filter /proc/net/ip_tables_names
}

flush()
{
    iptables -F && iptables -X && iptables -Z
}

policy()
{
    iptables -P INPUT $1 && iptables -P OUTPUT $1 && iptables -P FORWARD $1
}

write_rules()
{
    new=/tmp/iptables.$$
    (umask 077; iptables-save $counters >$new) && [ -s $new ] || return 1
    [ -e $RULES ] && { cp $RULES $RULES.save && chmod 600 $RULES.save || return 1; }
    cp $new $RULES && chmod 600 $RULES
    result=$?
    rm -f $new
    return $result
}

start()
{
    [ -f $RULES ] || return 1
    step 'Applying iptables firewall rules: ' iptables-restore $counters $RULES || return 1
    mkdir -p /var/lock/subsys
    touch $LOCK
}

stop()
{
    is_used || return 1
    step 'Flushing firewall rules: ' flush
    step 'Setting chains to policy ACCEPT: filter ' policy ACCEPT
    rm -f $LOCK
}

save()
{
    is_used || return 1
    step "Saving firewall rules to $RULES: " write_rules
}

status()
{
    if ! is_used; then
        echo 'Firewall is stopped.'
        return 1
    fi
    numeric=
    [ "$IPTABLES_STATUS_NUMERIC" = yes ] && numeric=-n
    echo 'Table: filter'
    iptables -L $numeric && echo
}

restart()
{
    [ "$IPTABLES_SAVE_ON_RESTART" = yes ] && save
    stop
    start
}

case "$1" in
start)
    stop
    start
    ;;
stop)
    [ "$IPTABLES_SAVE_ON_STOP" = yes ] && save
    stop
    ;;
restart | reload)
    restart
    ;;
condrestart)
    [ ! -e $LOCK ] || restart
    ;;
status)
    status
    ;;
panic)
    step 'Flushing firewall rules: ' flush
    step 'Setting chains to policy DROP: filter ' policy DROP
    ;;
save)
    save
    ;;
*)
    echo "Usage: $0 {start|stop|restart|condrestart|status|panic|save}"
    exit 1
    ;;
esac
`;

export const SERVICES = `# services: names of ports
echo		7/tcp
echo		7/udp
discard		9/tcp		sink null
discard		9/udp		sink null
daytime		13/tcp
ftp-data	20/tcp
ftp		21/tcp
ssh		22/tcp
telnet		23/tcp
smtp		25/tcp		mail
time		37/tcp
domain		53/tcp
domain		53/udp
bootps		67/udp
bootpc		68/udp
tftp		69/udp
http		80/tcp		www
kerberos	88/tcp
pop3		110/tcp
sunrpc		111/tcp		portmapper
sunrpc		111/udp		portmapper
ntp		123/udp
imap		143/tcp		imap2
snmp		161/udp
ldap		389/tcp
https		443/tcp
syslog		514/udp
ldaps		636/tcp
nfs		2049/tcp
nfs		2049/udp
vnc-server	5900/tcp
http-alt	8080/tcp	webcache
`;
