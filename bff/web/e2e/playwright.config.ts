import { defineConfig } from '@playwright/test';

/**
 * The app in a real browser against a running Turnstile:
 *
 *   TURNSTILE_URL=http://127.0.0.1:PORT DATABASE_URL=… npm run e2e
 *
 * `scripts/browser-test` starts one of its own and does that. More of the environment:
 *
 *   TURNSTILE_PROGRAM, REDIS_URL   for the test that starts and stops a server of its own; without them it is left out
 *   TURNSTILE_TOKEN                a viewer's token of a system that has one: signing in is tested, and nothing else
 *   TURNSTILE_LOAD                 the system has 2,000 ticks a second: speed is asserted, and nothing else tested
 *   CHROMIUM                       the browser, if it is not /usr/bin/chromium
 */
const { TURNSTILE_URL, TURNSTILE_PROGRAM, TURNSTILE_TOKEN, TURNSTILE_LOAD, CHROMIUM } = process.env;

function chosen(): string {
  if (TURNSTILE_TOKEN !== undefined) return 'signin.spec.ts';
  return TURNSTILE_LOAD !== undefined ? 'load.spec.ts' : '*.spec.ts';
}

export default defineConfig({
  testDir: '.',
  testMatch: chosen(),
  testIgnore: [
    ...(TURNSTILE_TOKEN === undefined ? ['signin.spec.ts'] : []),
    ...(TURNSTILE_PROGRAM === undefined ? ['reconnect.spec.ts'] : []),
  ],
  outputDir: '../test-results',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // One system serves all of them, and some change what others would see.
  workers: 1,
  fullyParallel: false,
  reporter: [['list']],
  use: {
    baseURL: TURNSTILE_URL ?? 'http://127.0.0.1:8099',
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
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
});
