/** The system page: health, prices, alarms, invariants, jobs, logs, audit and settings. */

import { expect, expectAccessible, expectFitsPhone, test } from './rig';

test.describe.configure({ timeout: 120_000 });

/** What is in no table that is followed is looked at every five seconds. */
const LOOKED_AT = { timeout: 30_000 };

test('shows parts, slots and queues as the processes have told them', async ({ page, open, sql }) => {
  await open('/system/');
  await expect(page.getByTestId('part-database')).toHaveAttribute('data-status', 'ok');
  await expect(page.getByTestId('part-cache')).toHaveAttribute('data-status', 'ok');
  await expect(page.getByTestId('breaker')).toContainText('closed');
  await expect(page.getByTestId('queues')).toContainText('Calls · orders', LOOKED_AT);
  await expect(async () => {
    const slots = await sql.one<number>("SELECT value FROM system.metrics WHERE name = 'kis_ws_registrations' ORDER BY ts DESC LIMIT 1");
    await expect(page.getByTestId('slots').first()).toHaveText(`${slots} of 41`, { timeout: 100 });
  }).toPass();
});

test('counts best prices by source and age', async ({ page, open, sql }) => {
  await open('/system/?tab=prices');
  await expect(async () => {
    const symbols = await sql.one<string>('SELECT count(*) FROM market.best_prices');
    await expect(page.getByTestId('price-symbols')).toHaveText(symbols, { timeout: 100 });
    const ages = await page.getByTestId('ages').locator('li > span:last-child').allTextContents();
    expect(ages.reduce((sum, count) => sum + Number(count), 0)).toBe(Number(symbols));
  }).toPass();
  await expect(page.getByTestId('sources').locator('[data-source=KIS_WS]')).toContainText('Broker stream');
});

test('shows an alarm as it is raised, acknowledges it, and lets it go when it is over', async ({ page, open, sql }) => {
  await sql.rows("UPDATE system.alarms SET cleared_ts = now() WHERE key = 'e2e-system' AND cleared_ts IS NULL");
  await open('/system/?tab=alarms');
  await expect(page.getByTestId('alarm-history').or(page.getByText('No alarm of this level was ever raised.'))).toBeVisible();
  const id = await sql.one<string>(
    `INSERT INTO system.alarms (id, key, name, level, instance, subject, message, value, threshold, raised_ts, last_ts)
     VALUES (gen_random_uuid(), 'e2e-system', 'price_lag', 'WARNING', 'e2e', NULL, 'e2e: prices are late', 31.5, 30, now(), now()) RETURNING id`,
  );
  const alarm = page.locator(`[data-alarm="${id}"]`);
  await expect(alarm).toContainText('e2e: prices are late');
  await expect(page.getByTestId('alarm-history').locator(`[data-key="${id}"]`)).toBeVisible();
  await alarm.getByTestId('acknowledge').click();
  await page.getByLabel('What is done about it (optional)').fill('e2e: looking');
  await page.getByTestId('confirm').click();
  await expect(alarm).toContainText('noted by');
  await expect.poll(() => sql.one('SELECT acknowledge_reason FROM system.alarms WHERE id = $1', [id])).toBe('e2e: looking');
  await alarm.getByRole('button', { name: 'Details' }).click();
  await expect(page.getByRole('dialog')).toContainText('31.5');
  await page.keyboard.press('Escape');
  await sql.rows('UPDATE system.alarms SET cleared_ts = now() WHERE id = $1', [id]);
  await expect(alarm).toHaveCount(0);
});

test('tells whether invariants hold, and what was broken', async ({ page, open, sql }) => {
  await open('/system/?tab=invariants');
  const broken = await sql.one<string>('SELECT count(*) FROM system.invariant_violations WHERE until IS NULL');
  if (broken === '0') await expect(page.getByTestId('invariants-hold')).toHaveText('Every invariant holds.');
  // One that is over: it alarms nobody.
  const id = await sql.one<string>(
    `INSERT INTO system.invariant_violations (kind, key, symbol, detail, since, until)
     VALUES ('CACHE', 'price:e2e', '005930', 'e2e: version 2 is cached, and 1 is stored', now(), now()) RETURNING id`,
  );
  await page.getByRole('button', { name: 'Over', exact: true }).click();
  await expect(page.getByTestId('invariants').locator(`[data-key="${id}"]`)).toContainText('version 2 is cached');
});

