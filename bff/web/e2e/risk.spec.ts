/** The risk page: the emergency stop, limits with their usage, the report, refused entries. */

import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

test.describe.configure({ timeout: 120_000 });

/** Reports and refusals are looked at every five seconds. */
const LOOKED_AT = { timeout: 30_000 };

/** A report of the engine, as it writes one. */
const REPORT = `INSERT INTO system.risk_reports (level, profile, is_stopped, positions, equity, largest_symbol, largest_weight,
    sector_weights, market_weights, day_result, month_result, day_result_pct, month_result_pct, highest_usage, usages,
    daily_buffer_pct, total_buffer_pct, unrealized_result, total_result, total_result_pct, unknown)
  VALUES ($1, 'DEFAULT', false, $2, $3, '005930', 13.1, '{"반도체": 32.5, "(105560)": 4.2}', '{"KOSPI": 31.2, "KOSDAQ": 5.5}',
    -1234567, -2345678, -0.61, -1.17, $4, $5, 79.6, 88.3, 54321, -2291357, -1.14, $6)`;

async function newestReport(sql: Sql) {
  const [row] = await sql.rows<{ equity: string; positions: number; highest_usage: string }>(
    `SELECT to_char(round(equity), 'FM999,999,999,999') AS equity, positions,
       to_char(highest_usage, 'FM990.00') || ' %' AS highest_usage
     FROM system.risk_reports ORDER BY ts DESC, id DESC LIMIT 1`,
  );
  if (row === undefined) throw new Error('there is no report');
  return row;
}

test.afterEach(async ({ sql }) => {
  await sql.rows("UPDATE system.emergency_stop SET is_enabled = false, version = version + 1, reason = 'e2e is over' WHERE is_enabled");
});

test('shows the newest report as the database has it, and follows it', async ({ page, open, sql }) => {
  await sql.rows(REPORT, ['GREEN', 9, 201_000_000, 60.01, '{"TOTAL_POSITIONS": 60.01, "SINGLE_WEIGHT": 31.5, "DAILY_LOSS": 20.33}', null]);
  await open('/risk/');
  await expect(async () => {
    const report = await newestReport(sql);
    await expect(page.getByTestId('equity')).toHaveText(report.equity, { timeout: 100 });
    await expect(page.getByTestId('positions')).toHaveText(String(report.positions), { timeout: 100 });
    await expect(page.getByTestId('highest-usage')).toHaveText(report.highest_usage, { timeout: 100 });
  }).toPass();
  const limit = await sql.one<number>(
    `SELECT l.positions_max FROM system.risk_limits l JOIN system.risk_profile p USING (profile)
     WHERE l.active_from <= now() AND (l.active_to IS NULL OR l.active_to > now())`,
  );
  await expect(page.locator('[data-check=TOTAL_POSITIONS]')).toContainText(`limit ${limit}`);

  await sql.rows(REPORT, ['RED', 14, 198_765_432, 97.5, '{"TOTAL_POSITIONS": 93.33, "SINGLE_WEIGHT": 97.5}', 'a held name has neither price nor cost']);
  await expect(page.getByTestId('equity')).toHaveText('198,765,432', LOOKED_AT);
  await expect(page.getByTestId('level')).toHaveText('Red');
  await expect(page.getByTestId('usage-SINGLE_WEIGHT')).toHaveText('97.50 %');
  await expect(page.getByTestId('report-unknown')).toContainText('neither price nor cost');
});

test('stops all entries with a reason, follows the database, and lifts the stop', async ({ page, open, sql }) => {
  await open('/risk/');
  const stop = page.getByTestId('emergency-stop');
  await expect(stop).toHaveAttribute('data-stopped', 'false');
  await page.getByTestId('stop-button').click();
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await page.getByLabel('Reason').fill('e2e: the market is broken');
  await page.getByTestId('confirm').click();
  await expect(stop).toHaveAttribute('data-stopped', 'true');
  await expect(page.getByTestId('stop-reason')).toHaveText('e2e: the market is broken');
  await expect
    .poll(async () => (await sql.rows('SELECT is_enabled, reason FROM system.emergency_stop'))[0])
    .toEqual({ is_enabled: true, reason: 'e2e: the market is broken' });

  await sql.rows("UPDATE system.emergency_stop SET reason = 'e2e: set elsewhere', version = version + 1");
  await expect(page.getByTestId('stop-reason')).toHaveText('e2e: set elsewhere');

  await page.getByTestId('stop-button').click();
  await page.getByLabel('Reason').fill('e2e: all is well');
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await page.getByLabel('Type LIFT to confirm').fill('lift');
  await page.getByTestId('confirm').click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(stop).toHaveAttribute('data-stopped', 'false');
  expect(await sql.one('SELECT is_enabled FROM system.emergency_stop')).toBe(false);
});

