# Small things that every script under /etc/xen/scripts needs.

# Arguments of the form NAME=VALUE become variables.
read_arguments()
{
  local arg
  for arg in "$@"; do
    case "$arg" in
      *=*) eval "${arg%%=*}='${arg#*=}'" ;;
    esac
  done
}

# First of its arguments that is not empty.
first_of()
{
  local value
  for value in "$@"; do
    if [ -n "$value" ]; then
      echo "$value"
      return 0
    fi
  done
  return 1
}

has_link()
{
  ip link show dev "$1" >/dev/null 2>&1
}
