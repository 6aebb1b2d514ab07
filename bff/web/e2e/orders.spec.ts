import { randomUUID } from 'node:crypto';

import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

/** The symbol that this test buys: it is among those of the demonstration, and not held by it at first. */
const SYMBOL = '015760';

interface Given {
  id: string;
  qty: number;
  limit: number;
}

/** A price that the exchange takes and that no trade comes near. */
async function farBelow(sql: Sql): Promise<number> {
  const price = await sql.one<string>('SELECT last_price FROM market.prices WHERE symbol = $1 ORDER BY trade_date DESC, logical_us DESC LIMIT 1', [SYMBOL]);
  return Math.floor((Number(price) * 0.8) / 1_000) * 1_000;
}

/** Stores a purchase as the engine does where the operator has to approve it. */
async function order(sql: Sql, qty: number, statuses: readonly string[]): Promise<Given> {
  const id = randomUUID();
  const limit = await farBelow(sql);
  await sql.rows(
    `WITH placed AS (
       INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty, order_type, limit_price,
           reason_code, price, level, decided_us, explanation)
       SELECT $1::uuid, 'MANUAL:' || $1, (SELECT account_id FROM trade.positions LIMIT 1), $2, 'BUY', 'ENTRY', $3::bigint, 'LMT',
           $4::numeric, 'MANUAL', $4::numeric, $4::numeric, 1795916759808567,
           jsonb_build_object('manual', jsonb_build_object('request_id', $1, 'asked_by', 'e2e', 'reason', 'a test', 'strategy', 'MANUAL'))
       RETURNING order_id
     ), asked AS (
       INSERT INTO trade.manual_entries (request_id, symbol, qty, limit_price, asked_by, state, order_id)
       SELECT order_id, $2, $3::bigint, $4::numeric, 'e2e', 'ORDERED', order_id FROM placed
     )
     INSERT INTO trade.order_events (order_id, status, filled_qty)
     SELECT order_id, status, CASE status WHEN 'FILLED' THEN $3::bigint ELSE 0 END
     FROM placed, unnest($5::text[]) WITH ORDINALITY AS told (status, n) ORDER BY n`,
    [id, SYMBOL, qty, limit, statuses],
  );
  return { id, qty, limit };
}

const won = (value: number) => value.toLocaleString('en-US');

test('an order shows its events, its fills and every input as the database has them', async ({ page, open, sql }) => {
  const filled = await order(sql, 7, ['NEW', 'SUBMITTED', 'FILLED']);
  await sql.rows(
    `INSERT INTO trade.executions (fill_id, order_id, exec_key, ts, qty, price, fee, tax, source)
     VALUES ($1, $3, 'e2e-1', now(), 3, 40100, 15, 0, 'NOTICE'), ($2, $3, 'e2e-2', now(), 4, 40200, 20, 0, 'NOTICE')`,
    [randomUUID(), randomUUID(), filled.id],
  );
  await open(`/orders/?id=${filled.id}`);
  const sheet = page.getByTestId('order-sheet');
  const [stored] = await sql.rows<{ status: string; name: string; events: string }>(
    `SELECT n.status, s.name, (SELECT count(*) FROM trade.order_events e WHERE e.order_id = n.order_id) AS events
     FROM trade.orders_now n JOIN market.stocks s USING (symbol) WHERE n.order_id = $1`,
    [filled.id],
  );
  await expect(sheet).toContainText(stored!.name);
  await expect(sheet.getByTestId('timeline').getByRole('listitem')).toHaveCount(Number(stored!.events));
  await expect(sheet.getByTestId('timeline').getByRole('listitem').last()).toContainText(stored!.status);
  const amount = await sql.one<string>('SELECT sum(qty * price)::bigint FROM trade.executions WHERE order_id = $1', [filled.id]);
  await expect(sheet.getByTestId('fills')).toContainText(won(Number(amount)));
  await expect(sheet.getByTestId('inputs').locator('[data-input=asked_by]')).toContainText('e2e');
  const row = page.locator(`[role=row][data-key="${filled.id}"]`);
  await expect(row).toContainText('7 / 7');
  await expect(row).toContainText(won(filled.limit));
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await page.getByRole('searchbox').fill(filled.id);
  await expect(page.locator('[role=row][data-key]')).toHaveCount(1);
  await expectFitsPhone(page);
  await page.locator(`[role=row][data-key="${filled.id}"]`).click();
  await expect(sheet).toBeVisible();
  await expectFitsPhone(page);
});