test('changes limits, says what cannot be, and never over another change', async ({ page, open, sql }) => {
  const market = () =>
    sql.one<string>(
      `SELECT l.market_max_pct::float8 FROM system.risk_limits l JOIN system.risk_profile p USING (profile)
       WHERE l.active_from <= clock_timestamp() AND (l.active_to IS NULL OR l.active_to > clock_timestamp())`,
    );
  const before = Number(await market());
  const other = before === 97.5 ? 98 : 97.5;
  await open('/risk/');
  await page.getByTestId('edit-limits').click();
  const field = page.getByLabel('Market, at most');
  await field.fill('101');
  await expect(page.getByText('a percentage above 0, up to 100')).toBeVisible();
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await field.fill(String(other));
  await page.getByLabel('Reason').fill('e2e: narrower');
  await page.getByTestId('confirm').click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(Number(await market())).toBe(other);
  await expect(page.locator('[data-check=MARKET_WEIGHT]')).toContainText(`limit ${other.toFixed(2)} %`);

  await page.getByTestId('edit-limits').click();
  await page.getByLabel('Market, at most').fill(String(before));
  await page.getByLabel('Reason').fill('e2e: as before');
  await sql.rows("UPDATE system.risk_profile SET version = version + 1, updated_by = 'somebody else'");
  await expect(page.getByTestId('limits-conflict')).toBeVisible();
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await page.getByRole('button', { name: /Take over version/ }).click();
  await page.getByTestId('confirm').click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(Number(await market())).toBe(before);
});

test('lists a refused entry as it comes, with the figures of every check', async ({ page, open, sql }) => {
  await open('/risk/');
  const message = 'e2e: 005930 would weigh 18.4 % of the equity, at most 15 %';
  const id = await sql.one<string>(
    `WITH judged AS (
       INSERT INTO system.risk_checks (judged_us, action_key, symbol, intent_type, qty, price, is_approved, results)
       SELECT coalesce(max(judged_us), 0) + 1, 'ENTRY:e2e', '005930', 'ENTRY', 30, 71500, false, $1::jsonb FROM system.risk_checks
       RETURNING id)
     INSERT INTO system.risk_violations (check_id, action_key, symbol, intent_type, check_type, current_value, limit_value, message)
     SELECT id, 'ENTRY:e2e', '005930', 'ENTRY', 'SINGLE_WEIGHT', 39840000, 32460000, $2 FROM judged RETURNING id`,
    [
      JSON.stringify([
        { check: 'EMERGENCY_STOP', passed: true },
        { check: 'TOTAL_POSITIONS', passed: true, value: 9, limit: 15 },
        { check: 'SINGLE_WEIGHT', passed: false, value: 39_840_000, limit: 32_460_000, reason: message },
      ]),
      message,
    ],
  );
  const row = page.getByTestId('violations').locator(`[data-key="${id}"]`);
  await expect(row).toContainText('39,840,000', LOOKED_AT);
  await row.click();
  const checks = page.getByTestId('checks');
  await expect(checks.getByRole('row', { name: /Positions/ })).toContainText('15');
  await expect(checks.getByRole('row', { name: /Single name/ })).toContainText('32,460,000');
  await expect(page.getByRole('dialog')).toContainText('2,145,000');
});

for (const theme of ['dark', 'light'] as const) {
  test(`is accessible and fits a phone, ${theme}`, async ({ page, open }) => {
    await open('/risk/', { theme, language: theme === 'dark' ? 'en' : 'ko' });
    await expect(page.getByTestId('emergency-stop')).toBeVisible();
    await expect(page.locator('[data-check=DAILY_LOSS]')).toBeVisible();
    await expectAccessible(page);
    await page.getByTestId('edit-limits').click();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expectFitsPhone(page);
    await expectAccessible(page);
  });
}
