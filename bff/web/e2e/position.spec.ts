import type { Page } from '@playwright/test';

import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

interface Held {
  position_id: string;
  symbol: string;
  name: string;
  qty: string;
  original_qty: string;
  avg_price: string;
}

/** The live position farthest from every level, so that no rule sells it while a test looks at it. */
async function calmest(sql: Sql): Promise<Held> {
  // A system that has just begun tells its levels a moment later.
  await expect.poll(() => calm(sql), { timeout: 30_000 }).not.toEqual([]);
  const [held] = await calm(sql);
  return held!;
}

function calm(sql: Sql): Promise<Held[]> {
  return sql.rows<Held>(
    `SELECT p.position_id, p.symbol, s.name, p.qty, p.original_qty, p.avg_price
     FROM trade.positions p JOIN market.stocks s USING (symbol)
     JOIN LATERAL (
         SELECT min(abs(l.level - price.last_price) / price.last_price) AS way
         FROM trade.exit_levels l, LATERAL (
             SELECT last_price FROM market.prices WHERE symbol = p.symbol ORDER BY logical_us DESC LIMIT 1) price
         WHERE l.position_id = p.position_id AND l.reason <> 'HARDSTOP') nearest ON way IS NOT NULL
     WHERE p.status = 'OPEN' AND p.qty >= 3 AND p.exit_mode = 'ENABLED' ORDER BY way DESC LIMIT 1`,
  );
}

const figure = (value: string | number) => Number(value).toLocaleString('en-US', { maximumFractionDigits: 4 });

const row = (page: Page, reason: string) => page.getByTestId('rule').and(page.locator(`[data-reason="${reason}"]`));

test('a position shows what the database has, and follows it', async ({ page, open, sql }) => {
  const held = await calmest(sql);
  const { position_id: id } = held;
  await open(`/position/?id=${id}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${held.name} ${held.symbol}`);
  await expect(page.getByTestId('quantity')).toHaveText(figure(held.qty));
  await expect(page.getByTestId('average')).toHaveText(figure(held.avg_price));
  const phase = await sql.one<string>('SELECT phase FROM trade.position_state WHERE position_id = $1', [id]);
  await expect(page.getByTestId('phase')).toHaveText(phase.replaceAll('_', ' '));
  await expect(page.getByTestId('candles').locator('canvas').first()).toBeVisible();
  await expect(page.getByTestId('last-price').getByTestId('price')).toHaveText(/^[\d,.]+$/);

  const levels = await sql.rows<{ reason: string; level: string }>(
    'SELECT reason, level FROM trade.exit_levels WHERE position_id = $1 AND rule_id IS NULL',
    [id],
  );
  const hardStop = levels.find(({ reason }) => reason === 'HARDSTOP');
  await expect(row(page, 'HARDSTOP').getByTestId('rule-level')).toHaveText(figure(hardStop!.level));
  await expect(row(page, 'HARDSTOP').getByTestId('rule-away')).toHaveText(/^\d+\.\d\d %$/);
  await expect(page.getByTestId('resolution')).toContainText(
    await sql.one<string>('SELECT profile_id FROM trade.exit_levels WHERE position_id = $1 LIMIT 1', [id]),
  );

  // Something else changes it behind the back of the page.
  await sql.rows("UPDATE trade.positions SET exit_mode = 'MANUAL_ONLY' WHERE position_id = $1", [id]);
  await expect(page.getByTestId('exit-mode')).toHaveText('MANUAL ONLY');
  await expect(page.getByText('no rule is judged, only you sell it')).toBeVisible();
  await sql.rows("UPDATE trade.positions SET exit_mode = 'ENABLED' WHERE position_id = $1", [id]);
  await expect(page.getByTestId('exit-mode')).toHaveText('ENABLED');

  // A hit that was withheld is said in plain words, beside its rule too.
  await sql.rows(
    `INSERT INTO trade.exit_withheld (logical_us, position_id, symbol, reason, why, price, level)
     SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, position_id, symbol, 'HARDSTOP', 'QUANTITY', level, level
     FROM trade.exit_levels WHERE position_id = $1 AND reason = 'HARDSTOP'`,
    [id],
  );
  await expect(page.getByTestId('withheld')).toContainText('Every share is in an order already.', { timeout: 15_000 });
  await expect(row(page, 'HARDSTOP')).toContainText('Every share is in an order already.');

  await page.getByRole('button', { name: 'Day', exact: true }).click();
  await expect(page.getByTestId('candles').locator('canvas').first()).toBeVisible();
  await expectAccessible(page);
});

