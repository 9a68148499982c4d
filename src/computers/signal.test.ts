import { describe, expect, it } from 'vitest';
import { type Answer, betterNumber, encodeSignal, type Invitation, readAnswer, readInvitation } from './signal';
import { text } from './text';

const NOW = 1_700_000_000_000;
const sdp =
  'v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=candidate:1 1 udp 1 192.168.7.2 5000 typ host\r\n';
const invitation: Invitation = {
  kind: 'invitation',
  id: 'one',
  madeAt: NOW,
  machine: { number: 1, browser: 'a' },
  own: [1],
  others: [],
  sdp,
};
const answer: Answer = { kind: 'answer', id: 'one', machine: { number: 2, browser: 'b' }, sdp };
const { problems } = text;

describe('invitations and answers', () => {
  it('are read as they were written, also when a mail program has broken the lines', () => {
    const lines = encodeSignal(invitation).replace(/(.{40})/g, '$1\r\n  ');
    expect(readInvitation(` ${lines}\n`, NOW)).toEqual(invitation);
    expect(readAnswer(encodeSignal(answer), 'one')).toEqual(answer);
  });

  it.each([
    ['nothing', '', problems.noInvitation],
    ['any words', 'Dear colleague, here it is', problems.noInvitation],
    ['an answer', encodeSignal(answer), problems.isAnswer],
    ['half of one', encodeSignal(invitation).slice(0, 120), problems.damaged],
    ['one with a wrong letter', encodeSignal(invitation).replace(/.(?=.{40}$)/, '_'), problems.damaged],
    ['one of another version', encodeSignal(invitation).replace(':1:', ':2:'), problems.otherVersion],
    ['an old one', encodeSignal({ ...invitation, madeAt: NOW - 3_700_000 }), problems.expired],
    ['a number that no machine has', encodeSignal({ ...invitation, own: [0] }), problems.noInvitation],
    ['one for sound', encodeSignal({ ...invitation, sdp: `${sdp}m=audio 9\r\n` }), problems.noInvitation],
  ])('%s is no invitation, and it says why', (_, pasted, why) => {
    expect(() => readInvitation(pasted, NOW)).toThrow(why);
  });

  it.each([
    ['any words', 'no', problems.noAnswer],
    ['an invitation', encodeSignal(invitation), problems.isInvitation],
    ['an answer to another one', encodeSignal({ ...answer, id: 'two' }), problems.otherInvitation],
  ])('%s is not the answer, and it says why', (_, pasted, why) => {
    expect(() => readAnswer(pasted, 'one')).toThrow(why);
  });
});

describe('the number of a machine that joins', () => {
  const self = { number: 1, browser: 'b' };

  it('is its own when nobody has it on the other side', () => {
    expect(betterNumber({ ...invitation, own: [2] }, self, [1])).toBeUndefined();
  });

  it('is the first that is free on both sides otherwise', () => {
    expect(betterNumber({ ...invitation, own: [1, 2] }, self, [1, 3])).toBe(4);
  });

  it('stays what it was when the other side still knows it', () => {
    const known = { ...invitation, others: [{ number: 2, browser: 'b' }] };
    expect(betterNumber(known, { number: 2, browser: 'b' }, [2])).toBeUndefined();
    expect(betterNumber(known, { number: 2, browser: 'c' }, [2])).toBe(3);
  });
});
