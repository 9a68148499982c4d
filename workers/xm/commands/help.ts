/** xm help: the short list, all commands grouped, or one command's usage (xm(1), HELP). */
import type { XmCommand } from '../command';
import { longHelp, shortHelp, usage } from '../help';

/** Takes the list so that the registry can contain this command. */
export function helpCommand(commands: () => readonly XmCommand[]): XmCommand {
  return {
    name: 'help',
    usage: '[--long] [<subcommand>]',
    summary: 'Display this message.',
    group: 'rest',
    async run({ io }, args) {
      const [word] = args;
      if (word === undefined) io.print(shortHelp(commands()));
      else if (word === '--long' || word === '-l') io.print(longHelp(commands()));
      else {
        const command =
          commands().find((each) => each.name === word) ?? commands().find((each) => each.name.startsWith(word));
        io.print(command ? usage(command) : shortHelp(commands()));
      }
      return 0;
    },
  };
}
