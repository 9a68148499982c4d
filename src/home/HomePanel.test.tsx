import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeLab, fakeDomain } from '../worker/fakeLab';
import { renderWithLab } from '../worker/testLab';
import { HomePanel } from './HomePanel';
import { planFor, steps } from './suggestions';

afterEach(cleanup);

const freshHost = () => new FakeLab([fakeDomain(0, 'Domain-0')]);

it('offers xm list first and types it into the serial console', async () => {
  const { terminals } = await renderWithLab(<HomePanel />, freshHost());
  fireEvent.click(screen.getByRole('button', { name: 'Type it for me' }));
  expect(terminals.typed).toEqual(['xm list\r']);
  expect(screen.getByText('xm info', { selector: '.step-command' })).toBeTruthy();
});

it('types nothing while the terminal shows no empty prompt', async () => {
  const { terminals } = await renderWithLab(<HomePanel />, freshHost());
  terminals.isFree = false;
  fireEvent.click(screen.getByRole('button', { name: 'Type it for me' }));
  expect(terminals.typed).toEqual([]);
  expect(screen.getByRole('status').textContent).toContain('Ctrl-]');
});

it('offers to switch on a machine that has halted', async () => {
  const lab = freshHost();
  lab.host = { ...lab.host, phase: 'halted' };
  const { restarts } = await renderWithLab(<HomePanel />, lab);
  fireEvent.click(screen.getByRole('button', { name: 'Switch on' }));
  expect(restarts()).toBe(1);
});

it('sets the speed of time', async () => {
  const { lab } = await renderWithLab(<HomePanel />, freshHost());
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: '×0.1' }));
  });
  expect(lab.host.speed).toBe(0.1);
});

describe('planFor', () => {
  it('counts a domain that was created by hand as the step done', () => {
    const typed = ['xm list', 'xm info', 'vi /etc/xen/xmexample1'];
    expect(planFor({ typed, seenDomains: ['Domain-0'] }).next?.command).toBe('xm create -c xmexample1');
    expect(planFor({ typed, seenDomains: ['Domain-0', 'ExampleDomain'] }).next?.command).toBe('xm vcpu-list');
  });

  it('has an end', () => {
    const done = { typed: steps.map((step) => step.command), seenDomains: ['ExampleDomain', 'VM1', 'VM2', 'ramdisk'] };
    expect(planFor(done).next).toBeUndefined();
  });
});
