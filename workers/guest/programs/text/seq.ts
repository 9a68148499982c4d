/** seq: numbers in order (coreutils 5.97). */
import { format } from '../../shell/builtins/format';
import { again, type Program } from '../../sys';
import { guarded, optionsOf, type ToolSpec, UsageError } from '../options';

interface SeqState {
  readonly from: number;
  readonly step: number;
  readonly count: number;
  readonly digits: number;
  readonly width: number;
  readonly separator: string;
  readonly template: string;
  at: number;
  readonly status: number;
}

const SEQ: ToolSpec = {
  usage: '[OPTION]... [FIRST [INCREMENT]] LAST',
  options: 'f:s:w',
  long: { format: 'f', separator: 's', 'equal-width': 'w' },
  stopAtWord: true,
};

export const seq: Program<SeqState> = {
  name: 'seq',
  start(sys) {
    const none = (status: number): SeqState => ({
      from: 0,
      step: 1,
      count: 0,
      digits: 0,
      width: 0,
      separator: '\n',
      template: '',
      at: 0,
      status,
    });
    // Negative numbers are not options.
    const args = sys.argv.slice(1);
    const firstNumber = args.findIndex((arg) => /^-\.?\d/.test(arg));
    const options = optionsOf(
      sys,
      'seq',
      SEQ,
      firstNumber < 0 ? args : [...args.slice(0, firstNumber), '--', ...args.slice(firstNumber)],
    );
    if (typeof options === 'number') return none(options);
    const made = guarded(sys, 'seq', SEQ, (): SeqState => {
      const words = options.words.filter((word) => word !== '--');
      if (words.length === 0) throw new UsageError('missing operand');
      if (words.length > 3) throw new UsageError(`extra operand \`${words[3]}'`);
      const wrong = words.find((word) => !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word));
      if (wrong !== undefined) throw new UsageError(`invalid floating point argument: ${wrong}`);
      const [first, increment, last] =
        words.length === 1
          ? ['1', '1', words[0]!]
          : words.length === 2
            ? [words[0]!, '1', words[1]!]
            : [words[0]!, words[1]!, words[2]!];
      const step = Number(increment);
      if (step === 0) throw new UsageError(`invalid Zero increment value: \`${increment}'`);
      const digits = Math.max(...[first, increment].map((word) => word.split('.')[1]?.length ?? 0));
      const count = Math.max(0, Math.floor((Number(last) - Number(first)) / step + 1e-10) + 1);
      const widest = Math.max(
        Number(first).toFixed(digits).length,
        (Number(first) + step * (count - 1)).toFixed(digits).length,
      );
      return {
        from: Number(first),
        step,
        count,
        digits,
        width: options.has('w') ? widest : 0,
        separator: options.value('s') ?? '\n',
        template: options.value('f') ?? '',
        at: 0,
        status: -1,
      };
    });
    return typeof made === 'number' ? none(made) : made;
  },
  step(sys, state) {
    if (state.status >= 0) return { do: 'exit', status: state.status };
    let text = '';
    const end = Math.min(state.count, state.at + 1000);
    for (; state.at < end; state.at++) {
      const number = (state.from + state.at * state.step).toFixed(state.digits);
      const padded = number.startsWith('-')
        ? `-${number.slice(1).padStart(state.width - 1, '0')}`
        : number.padStart(state.width, '0');
      const shown = state.template === '' ? padded : format(state.template, [number], () => undefined).text;
      text += shown + (state.at === state.count - 1 ? '\n' : state.separator);
    }
    sys.print(text);
    return state.at < state.count ? again() : { do: 'exit', status: 0 };
  },
};
