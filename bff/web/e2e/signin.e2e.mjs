/**
 * Signing in, in a real browser: a running Turnstile that has a token, and the text of a viewer's.
 *
 *   node e2e/signin.e2e.mjs http://127.0.0.1:PORT TOKEN
 *
 * Environment: CHROMIUM, the browser if it is not /usr/bin/chromium. Exit status 0 when everything holds.
 */

import assert from 'node:assert/strict';

import { browse } from './browser.mjs';

const MAX_MS = 20_000;

const [base, token] = process.argv.slice(2);
if (!base || !token) {
  console.error('usage: node e2e/signin.e2e.mjs URL TOKEN');
  process.exit(2);
}

await browse(async (context) => {
  const page = await context.newPage();
  await page.goto(base, { waitUntil: 'load' });
  const field = page.getByLabel('Token');
  await field.waitFor({ timeout: MAX_MS });
  assert.equal(await page.locator('[data-testid=connection]').count(), 0, 'nothing is shown before');
  console.log('ok  the desk asks for a token');

  await field.fill(`${token}x`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('the token is wrong, revoked or over').waitFor({ timeout: MAX_MS });
  console.log('ok  a wrong one is refused, with the reason');

  await field.fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('[data-testid=connection]', { hasText: 'Live' }).waitFor({ timeout: MAX_MS });
  await page.locator('tr[data-symbol]').first().waitFor({ timeout: MAX_MS });
  assert.match(await page.locator('[data-testid=who]').textContent(), /viewer/);
  console.log('ok  with the right one the desk is live');

  const button = page.getByRole('button', { name: 'Pause all' });
  assert.ok(await button.isDisabled(), 'a viewer may only look');
  assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ['', 0, 0]);
  console.log('ok  a viewer cannot act, and no script can read the session');

  await page.reload({ waitUntil: 'load' });
  await page.locator('[data-testid=connection]', { hasText: 'Live' }).waitFor({ timeout: MAX_MS });
  console.log('ok  the session outlives a reload');

  await page.goto(new URL('/explorer/', base).href, { waitUntil: 'load' });
  await page.locator('.opblock-tag').first().waitFor({ timeout: MAX_MS });
  await page.locator('.opblock-tag', { hasText: 'positions' }).click();
  await page.locator('.opblock-summary-path', { hasText: '/api/v1/positions' }).first().waitFor({ timeout: MAX_MS });
  console.log('ok  the explorer shows the operations of the API');
  await page.goto(base, { waitUntil: 'load' });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await field.waitFor({ timeout: MAX_MS });
  await page.reload({ waitUntil: 'load' });
  await field.waitFor({ timeout: MAX_MS });
  console.log('ok  signed out it asks again');
});
