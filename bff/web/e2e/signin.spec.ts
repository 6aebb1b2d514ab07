import { expect, test } from './rig';

const { TURNSTILE_TOKEN: token = '' } = process.env;
/** `turnstile_ID.SECRET` */
const tokenId = token.replace(/^turnstile_/, '').split('.')[0];

// Who has no session, and a wrong token, are answered with 401.
test.beforeEach(async ({ page, expected }) => {
  expected.push(/\b401\b/);
  await page.addInitScript(() => localStorage.setItem('turnstile.preferences', '{"language":"en","theme":"dark","colours":"korean"}'));
});

test('a system with tokens asks for one, and a viewer may only look', async ({ page }) => {
  await page.goto('/');
  const field = page.getByLabel('Token');
  const link = page.getByTestId('health-strip').first();
  await expect(field).toBeVisible({ timeout: 20_000 });
  await expect(link, 'nothing is shown before').toHaveCount(0);

  await field.fill(`${token}x`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('the token is wrong, revoked or over')).toBeVisible();

  await field.fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(link).toContainText('live', { timeout: 20_000 });
  await expect(page.getByTestId('price').first()).toBeVisible();
  await expect(page.getByTestId('who')).toContainText('viewer');

  await page.getByTestId('mode').click();
  for (const mode of await page.getByRole('dialog').locator('button[data-mode]').all()) await expect(mode).toBeDisabled();
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await page.keyboard.press('Escape');
  const kept = await page.evaluate(() => [document.cookie, Object.keys(localStorage), sessionStorage.length]);
  expect(kept, 'no script can read the session').toEqual(['', ['turnstile.preferences'], 0]);

  await page.reload();
  await expect(link, 'the session outlives a reload').toContainText('live', { timeout: 20_000 });

  await page.goto('/explorer/');
  await page.locator('.opblock-tag', { hasText: 'positions' }).click();
  await expect(page.locator('.opblock-summary-path', { hasText: '/api/v1/positions' }).first()).toBeVisible();

  await page.goto('/');
  await page.getByTestId('preferences').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(field).toBeVisible();
  await page.reload();
  await expect(field, 'signed out it asks again').toBeVisible();
});

test('a page whose token is revoked asks for another', async ({ page, sql }) => {
  await page.goto('/');
  const field = page.getByLabel('Token');
  await field.fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByTestId('health-strip').first()).toContainText('live', { timeout: 20_000 });
  await sql.rows(`UPDATE system.api_tokens SET revoked_by = 'e2e', revoked_ts = now() WHERE token_id = $1`, [tokenId]);
  await expect(field, 'nothing is shown any more').toBeVisible();
  await expect(page.getByTestId('health-strip')).toHaveCount(0);
});
