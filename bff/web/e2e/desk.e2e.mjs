/**
 * The desk in a real browser against a running Turnstile with live positions and moving prices.
 *
 *   node e2e/desk.e2e.mjs http://127.0.0.1:PORT
 *
 * Changes the exit control mode and sets it back to RUNNING. Environment: TURNSTILE_URL instead of
 * the argument; SCREENSHOT, a path for a picture of the desk (with `-phone` and `-light` beside it);
 * CHROMIUM, the browser if it is not /usr/bin/chromium. Exit status 0 when everything holds.
 */

import assert from 'node:assert/strict';

import { browse } from './browser.mjs';

const LOAD_MAX_MS = 20_000;
const PRICE_MAX_MS = 30_000;
const CONTROL_MAX_MS = 10_000;

const base = process.argv[2] ?? process.env.TURNSTILE_URL;
if (!base) {
  console.error('usage: node e2e/desk.e2e.mjs URL   (or TURNSTILE_URL)');
  process.exit(2);
}

/** Returns the mode that the server tells, not the page. */
async function modeOfServer() {
  const response = await fetch(new URL('/api/v1/exit/control', base));
  assert.equal(response.status, 200, 'GET /api/v1/exit/control');
  return (await response.json()).data.mode;
}

async function setModeDirectly(mode) {
  await fetch(new URL('/api/v1/exit/control', base), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ mode, reason: 'browser test ended', updated_by: 'e2e' }),
  });
}

/** Calls `check` until it holds. */
async function eventually(what, maxMs, check) {
  const deadline = Date.now() + maxMs;
  for (;;) {
    if (await check()) return;
    assert.ok(Date.now() < deadline, `${what} within ${maxMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function checkPage(page) {
  await page.goto(base, { waitUntil: 'load' });
  await page.getByRole('heading', { name: 'Turnstile' }).waitFor({ timeout: LOAD_MAX_MS });
  await page.locator('[data-testid=connection]', { hasText: 'Live' }).waitFor({ timeout: LOAD_MAX_MS });
  for (const label of ['Positions', 'Last orders', 'Last exits', 'Last executions', 'Last re-entry verdicts']) {
    await page.getByRole('heading', { name: label }).waitFor({ timeout: LOAD_MAX_MS });
  }
  await page.locator('tr[data-symbol]').first().waitFor({ timeout: LOAD_MAX_MS });
  console.log(`ok  the page is live and shows ${await page.locator('tr[data-symbol]').count()} positions`);
}

async function checkPricesMove(page) {
  const read = () =>
    page.locator('tr[data-symbol]').evaluateAll((rows) =>
      Object.fromEntries(
        rows.map((row) => [row.dataset.symbol, row.querySelector('[data-testid=price]')?.textContent]),
      ),
    );
  const before = await read();
  let moved;
  await eventually('a price that changes on the screen', PRICE_MAX_MS, async () => {
    const now = await read();
    moved = Object.keys(now).find((symbol) => before[symbol] && now[symbol] && now[symbol] !== before[symbol]);
    // Right after a start there is no price yet.
    Object.assign(before, Object.fromEntries(Object.entries(now).filter(([symbol]) => !before[symbol])));
    return moved !== undefined;
  });
  console.log(`ok  the price of ${moved} moves`);
}

async function clickMode(page, mode) {
  await page.locator(`button[data-mode=${mode}]`).click();
  await page.locator(`button[data-mode=${mode}][aria-pressed=true]`).waitFor({ timeout: CONTROL_MAX_MS });
  await eventually(`${mode} at the server`, CONTROL_MAX_MS, async () => (await modeOfServer()) === mode);
  console.log(`ok  the button sets ${mode}`);
}

async function checkControl(page) {
  if ((await modeOfServer()) !== 'RUNNING') await clickMode(page, 'RUNNING');
  await page.getByLabel('Reason').fill('browser test');
  await clickMode(page, 'PAUSE_ALL');
  const state = page.locator('[data-testid=control-state]');
  await state.filter({ hasText: 'browser test' }).waitFor({ timeout: CONTROL_MAX_MS });
  await clickMode(page, 'RUNNING');
}

async function checkFlattenAsks(page) {
  await page.locator('button[data-mode=EMERGENCY_FLATTEN]').click();
  const dialog = page.getByRole('alertdialog');
  await dialog.waitFor({ timeout: CONTROL_MAX_MS });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached', timeout: CONTROL_MAX_MS });
  assert.equal(await modeOfServer(), 'RUNNING', 'a cancelled flatten changes nothing');
  console.log('ok  a flatten is asked about and can be cancelled');
}

async function checkPhone(page) {
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `the page must fit a phone, is ${overflow} px too wide`);
  console.log('ok  the page fits a phone');
}

async function takeScreenshots(page) {
  const path = process.env.SCREENSHOT;
  if (!path) return;
  const beside = (name) => path.replace(/(\.png)?$/, `-${name}.png`);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: beside('phone') });
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.screenshot({ path, fullPage: true });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: beside('light'), fullPage: true });
}

try {
  await browse(async (context) => {
    const page = context.pages()[0] ?? (await context.newPage());
    const complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await checkPage(page);
    await checkPricesMove(page);
    await checkControl(page);
    await checkFlattenAsks(page);
    await checkPhone(page);
    await takeScreenshots(page);
    assert.deepEqual(complaints, [], 'the console has no errors');
    console.log('ok  the console has no errors');
  });
} finally {
  // Whatever failed above, trading does not stay paused.
  if ((await modeOfServer()) !== 'RUNNING') await setModeDirectly('RUNNING');
}
