import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const port = 4179;
/** The system's browser when there is one; Playwright's own otherwise. */
const executablePath = [
  process.env['CHROMIUM'],
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path && existsSync(path));

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../test-results',
  timeout: 90_000,
  expect: { timeout: 15_000 },
  // A host is a whole machine: one at a time keeps its timing honest.
  workers: 1,
  reporter: [['list']],
  use: {
    actionTimeout: 10_000,
    baseURL: `http://localhost:${port}`,
    viewport: { width: 1366, height: 768 },
    colorScheme: 'dark',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    cwd: '..',
    port,
    reuseExistingServer: false,
  },
});
