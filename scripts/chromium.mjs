// Finds a Chromium for the browser tests: the variable CHROMIUM, a system browser, Playwright's own; on Debian as root
// the package is installed when there is none.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const KNOWN = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

export async function findChromium() {
  return (
    executable(process.env.CHROMIUM) ??
    KNOWN.find(executable) ??
    executable(chromium.executablePath()) ??
    installOnDebian()
  );
}

function executable(path) {
  if (!path) return undefined;
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

function installOnDebian() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return undefined;
  console.log('No Chromium found; installing the Debian package.');
  try {
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
    return KNOWN.find(executable);
  } catch {
    return undefined;
  }
}