test('the price moves, and the way to every level with it', async ({ page, open, sql }) => {
  const { position_id: id } = await calmest(sql);
  await open(`/position/?id=${id}`);
  const away = row(page, 'HARDSTOP').getByTestId('rule-away');
  await expect(away).toHaveText(/%/);
  const before = await away.textContent();
  await expect(away).not.toHaveText(before ?? '', { timeout: 50_000 });
});

test('shares are sold by hand after a second look', async ({ page, open, sql }) => {
  const held = await calmest(sql);
  const { position_id: id } = held;
  const qty = Number(held.qty);
  await open(`/position/?id=${id}`);
  await expect(page.getByTestId('quantity')).toHaveText(figure(qty));
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog');
  const field = dialog.getByTestId('sell-qty');
  await expect(field).toHaveValue(String(qty));
  await dialog.getByRole('button', { name: /^Half/ }).click();
  await expect(field).toHaveValue(String(Math.ceil(qty / 2)));
  await field.fill(String(qty + 1));
  await expect(dialog.getByRole('alert')).toContainText(`Only ${figure(qty)} are held`);
  await expect(dialog.getByTestId('sell-review')).toBeDisabled();
  await field.fill('1');
  await dialog.getByLabel('Reason').fill('a trial of the desk');
  await dialog.getByTestId('sell-review').click();
  await expect(dialog.getByTestId('sell-summary')).toContainText(`1 of ${figure(qty)} shares`);
  await expectAccessible(page);
  await dialog.getByTestId('confirm').click();
  await expect(dialog.getByTestId('sell-outcome')).toHaveAttribute('data-state', 'ORDERED', { timeout: 20_000 });
  await expect(dialog.getByTestId('timeline')).toContainText('FILLED', { timeout: 20_000 });

  const [asked] = await sql.rows<{ qty: string; reason: string; state: string; order_id: string }>(
    'SELECT qty, reason, state, order_id FROM trade.manual_exits WHERE position_id = $1 ORDER BY created_ts DESC LIMIT 1',
    [id],
  );
  expect(asked).toMatchObject({ qty: '1', reason: 'a trial of the desk', state: 'ORDERED' });
  await dialog.getByTestId('sell-close').click();
  await expect(page.getByTestId('quantity')).toHaveText(figure(qty - 1));
  const order = page.getByTestId('order').and(page.locator(`[data-id="${asked!.order_id}"]`));
  await expect(order).toContainText('MANUAL');
  await expect(order).toContainText('FILLED');
  const [fill] = await sql.rows<{ fill_id: string; price: string }>('SELECT fill_id, price FROM trade.executions WHERE order_id = $1', [asked!.order_id]);
  await expect(page.getByTestId('executions').locator(`[data-key="${fill!.fill_id}"]`)).toContainText(figure(fill!.price));
});

test('a position is chosen where none is named, and one that is not there is said', async ({ page, open, sql, expected }) => {
  expected.push(/404/);
  await open('/position/?id=00000000-0000-4000-8000-000000000000');
  await expect(page.getByText('There is no such position')).toBeVisible();
  await open('/position/');
  const { position_id: id, name } = await calmest(sql);
  await page.locator(`[data-key="${id}"]`).press('Enter');
  await expect(page).toHaveURL(new RegExp(id));
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
});

test('a position fits a phone, in Korean and light', async ({ page, open, sql }) => {
  const { position_id: id } = await calmest(sql);
  await open(`/position/?id=${id}`, { language: 'ko', theme: 'light' });
  await expect(row(page, 'HARDSTOP')).toBeVisible();
  await expectFitsPhone(page);
  await expectAccessible(page);
});
