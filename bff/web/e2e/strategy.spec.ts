import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';
import { idOf, rowsOf, type Made } from './strategy.rows';

// Several parts are looked at for accessibility, one after the other.
test.setTimeout(150_000);

/** Makes a strategy of its own, so that no other page and no engine is concerned with it. */
async function make(sql: Sql): Promise<Made> {
  const count = await sql.one<string>(`SELECT count(DISTINCT strategy_id) FROM strategy.runs WHERE strategy_id LIKE 'e2e-%'`);
  const made: Made = { strategy: `e2e-${Number(count) + 1}`, days: ['2026-02-19', '2026-02-20'], createdTs: '2026-02-19 16:30:00+09' };
  await sql.rows(rowsOf(made));
  return made;
}

test('what a run has found is shown as the database has it, and a later run is followed', async ({ page, open, sql }) => {
  const made = await make(sql);
  await open(`/strategy/?strategy=${made.strategy}&tab=universe`);

  const stats = await sql.one<{ listings: number; passed: number }>(`SELECT filter_stats FROM strategy.universe_snapshots WHERE snapshot_id = ${idOf(made, 'universe', 2)}`);
  await expect(page.getByTestId('universe-listings')).toHaveText(stats.listings.toLocaleString('en-US'));
  await expect(page.getByTestId('universe-passed')).toHaveText(String(stats.passed));
  const [tier] = await sql.rows<{ symbol: string; count: string }>(
    `SELECT min(symbol) AS symbol, count(*) AS count FROM strategy.universe_daily WHERE snapshot_id = ${idOf(made, 'universe', 2)} AND exclusion IS NOT NULL`,
  );
  await page.getByRole('button', { name: 'Kept out' }).click();
  await expect(page.locator(`[data-key="${tier!.symbol}"]`)).toBeVisible();
  await expect(page.getByRole('table', { name: 'Listings' }).locator('[data-key]')).toHaveCount(Number(tier!.count));
  await expectAccessible(page);

  await page.getByRole('tab', { name: 'Signals' }).click();
  const [signal] = await sql.rows<{ symbol: string; strength: string; momentum: string }>(
    `SELECT symbol, round(strength, 1) AS strength, round(momentum, 2) AS momentum FROM strategy.signals
     WHERE snapshot_id = ${idOf(made, 'signals', 2)} AND kind = 'BUY' AND rank = 2`,
  );
  await page.locator(`[data-key="${signal!.symbol}"]`).click();
  await expect(page).toHaveURL(new RegExp(`symbol=${signal!.symbol}`));
  await expect(page.getByTestId('factor-profile')).toContainText(signal!.symbol);
  await expect(page.getByTestId('profile-strength')).toHaveText(signal!.strength);
  await expect(page.getByTestId('factor-momentum')).toHaveText(`+${signal!.momentum}`);
  await expectAccessible(page);

  await page.getByRole('tab', { name: 'Ranking' }).click();
  const [ranked] = await sql.rows<{ symbol: string; total: string; loss: string }>(
    `SELECT symbol, round(total_score, 2) AS total, market_loss AS loss FROM strategy.rankings
     WHERE snapshot_id = ${idOf(made, 'rankings', 2)} AND market_loss > 0 ORDER BY rank LIMIT 1`,
  );
  await page.locator(`[data-key="${ranked!.symbol}"]`).click();
  await expect(page.getByTestId('rank-story')).toContainText(ranked!.total);
  await expect(page.getByTestId('rank-story')).toContainText(`−${ranked!.loss}`);
  await expectAccessible(page);

  // A later run of the same strategy: nobody reloads the page.
  await expect(page.getByTestId('run-reason')).toHaveCount(0);
  await sql.rows(
    `INSERT INTO strategy.runs (run_id, strategy_id, as_of, trigger, asked_by, state, stage, reason, durations, counts, created_ts, ended_ts)
     VALUES (${idOf(made, 'refused', 1)}, '${made.strategy}', '2026-02-23', 'CLI', 'kim', 'REFUSED', 'UNIVERSE', 'the stored bars end before the day',
         '{"LOAD": 7}', '{}', '2026-02-23 16:30:00+09', '2026-02-23 16:30:01+09')`,
  );
  await expect(page.getByTestId('run-reason')).toContainText('the stored bars end before the day', { timeout: 20_000 });
  await page.getByRole('tab', { name: 'Runs' }).click();
  await expect(page.getByRole('table', { name: 'Runs' }).locator('[data-key]')).toHaveCount(3);
  await expectAccessible(page);
  await expectFitsPhone(page);
});

