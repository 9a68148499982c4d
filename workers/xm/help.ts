/**
 * xm's help: the short list of common commands, the long list grouped by function, and the usage of one command; all
 * from the command objects (layout of tools/python/xen/xm/main.py in Xen 3.4, headings as the manual page has them).
 */
import type { XmCommand, XmGroup } from './command';
import { format, wrap } from './format';

const GROUP_TITLES: readonly (readonly [XmGroup, string])[] = [
  ['domain', 'Domain Commands:'],
  ['host', 'Xen Host Commands:'],
  ['scheduler', 'Scheduler Commands:'],
  ['device', 'Virtual Device Commands:'],
  ['vnet', 'Vnet commands:'],
  ['security', 'Access Control commands:'],
  ['rest', 'Other commands:'],
];

const HEAD = 'Usage: xm <subcommand> [args]\n\nControl, list, and manipulate Xen guest instances.\n\n';
const FOOT = `<Domain> can either be the Domain Name or Id.
For more help on 'xm' see the xm(1) man page.
For more help on 'xm create' see the xmdomain.cfg(5)  man page.
`;

/** Commands of the short help in their order; those that are not there are left out. */
const COMMON =
  'console vncviewer create new delete destroy dump-core help list mem-set migrate pause reboot reset restore resume save shell shutdown start suspend top unpause uptime vcpu-set'.split(
    ' ',
  );

export function shortHelp(commands: readonly XmCommand[]): string {
  const common = COMMON.flatMap((name) => commands.find((command) => command.name === name) ?? []);
  return `${HEAD}Common 'xm' commands:\n\n${common.map(line).join('')}\n${FOOT}\nFor a complete list of subcommands run 'xm help --long'.\n`;
}

export function longHelp(commands: readonly XmCommand[]): string {
  const groups = GROUP_TITLES.flatMap(([group, title]) => {
    const members = commands.filter((command) => command.group === group);
    return members.length === 0 ? [] : [`${title}\n${members.map(line).join('')}\n`];
  });
  return `${HEAD}xm full list of subcommands:\n\n${groups.join('')}${FOOT}`;
}

function line(command: XmCommand): string {
  const [first, ...rest] = wrap(command.summary, 50);
  return [format(' %-20s %-50s', command.name, first!), ...rest.map((text) => ' '.repeat(22) + text), ''].join('\n');
}

export function usage(command: XmCommand): string {
  const args = command.usage === '' ? '' : ` ${command.usage}`;
  return `Usage: xm ${command.name}${args}\n\n${command.summary}\n${optionHelp(command)}${command.moreHelp?.() ?? ''}`;
}

function optionHelp(command: XmCommand): string {
  if (!command.options) return '';
  const lines = command.options.map((option) => {
    const value = option.takesValue ? `=${option.metavar ?? 'VALUE'}` : '';
    const keys = [option.short && `-${option.short}`, option.long && `--${option.long}${value}`]
      .filter(Boolean)
      .join(', ');
    const [first, ...rest] = wrap(option.help, 43);
    return [format('  %-30s %-43s', keys, first!), ...rest.map((text) => ' '.repeat(33) + text), ''].join('\n');
  });
  return `\n${lines.join('')}\n`;
}
