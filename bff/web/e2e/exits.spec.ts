import { randomUUID } from 'node:crypto';

import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

const SYMBOL = '042660';

/** Stores a position that was closed with a small loss, at a price from which nothing rebounds. */
async function exit(sql: Sql): Promise<string> {
  const id = randomUUID();
  await sql.rows(
    `WITH account AS (SELECT account_id FROM trade.positions LIMIT 1), closed AS (
       INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, status, closed_ts)
       SELECT $1::uuid, account_id, $2, 0, 10, 9000123, now() - interval '1 minute', 'CLOSED', now() FROM account
       RETURNING position_id, account_id
     )
     INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty, original_qty,
         exit_avg_price, exit_reason_code, source, realized_pnl, realized_pnl_pct)
     SELECT $1::uuid, position_id, account_id, $2, now(), 10, 10, 9000000.25, 'SL2', 'AUTO_EXIT', -1234, -0.014 FROM closed`,
    [id, SYMBOL],
  );
  return id;
}

test('an exit appears by itself with what it has brought, and its candidate is ended', async ({ page, open, sql }) => {
  await open('/exits/');
  await expect(page.getByTestId('realised')).toBeVisible();
  const id = await exit(sql);
  const row = page.locator(`[role=row][data-key="${id}"]`);
  await expect(row).toBeVisible();
  const [stored] = await sql.rows<{ exit_qty: string; exit_avg_price: string; realized_pnl: string }>(
    'SELECT exit_qty, exit_avg_price, realized_pnl FROM trade.exit_events WHERE exit_event_id = $1',
    [id],
  );
  await expect(row).toContainText(Number(stored!.exit_avg_price).toLocaleString('en-US'));
  await expect(row).toContainText(stored!.exit_qty);
  await expect(row).toContainText(`−${Math.abs(Number(stored!.realized_pnl)).toLocaleString('en-US')}`);
  await expectAccessible(page);

  // The engine makes a candidate of it, under the identity of the exit.
  await page.getByRole('tab', { name: 'Candidates' }).click();
  await expect(row).toContainText(/COOLDOWN|WATCH/);
  await row.click();
  const sheet = page.getByTestId('candidate-sheet');
  await expect(sheet.getByTestId('gates').locator('[data-state=waiting]')).toHaveCount(1);
  await expectAccessible(page);
  await sheet.getByTestId('expire').click();
  await page.getByRole('textbox', { name: 'Reason' }).fill('a test');
  await page.getByTestId('confirm').click();
  await expect(row).toContainText('EXPIRED');
  expect(await sql.one('SELECT reason FROM trade.reentry_expiries WHERE candidate_id = $1', [id])).toBe('a test');
  expect(await sql.one('SELECT state FROM trade.reentry_candidates WHERE candidate_id = $1', [id])).toBe('EXPIRED');
  await page.keyboard.press('Escape');

  await page.getByRole('tab', { name: 'Verdicts' }).click();
  const verdict = await sql.one<string>("SELECT id FROM trade.reentry_history WHERE candidate_id = $1 AND status = 'EXPIRED'", [id]);
  await expect(page.locator(`[role=row][data-key="${verdict}"]`)).toContainText('EXPIRED');
  await expectFitsPhone(page);
});

