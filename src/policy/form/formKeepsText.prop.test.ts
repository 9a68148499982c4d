/** What a change of the form leaves of the text that somebody wrote. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffPolicies } from '../../../workers/acm/analysis/diff';
import { formOf, formText, policyOfForm } from '../../../workers/acm/analysis/form';
import { policies } from '../../../workers/acm/arbitrary.testkind';
import type { AcmPolicy } from '../../../workers/acm/policyModel';
import { writePolicy } from '../../../workers/acm/policyWriter';
import { readPolicy } from '../../../workers/acm/policyXml';
import type { PolicyForm } from '../../../workers/contract';
import { added, nextVersion, removed, renamedLabel, withLabelTypes, withResourceType, withSetTypes } from './formEdits';

const formIn = (source: string) => formOf(readPolicy(source).policy);
const edited = (source: string, edit: (form: PolicyForm) => PolicyForm) => formText(edit(formIn(source)), source);

/** `+` and `-` lines of a change. */
function changedLines(before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const rows = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      rows[i]![j] = old[i] === now[j] ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length)
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i++;
      j++;
    } else if (j < now.length && (i === old.length || rows[i]![j + 1]! >= rows[i + 1]![j]!)) lines.push(`+${now[j++]}`);
    else lines.push(`-${old[i++]}`);
  return lines;
}

/** Written by hand: comments everywhere, tabs, both quotation marks, several things on a line. */
const byHand = `<?xml version='1.0'?>
<!-- Of the orchard. -->
<SecurityPolicyDefinition
    xmlns='http://www.ibm.com'   xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
\t<PolicyHeader><!-- who --><PolicyName>orchard</PolicyName><Version>1.0</Version></PolicyHeader>

\t<SimpleTypeEnforcement><SimpleTypeEnforcementTypes>
\t\t<!-- fruit -->
\t\t<Type>pear</Type>   <!-- green -->
\t\t<Type> apple </Type> <!-- red -->
\t\t<!-- machines -->
\t\t<Type><![CDATA[press]]></Type>
\t</SimpleTypeEnforcementTypes></SimpleTypeEnforcement>
\t<ChineseWall priority = 'PrimaryPolicyComponent' >
\t\t<ChineseWallTypes><Type>pear</Type><Type>apple</Type></ChineseWallTypes>
\t\t<ConflictSets><!-- one set --><Conflict name='fruit'><Type>apple</Type><Type>pear</Type></Conflict></ConflictSets>
\t</ChineseWall>
\t<SecurityLabelTemplate>
\t\t<SubjectLabels bootstrap="Sys"><?keep this?>
\t\t\t<!-- Domain-0 -->
\t\t\t<VirtualMachineLabel>
\t\t\t\t<Name>Sys</Name>
\t\t\t\t<SimpleTypeEnforcementTypes>
\t\t\t\t\t<Type>press</Type><Type>pear</Type>
\t\t\t\t\t<Type>apple</Type>
\t\t\t\t</SimpleTypeEnforcementTypes>
\t\t\t</VirtualMachineLabel>

\t\t\t<!-- the pears -->
\t\t\t<VirtualMachineLabel>
\t\t\t\t<Name>Pear</Name> <!-- not the apple -->
\t\t\t\t<SimpleTypeEnforcementTypes><Type>pear</Type></SimpleTypeEnforcementTypes>
\t\t\t\t<ChineseWallTypes>
\t\t\t\t\t<!-- keeps apples away -->
\t\t\t\t\t<Type>pear</Type>
\t\t\t\t</ChineseWallTypes>
\t\t\t</VirtualMachineLabel>
\t\t\t<VirtualMachineLabel><Name>Apple</Name></VirtualMachineLabel>
\t\t</SubjectLabels>
\t\t<ObjectLabels>
\t\t\t<ResourceLabel><Name>crate</Name>
\t\t\t\t<SimpleTypeEnforcementTypes><Type>pear<!-- for now --></Type></SimpleTypeEnforcementTypes></ResourceLabel>
\t\t</ObjectLabels>
\t</SecurityLabelTemplate>
</SecurityPolicyDefinition>
<!-- the end -->
`;

