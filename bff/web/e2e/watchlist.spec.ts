import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

/** Returns a stock that is on the list to watch, and on no list of candidates. */
async function chosen(sql: Sql): Promise<{ symbol: string; name: string }> {
  await sql.rows(
    `INSERT INTO strategy.watchlist (symbol, category, memo, updated_by)
     SELECT symbol, 'watch', 'browser test', 'browser test' FROM market.stocks
     WHERE NOT EXISTS (SELECT FROM strategy.watchlist WHERE category = 'watch') ORDER BY symbol LIMIT 1`,
  );
  const [stock] = await sql.rows<{ symbol: string; name: string }>(
    `SELECT s.symbol, s.name FROM market.stocks AS s JOIN strategy.watchlist AS w ON w.symbol = s.symbol AND w.category = 'watch'
     WHERE NOT EXISTS (SELECT FROM strategy.watchlist AS c WHERE c.symbol = s.symbol AND c.category = 'candidate')
     ORDER BY s.symbol DESC LIMIT 1`,
  );
  return stock!;
}

const rowOf = (symbol: string) => `[role=row][data-key="${symbol}"]`;

test('the watchlist is what the database has, and follows it', async ({ page, open, sql }) => {
  const { symbol, name } = await chosen(sql);
  await sql.rows(
    `UPDATE strategy.watchlist SET memo = 'waits for the close', target_price = 123456, alert_enabled = true, alert_price = 999999000,
         alert_condition = 'ABOVE', updated_by = 'browser test' WHERE symbol = $1 AND category = 'watch'`,
    [symbol],
  );
  await open('/watchlist/');
  const row = page.locator(rowOf(symbol));
  await expect(row).toContainText(name);
  await expect(row).toContainText('waits for the close');
  await expect(row).toContainText('123,456');
  await expect(row).toContainText('≥ 999,999,000');
  const count = await sql.one<string>("SELECT count(*) FROM strategy.watchlist WHERE category = 'watch'");
  const armed = await sql.one<string>("SELECT count(*) FROM strategy.watchlist WHERE category = 'watch' AND alert_enabled");
  await expect(page.getByTestId('watched-count')).toHaveText(count);
  await expect(page.getByTestId('alerts-armed')).toHaveText(armed);

  // A price that every trade is above.
  await sql.rows(
    "UPDATE strategy.watchlist SET target_price = 654321, alert_price = 1, updated_by = 'browser test' WHERE symbol = $1 AND category = 'watch'",
    [symbol],
  );
  await expect(row).toContainText('654,321');
  await expect(row).toContainText(/Reached|Alarm/);
  await sql.rows(
    `UPDATE strategy.watchlist SET memo = NULL, target_price = NULL, alert_enabled = false, alert_price = NULL, alert_condition = NULL,
         updated_by = 'browser test' WHERE symbol = $1 AND category = 'watch'`,
    [symbol],
  );
  await expect(row).not.toContainText('waits for the close');
  await expectAccessible(page);
});

test('a candidate is added once, changed, its alarm switched, and removed', async ({ page, open, sql, expected }) => {
  // The second addition is refused on purpose.
  expected.push(/409/);
  const { symbol, name } = await chosen(sql);
  const stored = async () =>
    (
      await sql.rows<{ memo: string; target: number; alert: number; alert_condition: string; alert_enabled: boolean; reason: string }>(
        `SELECT memo, target_price::float8 AS target, alert_price::float8 AS alert, alert_condition, alert_enabled, reason
         FROM strategy.watchlist WHERE symbol = $1 AND category = 'candidate'`,
        [symbol],
      )
    )[0];
  const search = page.getByTestId('watch-add').getByRole('combobox');
  const add = async () => {
    await search.fill(symbol);
    await page.getByTestId('watch-add').getByRole('option', { name }).click();
  };
  await open('/watchlist/?list=candidate');
  await add();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Target price').fill('-5');
  await expect(dialog.getByText('An amount above zero')).toBeVisible();
  await expect(dialog.getByTestId('confirm')).toBeDisabled();
  await dialog.getByLabel('Target price').fill('1,234,500');
  await dialog.getByLabel('Alarm at a price').click();
  await dialog.getByRole('button', { name: 'at or below' }).click();
  await dialog.getByLabel('Alarm price').fill('1.5');
  await dialog.getByLabel('Memo').fill('after the figures');
  await dialog.getByLabel('Reason').fill('margin turns');
  await expectAccessible(page);
  await dialog.getByTestId('confirm').click();
  await expect(dialog).toBeHidden();
  const row = page.locator(rowOf(symbol));
  await expect(row).toContainText('margin turns');
  expect(await stored()).toEqual({
    memo: 'after the figures',
    target: 1_234_500,
    alert: 1.5,
    alert_condition: 'BELOW',
    alert_enabled: true,
    reason: 'margin turns',
  });

  await add();
  await dialog.getByTestId('confirm').click();
  await expect(dialog.getByText('CONFLICT')).toBeVisible();
  await page.keyboard.press('Escape');

  await row.getByRole('button', { name: `Change ${name}` }).click();
  await dialog.getByLabel('Target price').fill('2000000');
  await dialog.getByTestId('confirm').click();
  await expect(row).toContainText('2,000,000');
  await row.getByRole('button', { name: /Switch it off/ }).click();
  await expect(row.getByRole('button', { name: /Switch it on/ })).toBeVisible();
  await expect.poll(async () => (await stored())?.alert_enabled).toBe(false);
  expect((await stored())?.target).toBe(2_000_000);

  // Somebody else changes it while the form is open.
  await row.getByRole('button', { name: `Change ${name}` }).click();
  await sql.rows("UPDATE strategy.watchlist SET memo = 'newer', updated_by = 'somebody' WHERE symbol = $1 AND category = 'candidate'", [symbol]);
  await expect(row).toContainText('newer');
  await dialog.getByLabel('Memo').fill('older');
  await dialog.getByTestId('confirm').click();
  await dialog.getByRole('button', { name: 'Load what stands now' }).click();
  await expect(dialog.getByLabel('Memo')).toHaveValue('newer');
  await page.keyboard.press('Escape');

  await row.getByRole('button', { name: `Take ${name} off the list` }).click();
  await dialog.getByTestId('confirm').click();
  await expect(row).toBeHidden();
  await expect.poll(stored).toBeUndefined();
});

test('the watchlist fits a phone', async ({ page, open }) => {
  await open('/watchlist/', { language: 'ko', theme: 'light' });
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await expectFitsPhone(page);
  await expectAccessible(page);
});
