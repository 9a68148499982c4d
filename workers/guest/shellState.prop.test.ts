import fc from 'fast-check';
import { expect, it } from 'vitest';
import { netStackFactory } from './net/netStackFactory';
import { commonPrograms } from './programs';
import { shell } from './shell';
import { TestKernel, testKernel } from './testing';

const programs = [...new Map([...commonPrograms, shell].map((program) => [program.name, program])).values()];

/** Typed at the prompt: loops in subshells and in the background, pipes and connections between them, pings, what depends on time. */
const LINES = [
  'for i in 1 2 3 4 5 6 7 8 9; do echo $i; done | while read x; do echo "<$x>"; done\r',
  'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done | (n=0; while read a b; do n=$((n+b)); done; echo sum $n)\r',
  '(burn 0.2; echo burnt) & burn 0.1; wait; echo all\r',
  'f() { [ $1 -gt 0 ] && { echo f$1; f $(($1-1)); }; }; f 6 | { read first; echo $first; }\r',
  'ping -c 3 -i 0.2 127.0.0.1 | while read line; do echo "[$line]"; done\r',
  'nc -l -p 5000 | wc & seq 1 3000 | nc 127.0.0.1 5000; wait\r',
  'seq 1 2000 | sort -rn | grep 7 | head -n 3; sleep 0.3; echo slept\r',
  'x=$(for i in a b c; do echo $i; done); echo $x > /tmp/out; read y < /tmp/out; echo got $y\r',
];

it('a shell taken in the middle of a loop or pipeline goes on as it would have', () => {
  const line = fc.constantFrom(...LINES);
  fc.assert(
    fc.property(line, line, fc.integer({ min: 1, max: 400_000 }), fc.integer({ min: 1, max: 2 }), (a, b, us, vcpus) => {
      const options = { vcpus, init: true, hostname: 'vm1', net: netStackFactory() };
      const original = testKernel(programs, options);
      original.advance(3000);
      original.type('root\r');
      original.advance(500);
      original.type(a);
      original.type(b);
      original.advance(us / 1000);
      const copy = TestKernel.restore(programs, options, structuredClone(original.save()));
      const before = original.console().length;
      for (const machine of [original, copy]) {
        machine.advance(1500);
        machine.type('echo $?\r');
        machine.advance(300);
      }
      expect(copy.console()).toBe(original.console().slice(before));
      expect(copy.save()).toEqual(original.save());
    }),
    { numRuns: 40 },
  );
});