test('mode, regime and limits of re-entries are changed and found in the database', async ({ page, open, sql }) => {
  await open('/exits/?tab=control');
  const setMode = async (mode: string, said: string) => {
    await page.getByTestId('change-mode').click();
    await page.getByRole('dialog').getByRole('button', { name: mode }).first().click();
    await page.getByRole('textbox', { name: 'Reason' }).fill(said);
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('reentry-mode')).toHaveText(mode);
    await expect.poll(() => sql.one('SELECT reason FROM trade.reentry_control')).toBe(said);
  };
  await setMode('Pause entries', 'e2e pauses');
  expect(await sql.one('SELECT mode FROM trade.reentry_control')).toBe('PAUSE_ENTRY');
  await setMode('Running', 'e2e goes on');
  expect(await sql.one('SELECT mode FROM trade.reentry_control')).toBe('RUNNING');

  await page.getByTestId('change-regime').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Neutral', exact: true }).click();
  await page.getByRole('button', { name: '1 hour' }).click();
  await page.getByTestId('confirm').click();
  await expect(page.getByText('set by the operator')).toBeVisible();
  expect(await sql.one('SELECT regime FROM market.regime_override')).toBe('NEUTRAL');
  await page.getByTestId('change-regime').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Producers decide' }).click();
  await page.getByTestId('confirm').click();
  await expect(page.getByText('set by the operator')).toBeHidden();
  expect(await sql.one('SELECT regime FROM market.regime_override')).toBeNull();

  const limits = page.getByTestId('limits');
  const [before] = await sql.rows<{ positions_max: number; version: number }>('SELECT positions_max, version FROM trade.reentry_limits');
  await expect(limits).toContainText(`${before!.positions_max} positions`);
  const setPositions = async (count: number) => {
    await page.getByTestId('change-limits').click();
    await page.getByRole('textbox', { name: 'Positions at most' }).fill(String(count));
    await page.getByRole('textbox', { name: 'Reason' }).fill('e2e');
    await page.getByTestId('confirm').click();
    await expect(limits).toContainText(`${count} positions`);
    expect(await sql.one('SELECT positions_max FROM trade.reentry_limits')).toBe(count);
  };
  await setPositions(before!.positions_max + 1);
  await setPositions(before!.positions_max);
  expect(await sql.one('SELECT version FROM trade.reentry_limits')).toBe(before!.version + 2);
  await expectAccessible(page);
  await expectFitsPhone(page);
});

test('windows and the blacklist are kept, and follow the database', async ({ page, open, sql }) => {
  await sql.rows("DELETE FROM trade.reentry_windows WHERE window_id = 'e2e'");
  await sql.rows("DELETE FROM trade.reentry_blacklist WHERE created_by = 'e2e' OR reason = 'e2e by hand'");
  await open('/exits/?tab=barred');
  await page.getByTestId('add-window').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('e2e');
  await page.getByLabel('From (Seoul)').fill('03:00');
  await page.getByLabel('Until (Seoul), exclusive').fill('03:10');
  await page.getByRole('switch', { name: 'In force' }).click();
  await page.getByTestId('confirm').click();
  const window = page.locator('[role=row][data-key=e2e]');
  await expect(window).toContainText('03:10:00');
  expect(await sql.one("SELECT until_time::text || is_active FROM trade.reentry_windows WHERE window_id = 'e2e'")).toBe('03:10:00false');
  await window.getByRole('button', { name: /Remove/ }).click();
  await page.getByTestId('confirm').click();
  await expect(window).toBeHidden();
  expect(await sql.one("SELECT count(*) FROM trade.reentry_windows WHERE window_id = 'e2e'")).toBe('0');

  await sql.rows("INSERT INTO trade.reentry_blacklist (symbol, reason, created_by) VALUES ($1, 'from the database', 'e2e') ON CONFLICT DO NOTHING", [SYMBOL]);
  const barred = page.locator(`[role=row][data-key="${SYMBOL}"]`);
  await expect(barred).toContainText('from the database');
  await barred.getByRole('button', { name: /Remove/ }).click();
  await page.getByTestId('confirm').click();
  await expect(barred).toBeHidden();
  expect(await sql.one('SELECT count(*) FROM trade.reentry_blacklist WHERE symbol = $1', [SYMBOL])).toBe('0');

  await page.getByTestId('add-blacklist').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox').fill(SYMBOL);
  await dialog.getByRole('option').first().click();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('e2e by hand');
  await dialog.getByRole('button', { name: '1 day' }).click();
  await page.getByTestId('confirm').click();
  await expect(barred).toContainText('e2e by hand');
  expect(await sql.one('SELECT reason FROM trade.reentry_blacklist WHERE symbol = $1', [SYMBOL])).toBe('e2e by hand');
  await expectAccessible(page);
  await expectFitsPhone(page);
  await sql.rows('DELETE FROM trade.reentry_blacklist WHERE symbol = $1', [SYMBOL]);
});
