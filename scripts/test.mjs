// `npm test`: every check, one after the other, and one closing line with the sum of all of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.mjs';

const reports = mkdtempSync(join(tmpdir(), 'xen-lab-test-'));
const chromium = await findChromium();
let passed = 0;
let failed = 0;

/** Runs one check; without a report it counts as a single test. */
async function check(title, command, args, countReport) {
  const started = Date.now();
  console.log(`\n== ${title}`);
  const status = await new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, CHROMIUM: chromium ?? '' } });
    child.on('close', (code) => resolve(code ?? 1));
    child.on('error', () => resolve(1));
  });
  const counts = countReport?.() ?? { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  passed += counts.passed;
  failed += counts.failed;
  console.log(
    `== ${title}: ${counts.passed} passed, ${counts.failed} failed (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
}

function vitestCounts() {
  const report = readReport('vitest.json');
  return report && { passed: report.numPassedTests, failed: report.numFailedTests };
}

function playwrightCounts() {
  const report = readReport('e2e.json');
  return report && { passed: report.stats.expected + report.stats.flaky, failed: report.stats.unexpected };
}

function readReport(name) {
  try {
    return JSON.parse(readFileSync(join(reports, name), 'utf8'));
  } catch {
    return undefined;
  }
}

await check('format and lint', 'npm', ['run', '--silent', 'lint']);
await check('types', 'npm', ['run', '--silent', 'types']);
await check(
  'unit, property and transcript tests',
  'npx',
  ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${join(reports, 'vitest.json')}`],
  vitestCounts,
);
await check('build', 'npm', ['run', '--silent', 'build']);
if (chromium) {
  process.env.PLAYWRIGHT_JSON_OUTPUT_NAME = join(reports, 'e2e.json');
  await check(
    'browser',
    'npx',
    ['playwright', 'test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json'],
    playwrightCounts,
  );
} else {
  console.log('\nNo Chromium found: install one (Debian: apt-get install chromium) or set CHROMIUM=/path/to/it.');
  failed++;
}

rmSync(reports, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
