/** Gives every panel the machine: its api, its terminals, and the way to start it afresh. */
import { createContext, Fragment, type ReactNode, useContext, useEffect, useState } from 'react';
import type { LabApi } from '../../workers/contract';
import { OtherComputer } from '../computers/otherComputer';
import { TerminalSessions } from '../consoles/sessions';
import { forgetMaps, receivePages } from '../migration/maps';
import { useLab } from '../store/labStore';
import { eventPort, type LabConnection, messageOf, unwrap } from './connect';

export interface LabHandle {
  readonly api: LabApi;
  readonly computer: OtherComputer;
  readonly terminals: TerminalSessions;
  readonly restart: () => void;
}

export type Connect = (onCrash: (reason: string) => void) => LabConnection;

const LabContext = createContext<LabHandle | undefined>(undefined);

export function useLabHandle(): LabHandle {
  const handle = useContext(LabContext);
  if (!handle) throw new Error('LabProvider is missing above this component');
  return handle;
}

/** Starts the machine once and again after `restart`; children are rebuilt with it. */
export function LabProvider({ connect, children }: { connect: Connect; children: ReactNode }) {
  const [generation, setGeneration] = useState(0);
  const [current, setCurrent] = useState<{ readonly handle: LabHandle; readonly generation: number }>();

  useEffect(() => {
    useLab.getState().reset();
    forgetMaps();
    let isCurrent = true;
    const fail = (reason: string) => isCurrent && useLab.getState().failed(reason);
    const connection = connect(fail);
    const terminals = new TerminalSessions(connection.api);
    const computer = new OtherComputer(connection.peers);
    terminals.serial(); // opened before boot, so that GRUB's line is not missed
    setCurrent({
      handle: { api: connection.api, computer, terminals, restart: () => setGeneration((n) => n + 1) },
      generation,
    });
    connection.api
      .boot({
        events: eventPort((events) => {
          if (!isCurrent) return;
          receivePages(events);
          useLab.getState().receive(events);
        }),
      })
      .then((result) => isCurrent && useLab.getState().booted(unwrap(result)))
      .catch((error: unknown) => fail(messageOf(error)));
    return () => {
      isCurrent = false;
      terminals.dispose();
      computer.dispose();
      connection.close();
    };
  }, [connect, generation]);

  if (!current) return null;
  return (
    <LabContext.Provider value={current.handle}>
      <Fragment key={current.generation}>{children}</Fragment>
    </LabContext.Provider>
  );
}

/** For component tests: the context alone, around a canned machine. */
export function LabContextOf({ handle, children }: { handle: LabHandle; children: ReactNode }) {
  return <LabContext.Provider value={handle}>{children}</LabContext.Provider>;
}
