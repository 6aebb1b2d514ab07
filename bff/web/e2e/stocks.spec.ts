import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

/** A stock of the tests alone: nobody trades or follows it. */
const SYMBOL = '990099';
const NAME = '브라우저시험';

async function remove(sql: Sql): Promise<void> {
  await sql.rows('DELETE FROM market.daily_bars WHERE symbol = $1', [SYMBOL]);
  await sql.rows('DELETE FROM market.stocks WHERE symbol = $1', [SYMBOL]);
}

async function insert(sql: Sql): Promise<void> {
  await remove(sql);
  await sql.rows(
    "INSERT INTO market.stocks (symbol, name, market, sector, market_cap, listed_shares) VALUES ($1, $2, 'KOSDAQ', '시험업', 123400000000, 7654321)",
    [SYMBOL, NAME],
  );
}

test.afterEach(async ({ sql }) => remove(sql));

test('stocks are what the database has, narrowed as asked, and follow it', async ({ page, open, sql }) => {
  await remove(sql);
  await open('/stocks/');
  const table = page.getByRole('table', { name: 'Listed' });
  const first = await sql.one<string>('SELECT name FROM market.stocks ORDER BY symbol COLLATE "C" LIMIT 1');
  await expect(table.getByRole('row').nth(1)).toContainText(first);
  await expect(page.locator(`[data-key="${SYMBOL}"]`)).toBeHidden();

  await insert(sql);
  const row = page.locator(`[data-key="${SYMBOL}"]`);
  await page.getByRole('searchbox', { name: 'Name or code' }).fill(NAME);
  await expect(row).toContainText('시험업');
  await expect(row).toContainText('123.4B');
  await expect(page).toHaveURL(/q=/);
  await sql.rows("UPDATE market.stocks SET sector = '바뀐업' WHERE symbol = $1", [SYMBOL]);
  await expect(row).toContainText('바뀐업');

  await page.getByRole('button', { name: 'KOSPI', exact: true }).click();
  await expect(page.getByText('No stock matches')).toBeVisible();
  await page.getByRole('button', { name: 'KOSDAQ', exact: true }).click();
  await expect(row).toBeVisible();
  await sql.rows('UPDATE market.stocks SET is_tradable = false WHERE symbol = $1', [SYMBOL]);
  await page.getByLabel('Tradable only').click();
  await expect(row).toBeHidden();
  await expectAccessible(page);
});

test('a stock beside the list: what it is, its state, its rule', async ({ page, open, sql }) => {
  await insert(sql);
  await open(`/stocks/?symbol=${SYMBOL}`);
  const sheet = page.getByTestId('stock-sheet');
  await expect(sheet).toContainText(NAME);
  await expect(sheet).toContainText('7,654,321');
  await expect(sheet).toContainText('시험업');
  const rule = await sql.one<string>("SELECT rule_id FROM trade.exit_rules WHERE scope = 'DEFAULT' AND is_active ORDER BY rule_id LIMIT 1");
  await expect(sheet.getByTestId('stock-rule')).toContainText(rule);
  await expect(sheet).toContainText('Not held');

  // Flags are in no feed: they are asked for every ten seconds.
  await sql.rows("UPDATE market.stocks SET is_managed = true, is_tradable = false, trade_halt_reason = '감사의견' WHERE symbol = $1", [SYMBOL]);
  await expect(sheet.getByTestId('stock-flags')).toContainText('감사의견', { timeout: 20_000 });
  await expect(sheet.getByTestId('stock-flags')).toContainText('Administration');
  await expect(sheet.getByRole('button', { name: 'Buy' })).toBeDisabled();

  await expectAccessible(page);

  await sheet.getByRole('button', { name: 'Close' }).click();
  await expect(sheet).toBeHidden();
  await page.goBack();
  await expect(sheet).toBeVisible();
});

test('a stock that trades shows its price and chart, is watched, and leads to a purchase', async ({ page, open, sql }) => {
  const symbol = await sql.one<string>(
    `SELECT s.symbol FROM market.stocks AS s JOIN market.best_prices AS b USING (symbol)
     WHERE s.is_tradable AND s.status = 'ACTIVE'
         AND NOT EXISTS (SELECT FROM strategy.watchlist AS c WHERE c.symbol = s.symbol AND c.category = 'candidate')
     ORDER BY s.symbol LIMIT 1`,
  );
  await open(`/stocks/?symbol=${symbol}`);
  await expect(page.getByTestId('stock-price')).toHaveText(/^[\d,.]+$/);
  await expect(page.getByTestId('candles')).toBeVisible();
  const sheet = page.getByTestId('stock-sheet');
  await sheet.getByRole('button', { name: 'Watch', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Candidates' }).click();
  await dialog.getByTestId('confirm').click();
  await expect(sheet.getByRole('button', { name: 'On “Candidates”' })).toBeVisible();
  const lists = await sql.rows<{ category: string }>('SELECT category FROM strategy.watchlist WHERE symbol = $1', [symbol]);
  expect(lists.map(({ category }) => category)).toContain('candidate');
  await sql.rows("DELETE FROM strategy.watchlist WHERE symbol = $1 AND category = 'candidate'", [symbol]);
  await expect(sheet.getByRole('button', { name: 'On “Candidates”' })).toBeHidden();
  await sheet.getByRole('button', { name: 'Buy' }).click();
  await expect(page).toHaveURL(new RegExp(`/orders/\\?buy=${symbol}`));
});

test('the market is ranked by what is stored', async ({ page, open, sql }) => {
  await insert(sql);
  await sql.rows(
    `INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
     SELECT $1, coalesce(max(trade_date), DATE '2026-11-20'), 1000, 1100, 900, 1050, 4321, 9000000000000000, 'IMPORT' FROM market.daily_bars`,
    [SYMBOL],
  );
  const day = await sql.one<string>('SELECT max(trade_date)::text FROM market.daily_bars');
  await open('/stocks/?view=rankings');
  const table = page.getByRole('table', { name: 'Value' });
  const first = table.getByRole('row').nth(1);
  await expect(first).toContainText(NAME);
  await expect(first).toContainText('1,050');
  await expect(first).toContainText('4,321');
  await expect(page.getByText(`as of ${day}`)).toBeVisible();
  await page.getByRole('button', { name: '52-week high' }).click();
  await expect(page.getByRole('table', { name: '52-week high' }).locator(`[data-key="${SYMBOL}"]`)).toContainText('95.45 %');
  await page.getByRole('table', { name: '52-week high' }).locator(`[data-key="${SYMBOL}"]`).click();
  await expect(page.getByTestId('stock-sheet')).toContainText(NAME);
  await expectAccessible(page);
});

test('stocks fit a phone, the list and the sheet', async ({ page, open, sql }) => {
  await insert(sql);
  await open('/stocks/', { language: 'ko', theme: 'light' });
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await expectFitsPhone(page);
  await open(`/stocks/?symbol=${SYMBOL}`, { language: 'ko', theme: 'light' });
  await expect(page.getByTestId('stock-sheet')).toContainText(NAME);
  await expectFitsPhone(page);
  await expectAccessible(page);
});