test('lists jobs with their last run and its reason, and follows them', async ({ page, open, sql }) => {
  await open('/system/?tab=jobs');
  await expect(async () => {
    const jobs = await sql.one<string>('SELECT count(DISTINCT job) FROM (SELECT job FROM system.job_runs ORDER BY run_id DESC LIMIT 100) newest');
    await expect(page.getByTestId('jobs').locator('[data-key]')).toHaveCount(Number(jobs), { timeout: 100 });
  }).toPass();
  await sql.rows(
    `INSERT INTO system.job_runs (account_id, job, run_key, status, ended_ts, fetched, changed, reason)
     SELECT account_id, 'e2e job', 'e2e', 'FAILED', clock_timestamp(), 12, 3, 'e2e: the source is away'
     FROM system.job_runs ORDER BY run_id DESC LIMIT 1`,
  );
  const row = page.getByTestId('jobs').locator('[data-key="e2e job"]');
  await expect(row).toContainText('e2e: the source is away', LOOKED_AT);
  await row.click();
  await expect(page).toHaveURL(/job=e2e/);
  await expect(page.getByTestId('job-runs').locator('[data-key]').first()).toContainText('FAILED');
  const others = page.getByTestId('job-runs').getByText('calendar', { exact: true });
  await expect(others).toHaveCount(0);
});

test('finds log entries by event and text as they come', async ({ page, open, sql }) => {
  await open('/system/?tab=logs&event=E2E_SYSTEM');
  await expect(page.getByLabel('Event')).toHaveValue('E2E_SYSTEM');
  await sql.rows(
    `INSERT INTO system.logs (level, module, event, symbol, message, context)
     VALUES ('INFO', 'e2e', 'E2E_SYSTEM', '005930', 'e2e: something was said', '{"turn": 7}'),
       ('INFO', 'e2e', 'E2E_SYSTEM', NULL, 'e2e: something else', '{}'),
       ('INFO', 'e2e', 'E2E_OTHER', NULL, 'e2e: another event', '{}')`,
  );
  const logs = page.getByTestId('logs');
  await expect(logs.getByText('e2e: something was said').first()).toBeVisible(LOOKED_AT);
  await expect(logs.getByText('e2e: another event')).toHaveCount(0);
  await page.getByLabel('Text', { exact: true }).fill('SOMETHING ELSE');
  await expect(logs.getByText('e2e: something was said')).toHaveCount(0);
  await page.getByLabel('Text', { exact: true }).fill('was said');
  await logs.getByText('e2e: something was said').first().click();
  await expect(page.getByRole('dialog')).toContainText('"turn": 7');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'CRITICAL' }).click();
  await expect(page.getByText('No entry is like that.')).toBeVisible();
});

test('changes a setting with its reason, follows the database, and audits it', async ({ page, open, sql }) => {
  const key = 'alarms.price_lag';
  const reason = 'e2e: the feed of the test is slow';
  await open('/system/?tab=settings');
  const row = page.getByTestId('settings').locator(`[data-key="${key}"]`);
  await page.getByTestId(`edit-${key}`).click();
  const field = page.getByLabel('Warning beyond');
  await field.fill('a lot');
  await expect(page.getByText('a number, such as 0.5')).toBeVisible();
  await field.fill('47.5');
  await page.getByLabel('Reason').fill(reason);
  await page.getByTestId('confirm').click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(row).toContainText('47.5 s');
  expect(await sql.one('SELECT value FROM system.config WHERE key = $1', [key])).toEqual({ warning: 47.5 });

  await sql.rows(`UPDATE system.config SET value = '{"warning": 30}', reason = 'e2e: as before', updated_by = 'e2e' WHERE key = $1`, [key]);
  await expect(row).toContainText('30 s');
  await expect(row).not.toContainText('47.5 s');

  await page.getByRole('tab', { name: 'Audit' }).click();
  await page.getByLabel('Table').selectOption('system.config');
  const entry = page.getByTestId('audit').locator('[data-key]').filter({ hasText: reason }).first();
  await expect(entry).toContainText('system.config');
  await entry.click();
  await expect(page.getByTestId('audit-fields')).toContainText('47.5');
});

for (const theme of ['dark', 'light'] as const) {
  test(`every tab is accessible and fits a phone, ${theme}`, async ({ page, open }) => {
    test.setTimeout(240_000);
    for (const tab of ['health', 'prices', 'alarms', 'invariants', 'jobs', 'logs', 'audit', 'settings']) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await open(`/system/?tab=${tab}`, { theme, language: theme === 'dark' ? 'en' : 'ko' });
      await expect(page.getByRole('tabpanel').locator('section').first()).toBeVisible();
      await expect(page.getByRole('tabpanel').locator('section[aria-busy=true]')).toHaveCount(0, LOOKED_AT);
      await expectAccessible(page);
      await expectFitsPhone(page);
    }
  });
}
