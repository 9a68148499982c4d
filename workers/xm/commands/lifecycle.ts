/** The subcommands that do one thing to one domain: pause, unpause, destroy, reset. */
import type { XendApi } from '../../xend/api';
import type { XmCommand } from '../command';

function onDomain(name: string, summary: string, act: (xend: XendApi, domain: string) => Promise<void>): XmCommand {
  return {
    name,
    usage: '<Domain>',
    summary,
    group: 'domain',
    minArgs: 1,
    maxArgs: 1,
    async run({ xend }, [domain]) {
      await act(xend, domain!);
      return 0;
    },
  };
}

export const pause = onDomain('pause', 'Pause execution of a domain.', (xend, domain) => xend.pause(domain));
export const unpause = onDomain('unpause', 'Unpause a paused domain.', (xend, domain) => xend.unpause(domain));
export const destroy = onDomain('destroy', 'Terminate a domain immediately.', (xend, domain) => xend.destroy(domain));
export const reset = onDomain('reset', 'Reset a domain.', (xend, domain) => xend.reset(domain));
