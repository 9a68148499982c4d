/** Python modules that configuration scripts find: os with the machine's facts, xm's Vars, and xen.util.ip. */
import { pythonRepr } from '../../lib/sxp';
import type { MachineFacts } from '../../xm/python';

export function osModule(facts: MachineFacts): string {
  const environ = Object.entries(facts.environ).map(([key, value]) => `${pythonRepr(key)}: ${pythonRepr(value)}`);
  return `
class _Path:
    def join(self, first, *rest):
        out = first
        for part in rest:
            if part.startswith('/'):
                out = part
            elif out == '' or out.endswith('/'):
                out = out + part
            else:
                out = out + '/' + part
        return out
    def isabs(self, path):
        return path.startswith('/')
    def split(self, path):
        at = path.rfind('/') + 1
        head = path[:at]
        if head != '/' and len(head) > 1:
            head = head[:-1]
        return (head, path[at:])
    def dirname(self, path):
        return self.split(path)[0]
    def basename(self, path):
        return self.split(path)[1]
    def splitext(self, path):
        dot = path.rfind('.')
        if dot <= path.rfind('/') + 1:
            return (path, '')
        return (path[:dot], path[dot:])
    def normpath(self, path):
        parts = []
        for part in path.split('/'):
            if part == '..' and parts:
                parts.pop()
            elif part != '' and part != '.':
                parts.append(part)
        out = '/'.join(parts)
        if path.startswith('/'):
            out = '/' + out
        return out or '.'
    def abspath(self, path):
        return self.normpath(self.join(getcwd(), path))

path = _Path()
sep = '/'
name = 'posix'
environ = {${environ.join(', ')}}

def uname():
    return (${facts.uname.map(pythonRepr).join(', ')})

def getcwd():
    return ${pythonRepr(facts.cwd)}

def getenv(key, default=None):
    return environ.get(key, default)
`;
}

/** `_get` and `_set`, which reach the script's variables, are put in by the interpreter. */
export const VARS_MODULE = `
class Vars:
    def __init__(self):
        self.infos = []
    def var(self, name, use=None, check=None):
        self.infos.append((name, use, check))
    def check(self):
        for (name, use, check) in self.infos:
            value = _get(name)
            if check is not None:
                try:
                    value = check(name, value)
                except StandardError, ex:
                    raise ex.__class__(name + ' - ' + str(ex))
            _set(name, value)
`;

export const IP_FUNCTIONS = [
  'get_defaultroute',
  'get_current_ipaddr',
  'get_current_ipmask',
  'get_current_ipgw',
  'inet_aton',
  'inet_ntoa',
  'add_offset_to_ip',
  'check_subnet',
] as const;

export function ipModule(facts: MachineFacts): string {
  const { network } = facts;
  const text = (value: string | undefined) => (value === undefined ? 'None' : pythonRepr(value));
  return `
def get_defaultroute():
    return [${text(network?.gateway)}, ${text(network?.device)}]
def get_current_ipaddr(dev='defaultroute'):
    return ${text(network?.address)}
def get_current_ipmask(dev='defaultroute'):
    return ${text(network?.netmask)}
def get_current_ipgw(dev='defaultroute'):
    return ${text(network?.gateway)}
def inet_aton(addr):
    out = 0
    for part in addr.split('.'):
        out = out * 256 + int(part)
    return out
def inet_ntoa(n):
    return '%d.%d.%d.%d' % (n // 16777216 % 256, n // 65536 % 256, n // 256 % 256, n % 256)
def add_offset_to_ip(addr, offset):
    return inet_ntoa(inet_aton(addr) + offset)
def check_subnet(ip, network, netmask):
    return (inet_aton(ip) & inet_aton(netmask)) == (inet_aton(network) & inet_aton(netmask))
`;
}
