/** For component tests: renders over a canned machine. Imported by tests only. */
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { OtherComputer } from '../computers/otherComputer';
import type { TerminalSessions } from '../consoles/sessions';
import { useLab } from '../store/labStore';
import { FakeLab, FakePeers } from './fakeLab';
import { LabContextOf } from './LabContext';

/** What was typed into the serial console, without a screen behind it. */
export class FakeTerminals {
  readonly typed: string[] = [];
  isFree = true;
  serial() {
    return {
      focus: () => {},
      type: (data: string) => void this.typed.push(data),
      isAtEmptyPrompt: () => this.isFree,
    };
  }
}

export async function renderWithLab(children: ReactNode, lab = new FakeLab()) {
  const terminals = new FakeTerminals();
  let restarts = 0;
  const handle = {
    api: lab,
    computer: new OtherComputer(new FakePeers()),
    terminals: terminals as unknown as TerminalSessions,
    restart: () => {
      restarts += 1;
    },
  };
  useLab.getState().reset();
  const state = await lab.snapshot();
  useLab.getState().booted(state.value);
  return {
    lab,
    terminals,
    restarts: () => restarts,
    ...render(<LabContextOf handle={handle}>{children}</LabContextOf>),
  };
}