describe('a text written by hand, after one change of the form', () => {
  it('is the same, byte for byte, when nothing was changed', () => {
    expect(edited(byHand, (form) => form)).toBe(byHand);
    const windows = byHand.replaceAll('\n', '\r\n');
    expect(edited(windows, (form) => form)).toBe(windows);
  });

  it.each<[string, (form: PolicyForm) => PolicyForm, readonly string[]]>([
    [
      'gets a type in a label on a line below its neighbour',
      (form) => withLabelTypes(form, 'Sys', 'ste', ['apple', 'banana', 'pear', 'press']),
      ['+\t\t\t\t\t<Type>banana</Type>'],
    ],
    [
      'gets a type in a label between neighbours on one line',
      (form) => withLabelTypes(form, 'Sys', 'ste', ['apple', 'pear', 'press', 'quince']),
      [
        '+\t\t\t\t\t<Type>press</Type><Type>quince</Type><Type>pear</Type>',
        '-\t\t\t\t\t<Type>press</Type><Type>pear</Type>',
      ],
    ],
    [
      'loses one type of a label',
      (form) => withLabelTypes(form, 'Sys', 'ste', ['pear', 'press']),
      ['-\t\t\t\t\t<Type>apple</Type>'],
    ],
    [
      'gets a list of types where a label had none',
      (form) => withLabelTypes(form, 'Sys', 'chwall', ['pear']),
      ['+\t\t\t\t<ChineseWallTypes>', '+\t\t\t\t\t<Type>pear</Type>', '+\t\t\t\t</ChineseWallTypes>'],
    ],
    [
      'keeps the comments of a list that goes with its last type',
      (form) => withLabelTypes(form, 'Pear', 'chwall', []),
      [
        '+\t\t\t\t<!-- keeps apples away -->',
        '-\t\t\t\t<ChineseWallTypes>',
        '-\t\t\t\t\t<!-- keeps apples away -->',
        '-\t\t\t\t\t<Type>pear</Type>',
        '-\t\t\t\t</ChineseWallTypes>',
      ],
    ],
    [
      'gets a type behind the comment beside the one before it',
      (form) => added(form, 'steTypes', 'quince'),
      ['+\t\t<Type>quince</Type>'],
    ],
    [
      'gets a type on the line where the others stand',
      (form) => added(form, 'chwallTypes', 'zebra'),
      [
        '+\t\t<ChineseWallTypes><Type>pear</Type><Type>zebra</Type><Type>apple</Type></ChineseWallTypes>',
        '-\t\t<ChineseWallTypes><Type>pear</Type><Type>apple</Type></ChineseWallTypes>',
      ],
    ],
    [
      'gets another name where the label has its own',
      (form) => renamedLabel(form, 'vmLabels', 'Pear', 'Zwetschge & Co'),
      [
        '+\t\t\t\t<Name>Zwetschge &amp; Co</Name> <!-- not the apple -->',
        '-\t\t\t\t<Name>Pear</Name> <!-- not the apple -->',
      ],
    ],
    [
      'gets another bootstrap label in its attribute',
      (form) => ({ ...form, bootstrap: 'Pear' }),
      ['+\t\t<SubjectLabels bootstrap="Pear"><?keep this?>', '-\t\t<SubjectLabels bootstrap="Sys"><?keep this?>'],
    ],
    [
      'gets another type of a resource between the tags that are there',
      (form) => withResourceType(form, 'crate', 'apple'),
      [
        '+\t\t\t\t<SimpleTypeEnforcementTypes><Type>apple<!-- for now --></Type></SimpleTypeEnforcementTypes></ResourceLabel>',
        '-\t\t\t\t<SimpleTypeEnforcementTypes><Type>pear<!-- for now --></Type></SimpleTypeEnforcementTypes></ResourceLabel>',
      ],
    ],
    [
      'gets another primary component',
      (form) => ({ ...form, primary: 'ste' }),
      [
        '+\t<SimpleTypeEnforcement priority="PrimaryPolicyComponent"><SimpleTypeEnforcementTypes>',
        '-\t<SimpleTypeEnforcement><SimpleTypeEnforcementTypes>',
        '+\t<ChineseWall >',
        "-\t<ChineseWall priority = 'PrimaryPolicyComponent' >",
      ],
    ],
    [
      'loses a label and nothing beside it',
      (form) => removed(form, 'vmLabels', ['Apple']),
      ['-\t\t\t<VirtualMachineLabel><Name>Apple</Name></VirtualMachineLabel>'],
    ],
    [
      'becomes an update in its header',
      nextVersion,
      [
        '+\t<PolicyHeader><!-- who --><PolicyName>orchard</PolicyName><Version>1.1</Version><FromPolicy><PolicyName>orchard</PolicyName><Version>1.0</Version></FromPolicy></PolicyHeader>',
        '-\t<PolicyHeader><!-- who --><PolicyName>orchard</PolicyName><Version>1.0</Version></PolicyHeader>',
      ],
    ],
  ])('%s', (_rule, edit, lines) => {
    expect(changedLines(byHand, edited(byHand, edit))).toEqual(lines);
    // The same with the line ends of another system.
    const windows = byHand.replaceAll('\n', '\r\n');
    expect(edited(windows, edit)).toBe(edited(byHand, edit).replaceAll('\n', '\r\n'));
  });

  it('does not give a new label the comments of one that was deleted or renamed', () => {
    const text = edited(byHand, (form) => added(renamedLabel(form, 'vmLabels', 'Pear', 'Old'), 'vmLabels', 'Pear'));
    expect(text).toContain('<Name>Old</Name> <!-- not the apple -->');
    expect(text).toMatch(/<VirtualMachineLabel>\s*<Name>Pear<\/Name>\s*<\/VirtualMachineLabel>/);
    const other = edited(byHand, (form) => added(removed(form, 'vmLabels', ['Pear']), 'vmLabels', 'Plum'));
    expect(other).not.toContain('not the apple');
    expect(other).toContain('<!-- the pears -->');
  });

  it('leaves empty types and further lists of a label as they are, which mean nothing', () => {
    const odd = byHand
      .replace('<Type>pear</Type><Type>apple</Type></ChineseWallTypes>', '<Type/><Type>pear</Type></ChineseWallTypes>')
      .replace(
        '<Name>Apple</Name>',
        '<Name>Apple</Name><SimpleTypeEnforcementTypes><Type></Type></SimpleTypeEnforcementTypes><ChineseWallTypes><Type>pear</Type></ChineseWallTypes><ChineseWallTypes><Type>apple</Type></ChineseWallTypes>',
      );
    expect(edited(odd, (form) => form)).toBe(odd);
    const text = edited(odd, (form) => withLabelTypes(form, 'Apple', 'ste', ['press']));
    expect(readPolicy(text).policy.vmLabels[2]).toMatchObject({ ste: ['press'], chwall: ['pear'] });
    expect(text).toContain('<ChineseWallTypes><Type>pear</Type></ChineseWallTypes><ChineseWallTypes>');
    // With the first list goes the second, which would count then.
    const none = edited(odd, (form) => withLabelTypes(form, 'Apple', 'chwall', []));
    expect(readPolicy(none).policy.vmLabels[2]!.chwall).toEqual([]);
  });

  it('takes parts whose start tag is their end as well', () => {
    const bare =
      '<SecurityPolicyDefinition xmlns="http://www.ibm.com"><PolicyHeader><PolicyName>p</PolicyName><Date/><Version>1.0</Version></PolicyHeader><SecurityLabelTemplate/></SecurityPolicyDefinition>';
    const text = edited(bare, (form) => added({ ...form, date: 'today' }, 'resourceLabels', 'disk'));
    expect(text).toBe(
      bare
        .replace('<Date/>', '<Date>today</Date>')
        .replace(
          '<SecurityLabelTemplate/>',
          '<SecurityLabelTemplate><ObjectLabels><ResourceLabel><Name>disk</Name><SimpleTypeEnforcementTypes><Type></Type></SimpleTypeEnforcementTypes></ResourceLabel></ObjectLabels></SecurityLabelTemplate>',
        ),
    );
  });
});

