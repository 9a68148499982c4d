/**
 * `npm run headless`: Xen hosts without a screen, asked in JSON lines on stdin and answering on stdout (docs/headless.md).
 * Nothing but replies and events is ever printed on stdout; diagnostics go to stderr.
 */
import { HeadlessLab } from './headless/headlessLab';
import { Session } from './headless/session';

const USAGE = 'usage: npm run --silent headless [-- --realtime]';

function main(args: readonly string[]): void {
  const unknown = args.find((arg) => arg !== '--realtime');
  if (unknown !== undefined) {
    console.error(`unknown option: ${unknown}\n${USAGE}`);
    process.exit(2);
  }
  // A library that means to be helpful must not get between the replies.
  console.log = console.error;
  console.info = console.error;

  const lab = new HeadlessLab((error) => console.error(error));
  const session = new Session(lab, (line) => process.stdout.write(`${line}\n`));
  // Whoever reads the replies has gone: nobody is left to answer.
  process.stdout.on('error', () => process.exit(0));
  if (args.includes('--realtime')) session.startPacing();

  let rest = '';
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) void session.receive(line);
  });
  process.stdin.on('end', () => {
    void session.receive(rest).then(() => {
      session.stop();
      process.stdout.write('', () => process.exit(0));
    });
  });
}

main(process.argv.slice(2));