test('a draft is compared and put in force, and the one before is archived', async ({ page, open, sql }) => {
  const made = await make(sql);
  await open(`/strategy/?strategy=${made.strategy}&tab=portfolio`);
  const turnover = await sql.one<string>(
    `SELECT round(sum(abs(coalesce(b.weight, 0) - coalesce(a.weight, 0))) / 20000.0, 2)
     FROM (SELECT * FROM strategy.portfolio_holdings WHERE portfolio_id = ${idOf(made, 'portfolio', 1)}) a
     FULL JOIN (SELECT * FROM strategy.portfolio_holdings WHERE portfolio_id = ${idOf(made, 'portfolio', 2)}) b USING (symbol)`,
  );
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByTestId('turnover')).toHaveText(`${turnover} %`);
  await expect(page.getByTestId('added')).toHaveText('4');
  await expect(page.getByTestId('removed')).toHaveText('2');
  await expectAccessible(page);

  await page.getByTestId('activate').click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByTestId('turnover')).toHaveText(`${turnover} %`);
  await dialog.getByLabel('Reason').fill('looked through');
  await expectAccessible(page);
  await dialog.getByTestId('confirm').click();
  await expect(dialog).toBeHidden();
  const [row] = await sql.rows<{ status: string; activation_reason: string }>(
    `SELECT status, activation_reason FROM strategy.portfolios WHERE portfolio_id = ${idOf(made, 'portfolio', 2)}`,
  );
  expect(row).toEqual({ status: 'ACTIVE', activation_reason: 'looked through' });
  const second = await sql.one<string>(`SELECT ${idOf(made, 'portfolio', 2)}::text`);
  const first = await sql.one<string>(`SELECT ${idOf(made, 'portfolio', 1)}::text`);
  await expect(page.locator(`[data-key="${second}"]`)).toContainText('ACTIVE');
  await expect(page.locator(`[data-key="${first}"]`)).toContainText('ARCHIVED');
  await expect(page.getByTestId('activate')).toHaveCount(0);

  // How the one before was traded.
  await page.locator(`[data-key="${first}"]`).click();
  await expect(page.locator(`[data-key="${first}"]`)).toHaveAttribute('aria-current', 'true');
  await page.getByRole('button', { name: 'Trading' }).click();
  await expect(page.getByTestId('rebalance')).toContainText('214,800,000');
  await expect(page.getByTestId('rebalance')).toContainText('Fewer than aimed at');
  await expectAccessible(page);
  await expectFitsPhone(page);
});

test('a run is asked for and followed until it is over', async ({ page, open, sql }) => {
  await open('/strategy/');
  await page.getByTestId('run-now').click();
  const dialog = page.getByRole('dialog');
  const reason = `asked by a test ${await sql.one<string>('SELECT count(*) FROM strategy.run_requests')}`;
  await dialog.getByLabel('Reason').fill(reason);
  await expectAccessible(page);
  await dialog.getByTestId('confirm').click();
  await expect(page.getByTestId('run-progress')).toBeVisible();
  await expect(page.getByTestId('run-progress')).toHaveAttribute('data-state', /DONE|REFUSED|FAILED/, { timeout: 45_000 });
  const [request] = await sql.rows<{ state: string; message: string | null; asked_by: string }>(
    'SELECT state, message, asked_by FROM strategy.run_requests WHERE reason = $1',
    [reason],
  );
  expect(request!.asked_by).not.toBe('');
  await expect(page.getByTestId('run-progress')).toHaveAttribute('data-state', request!.state);
  await expect(page.getByTestId('run-progress')).toContainText(request!.message ?? 'done');
  await page.getByRole('tab', { name: 'Picks' }).click();
  await expect(page.getByRole('heading', { name: 'Decisions' })).toBeVisible();
  await expectAccessible(page);
  await expectFitsPhone(page);
});
