import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { renderWithLab } from '../worker/testLab';
import { useDocuments } from './documents';
import { EditorPanel } from './EditorPanel';
import { useDocumentRequests } from './useDocumentRequests';

// Monaco needs a browser's layout: a text area stands in for it.
vi.mock('./CodeEditor', () => ({
  CodeEditor: ({ value, onChange }: { value: string; onChange: (value: string) => void }) => (
    <textarea aria-label="text" value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

function PanelWithRequests() {
  useDocumentRequests();
  return <EditorPanel />;
}

beforeEach(() => useDocuments.getState().forgetAll());
afterEach(cleanup);

it('opens a file from the tree, and saves what was typed', async () => {
  const { lab } = await renderWithLab(<PanelWithRequests />);
  fireEvent.click(await screen.findByRole('button', { name: 'xmexample1' }));
  const area = await screen.findByRole('textbox', { name: 'text' });
  fireEvent.change(area, { target: { value: 'memory = 48\n' } });
  expect(screen.getByRole('img', { name: 'not saved' })).toBeTruthy();
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  });
  expect(lab.files.get('/etc/xen/xmexample1')).toBe('memory = 48\n');
});

it('expands a directory of Domain-0', async () => {
  await renderWithLab(<PanelWithRequests />);
  fireEvent.click(await screen.findByRole('button', { name: 'scripts' }));
  expect(await screen.findByRole('button', { name: 'vif-bridge' })).toBeTruthy();
});