describe('any policy, any changes', () => {
  /** The text with comments and other blanks between its elements. */
  const written = fc
    .tuple(policies(5), fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }), fc.boolean())
    .map(([policy, asides, isOneLine]) => {
      let at = 0;
      const text = writePolicy(policy).replaceAll('\n', isOneLine ? '' : '\n');
      return text.replace(/>(\s*)(?=<)/g, (whole, blanks: string) => {
        const kind = asides[at++ % asides.length]!;
        const aside = [`${blanks}<!--${at}-->`, ` <!--${at}-->${blanks}`, `<!--${at}-->`, '\n\n', ''][kind]!;
        return kind < 4 ? `>${aside}${kind === 2 || kind === 3 ? blanks : ''}` : whole;
      });
    });
  const kinds = ['steTypes', 'chwallTypes', 'conflictSets', 'vmLabels', 'resourceLabels'] as const;
  const edit = fc.record({ what: fc.nat({ max: 9 }), kind: fc.constantFrom(...kinds), pick: fc.nat(), more: fc.nat() });
  const apply = (
    form: PolicyForm,
    { what, kind, pick, more }: { what: number; kind: (typeof kinds)[number]; pick: number; more: number },
  ) => {
    const one = <T>(list: readonly T[]) => list[pick % Math.max(1, list.length)];
    const some = (list: readonly string[]) => list.filter((_, i) => (more >> i) & 1);
    const label = one(form.vmLabels)?.name ?? '';
    switch (what) {
      case 0:
      case 1:
        return added(form, kind, `new${more % 7}`);
      case 2: {
        const list = form[kind].map((item) => (typeof item === 'string' ? item : item.name));
        return removed(form, kind, [one(list) ?? '']);
      }
      case 3:
        return withLabelTypes(form, label, 'ste', some(form.steTypes));
      case 4:
        return withLabelTypes(form, label, 'chwall', some(form.chwallTypes));
      case 5:
        return withSetTypes(form, one(form.conflictSets)?.name ?? '', some(form.chwallTypes));
      case 6:
        return renamedLabel(form, 'vmLabels', label, `new${more % 7}`);
      case 7:
        return withResourceType(form, one(form.resourceLabels)?.name ?? '', one(form.steTypes) ?? '');
      case 8:
        return nextVersion(form);
      default:
        return {
          ...form,
          url: more % 2 ? `u<${more}>` : undefined,
          primary: ([undefined, 'ste', 'chwall'] as const)[more % 3],
        };
    }
  };

  it('says in the text what the form says', () => {
    fc.assert(
      fc.property(written, fc.array(edit, { maxLength: 5 }), (source, edits) => {
        let form = formIn(source);
        for (const each of edits) form = apply(form, each);
        if (form.vmLabels.length === 0) return;
        const again = readPolicy(formText(form, source)).policy;
        const written = policyOfForm(form);
        // A part that is not there cannot be the primary one.
        const { primary } = written;
        const wanted = { ...written, primary: primary && written[primary] ? primary : undefined };
        // Renames that are noted in `from` are no other labels.
        const plain = (policy: AcmPolicy) => ({
          ...policy,
          vmLabels: policy.vmLabels.map(({ from: _from, ...label }) => label),
          resourceLabels: policy.resourceLabels.map(({ from: _from, ...label }) => label),
        });
        expect(diffPolicies(plain(wanted), plain(again)).differences).toEqual([]);
        const froms = (policy: AcmPolicy) => new Map(policy.vmLabels.map(({ name, from }) => [name, from]));
        expect(froms(again)).toEqual(froms(wanted));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps every comment in its order, unless the entry around it was deleted', () => {
    fc.assert(
      fc.property(written, edit, (source, change) => {
        fc.pre(change.what !== 2 && change.what !== 3 && change.what !== 4 && change.what !== 5);
        const comments = (text: string) => text.match(/<!--\d+-->/g) ?? [];
        expect(comments(edited(source, (form) => apply(form, change)))).toEqual(comments(source));
      }),
    );
  });

  it('leaves all other labels byte for byte when one is changed', () => {
    fc.assert(
      fc.property(written, edit, (source, change) => {
        const { vmLabels } = formIn(source);
        const target = vmLabels[change.pick % vmLabels.length]!.name;
        const text = edited(source, (form) => apply(form, { ...change, what: [3, 4, 6][change.what % 3]! }));
        const elements = source.match(/<(VirtualMachineLabel|ResourceLabel)>[\s\S]*?<\/\1>/g)!;
        for (const element of elements)
          if (element.startsWith('<R') || !element.includes(`<Name>${target}</Name>`)) expect(text).toContain(element);
      }),
    );
  });
});

it('leaves the comments of the shipped policies', () => {
  for (const name of ['mytest', 'example.chwall_ste.test', 'example.client_v1', 'mytest_update']) {
    const source = readFileSync(`public/policies/${name}.xml`, 'utf8');
    const text = edited(source, (form) => added(form, 'steTypes', 'zzz'));
    expect(changedLines(source, text)).toEqual(['+      <Type>zzz</Type>']);
  }
});
