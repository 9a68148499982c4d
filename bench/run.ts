/**
 * `npm run bench`: measures the project against its budgets, prints a table, and writes bench/results/latest.json.
 * Each part runs in a process of its own, so that none inherits another's heap. `npm run bench -- list core` runs some.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { acm } from './parts/acm';
import { core } from './parts/core';
import { createToLogin, list, memory } from './parts/domains';
import { consoleOutput, guestIo } from './parts/guests';
import { linux } from './parts/linux';
import { migration } from './parts/migration';
import { page } from './parts/page';
import { pageLinux } from './parts/pageLinux';
import { pageMigration } from './parts/pageMigration';
import { policy } from './parts/policy';
import { prompt } from './parts/prompt';
import { save } from './parts/save';
import { workloads } from './parts/workloads';
import { isMet, type Part, type Row, type Skipped } from './row';

const PARTS: Readonly<Record<string, Part>> = {
  prompt,
  createToLogin,
  list,
  memory,
  core,
  acm,
  guestIo,
  consoleOutput,
  save,
  policy,
  linux,
  migration,
  workloads,
  page,
  pageLinux,
  pageMigration,
};
const here = fileURLToPath(new URL('.', import.meta.url));

/** The parent reads what follows this from its child's output. */
const RESULT = 'bench-result ';

async function measureHere(name: string): Promise<never> {
  const rows = await PARTS[name]!();
  await new Promise<void>((resolve) => process.stdout.write(`${RESULT}${JSON.stringify(rows)}\n`, () => resolve()));
  process.exit(0);
}

async function measure(name: string): Promise<readonly (Row | Skipped)[]> {
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', `${here}run.ts`, '--part', name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  const line = output.split('\n').find((each) => each.startsWith(RESULT));
  if (line === undefined) return [{ name, reason: 'this part failed' }];
  return JSON.parse(line.slice(RESULT.length)) as (Row | Skipped)[];
}

function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function tableLine(row: Row | Skipped): string {
  if ('reason' in row) return `| ${row.name} | not measured: ${row.reason} | | |`;
  const { budget } = row;
  const limit = budget ? ('most' in budget ? `≤ ${shown(budget.most)}` : `≥ ${shown(budget.least)}`) : '';
  return `| ${row.name} | ${shown(row.value)} ${row.unit} | ${limit} | ${budget ? (isMet(row) ? 'met' : 'MISSED') : ''} |`;
}

const MACHINE = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};

async function main(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    console.error(`no part ${unknown}; there are: ${Object.keys(PARTS).join(' ')}`);
    process.exit(2);
  }
  console.log(`${MACHINE.cpu}, ${MACHINE.cores} cores, ${MACHINE.memoryGiB} GiB, Node ${MACHINE.node}\n`);
  console.log('| what | value | budget | |\n| --- | ---: | ---: | --- |');
  const rows: (Row | Skipped)[] = [];
  for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS))
    for (const row of await measure(name)) {
      rows.push(row);
      console.log(tableLine(row));
    }
  if (wanted.length > 0) return;
  mkdirSync(`${here}results`, { recursive: true });
  const result = { measuredAt: new Date().toISOString(), machine: MACHINE, rows };
  writeFileSync(`${here}results/latest.json`, `${JSON.stringify(result, null, 2)}\n`);
}

const args = process.argv.slice(2);
if (args[0] === '--part') await measureHere(args[1] ?? '');
else await main(args);
