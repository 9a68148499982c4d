import { describe, expect, it } from 'vitest';
import { orchard } from '../orchard.testkind';
import { parseAssertions } from './assertions';
import { evaluateAssertions } from './evaluate';

const context = {
  policy: orchard,
  domains: new Map([
    ['domain1', 'apple'],
    ['lost', undefined],
  ]),
  resources: new Map<string, string | null>([
    ['file:/a.img', 'apple'],
    ['phy:/dev/sda7', 'pear'],
    ['file:/none.img', '__INACCESSIBLE__'],
    ['file:/old.img', null],
  ]),
  dom0Label: 'SystemManagement',
};
const states = (text: string) => evaluateAssertions(text, context).map(({ state }) => state);
const why = (text: string) => evaluateAssertions(text, context)[0]!.why;

describe('assertions', () => {
  it('are read in words', () => {
    expect(
      parseAssertions('# nothing\n\napple may not run with pear # ever\n"domain one" may read "file:/a b"'),
    ).toEqual([
      {
        line: 3,
        text: 'apple may not run with pear # ever',
        isNegative: true,
        verb: 'run with',
        subject: 'apple',
        object: 'pear',
        except: [],
      },
      {
        line: 4,
        text: '"domain one" may read "file:/a b"',
        isNegative: false,
        verb: 'use',
        subject: 'domain one',
        object: 'file:/a b',
        except: [],
      },
    ]);
  });

  it('hold or fail by the policy', () => {
    expect(states('apple may not run with pear\napple may run with pear\napple may run with apple.press')).toEqual([
      'holds',
      'fails',
      'holds',
    ]);
    expect(why('apple may run with pear')).toBe('conflict set fruit {apple, pear}');
    expect(states('apple may not share with pear\napple may talk to SystemManagement')).toEqual(['holds', 'holds']);
    expect(
      states('domain1 may read file:/a.img\ndomain1 cannot write phy:sda7\ndomain1 may use file:/none.img'),
    ).toEqual(['holds', 'holds', 'fails']);
    expect(states('apple may use apple\napple may use pear')).toEqual(['holds', 'fails']);
    expect(states('domain1 may read file:/unlabelled.img\n__UNLABELED__ may read file:/unlabelled.img')).toEqual([
      'fails',
      'holds',
    ]);
    expect(states('apple may start\npear may not start')).toEqual(['holds', 'fails']);
    expect(states('apple may reach pear\napple may not reach pear except through SystemManagement')).toEqual([
      'holds',
      'holds',
    ]);
    expect(why('apple may reach pear')).toBe('apple → SystemManagement → pear');
  });

  it('that make no sense say why', () => {
    expect(
      states('apple may\napple may fly\nnobody may start\napple may run with\napple may start now\nlost may start'),
    ).toEqual(Array(6).fill('error'));
    expect(why('apple may use plum')).toBe('plum is neither a resource nor a resource label');
    expect(why('lost may start')).toBe('the label of lost is not in this policy');
    expect(states('constructor may __proto__ with\nhasOwnProperty may start')).toEqual(['error', 'error']);
  });
});
