/** The map file of a policy line by line, each with the name that it is about. */
import type { PolicyMapLine } from '../../contract';
import { type MapFiles, writeMap } from '../policyMap';
import type { AcmPolicy } from '../policyModel';
import { numbersOf } from './numbers';

export function mapLines(policy: AcmPolicy, files: MapFiles): readonly PolicyMapLine[] {
  const { vmLabels, resourceLabels } = numbersOf(policy);
  const rows = { STE: [...vmLabels, ...resourceLabels], CHWALL: vmLabels };
  return writeMap(policy, files)
    .replace(/\n+$/, '')
    .split('\n')
    .map((text) => {
      const words = text.split(/\s+/);
      const [what, first, second] = words;
      if (what === 'LABEL->SSID') return { text, name: words[3] };
      if (what === 'SSID->TYPE' && (first === 'STE' || first === 'CHWALL'))
        return { text, name: rows[first][Number.parseInt(second ?? '', 16)] };
      return { text };
    });
}
