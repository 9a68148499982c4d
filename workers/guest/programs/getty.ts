/**
 * getty: opens a terminal, shows /etc/issue and `login:`, and becomes login with the name that was typed.
 * `--autologin USER` asks nobody, as on the console of a lab machine.
 */
import { again, exit, type Program, type Sys, wait } from '../sys';

interface GettyState {
  isOpen: boolean;
  prompted: boolean;
}

export const getty: Program<GettyState> = {
  name: 'getty',
  start: () => ({ isOpen: false, prompted: false }),
  step(sys, state) {
    if (!state.isOpen) {
      openTerminal(sys);
      state.isOpen = true;
    }
    const autologin = sys.argv[sys.argv.indexOf('--autologin') + 1];
    if (sys.argv.includes('--autologin') && autologin !== undefined) {
      sys.exec(['/bin/login', '-f', autologin]);
      return again();
    }
    if (!state.prompted) {
      state.prompted = true;
      sys.print(`\n${issue(sys)}${sys.uname().nodename} login: `);
    }
    const bytes = sys.read(0, 256);
    if (!bytes) return wait({ readable: 0 });
    if (bytes.length === 0) return exit(0);
    const name = new TextDecoder().decode(bytes).trim();
    if (name === '' || name.startsWith('-')) {
      state.prompted = false;
      return again();
    }
    sys.exec(['/bin/login', '--', name]);
    return again();
  },
};

/** The terminal named by the arguments as descriptors 0, 1 and 2, in cooked mode; it becomes the session's own. */
function openTerminal(sys: Sys): void {
  const name =
    sys.argv
      .slice(1)
      .filter((word) => !/^(-|\d)/.test(word))
      .at(-1) ?? 'console';
  for (const fd of [0, 1, 2]) sys.close(fd);
  const fd = sys.open(name.startsWith('/') ? name : `/dev/${name}`, { read: true, write: true });
  for (const to of [1, 2]) sys.dup(fd, to);
  sys.setTermios(0, { icanon: true, echo: true, isig: true, icrnl: true, onlcr: true });
}

/** /etc/issue with its escapes: \n host name, \l terminal, \r release, \s system, \m machine. */
function issue(sys: Sys): string {
  if (!sys.exists('/etc/issue')) return '';
  const { nodename, release, sysname, machine } = sys.uname();
  const values: Record<string, string> = { n: nodename, r: release, s: sysname, m: machine };
  values['l'] = (sys.ttyName(0) ?? '').replace('/dev/', '');
  return sys.readText('/etc/issue').replace(/\\([a-z])/g, (_, letter: string) => values[letter] ?? '');
}