test('an order that waits appears by itself and is approved, cancelled and rejected', async ({ page, open, sql }) => {
  await open('/orders/');
  const approved = await order(sql, 1, ['PENDING_APPROVAL']);
  const waits = page.getByTestId(`waits-${approved.id}`);
  await expect(waits).toBeVisible();
  await waits.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('textbox', { name: 'Reason' }).fill('looks right');
  await page.getByTestId('confirm').click();
  await expect(waits).toBeHidden();
  await expect
    .poll(() => sql.one<string>("SELECT reason FROM trade.order_requests WHERE order_id = $1 AND kind = 'APPROVE'", [approved.id]))
    .toBe('looks right');
  await expect
    .poll(() => sql.one<string>("SELECT count(*) FROM trade.order_events WHERE order_id = $1 AND code = 'APPROVED'", [approved.id]))
    .toBe('1');

  await page.locator(`[role=row][data-key="${approved.id}"]`).click();
  const sheet = page.getByTestId('order-sheet');
  await sheet.getByRole('button', { name: 'Cancel order' }).click();
  await page.getByTestId('confirm').click();
  await expect(sheet.getByTestId('timeline').getByRole('listitem').last()).toContainText('CANCELLED');
  expect(await sql.one('SELECT status FROM trade.orders_now WHERE order_id = $1', [approved.id])).toBe('CANCELLED');

  const rejected = await order(sql, 1, ['PENDING_APPROVAL']);
  await page.getByTestId(`waits-${rejected.id}`).getByRole('button', { name: 'Reject' }).click();
  await page.getByTestId('confirm').click();
  await expect(page.locator(`[role=row][data-key="${rejected.id}"]`)).toContainText('CANCELLED');
  expect(await sql.one("SELECT count(*) FROM trade.order_requests WHERE order_id = $1 AND kind = 'REJECT'", [rejected.id])).toBe('1');
});

test('a purchase by hand becomes one order, which is cancelled', async ({ page, open, sql }) => {
  const limit = await farBelow(sql);
  const name = await sql.one<string>('SELECT name FROM market.stocks WHERE symbol = $1', [SYMBOL]);
  await open('/orders/');
  await page.keyboard.press('b');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox').fill(SYMBOL);
  await dialog.getByRole('option', { name }).click();
  await dialog.getByRole('button', { name: '+1', exact: true }).click();
  await dialog.getByRole('textbox', { name: 'Limit price' }).fill(String(limit));
  await expect(dialog.getByTestId('buy-total')).toHaveText(won(limit));
  await expectAccessible(page);
  await dialog.getByTestId('buy-review').click();
  await dialog.getByTestId('buy-confirm').dblclick();
  const outcome = dialog.getByTestId('buy-outcome');
  await expect(outcome).toHaveAttribute('data-state', 'ORDERED', { timeout: 20_000 });
  const request = await outcome.getAttribute('data-request');
  const [entry] = await sql.rows<{ qty: string; limit_price: string; order_id: string }>(
    'SELECT qty, limit_price, order_id FROM trade.manual_entries WHERE request_id = $1',
    [request],
  );
  expect([entry?.qty, Number(entry?.limit_price)]).toEqual(['1', limit]);
  await dialog.getByTestId('buy-show').click();
  const sheet = page.getByTestId('order-sheet');
  await expect(sheet).toContainText(name);
  await sheet.getByRole('button', { name: 'Cancel order' }).click();
  await page.getByTestId('confirm').click();
  await expect(sheet.getByTestId('timeline').getByRole('listitem').last()).toContainText('CANCELLED');
  expect(await sql.one('SELECT status FROM trade.orders_now WHERE order_id = $1', [entry?.order_id])).toBe('CANCELLED');
});
