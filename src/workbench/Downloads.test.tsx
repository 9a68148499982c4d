import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { useLab } from '../store/labStore';
import { Downloads } from './Downloads';

const arrived = (name: string, loadedBytes: number) =>
  useLab.getState().receive([{ type: 'download', download: { name, loadedBytes, totalBytes: 3_400_000 } }]);

describe('the downloads', () => {
  afterEach(() => {
    cleanup();
    useLab.getState().reset();
  });

  it('shows a bar for each file that is on its way, until all of it is there', () => {
    arrived('vmlinuz', 1_700_000);
    arrived('initrd', 100_000);
    const { rerender } = render(<Downloads />);
    const bar = screen.getByRole('progressbar', { name: /Fetching vmlinuz/ });
    expect(bar.getAttribute('value')).toBe('1700000');
    expect(screen.getByText('1.7 of 3.4 MB')).toBeTruthy();
    expect(screen.getAllByRole('progressbar')).toHaveLength(2);
    arrived('vmlinuz', 3_400_000);
    rerender(<Downloads />);
    expect(screen.getAllByRole('progressbar')).toHaveLength(1);
    arrived('initrd', 3_400_000);
    rerender(<Downloads />);
    expect(screen.queryByRole('progressbar')).toBeNull();
  });
});
