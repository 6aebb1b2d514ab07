import { expect, expectAccessible, expectFitsPhone, test } from './rig';

const won = (value: number) => Math.round(value).toLocaleString('en-US');

test('the desk shows what is held, and follows it', async ({ page, open, sql }) => {
  await open('/');
  const rows = page.getByRole('table', { name: 'Positions' }).getByRole('row');
  const held = await sql.rows<{ position_id: string; symbol: string; name: string; qty: string; avg_price: string }>(
    `SELECT p.position_id, p.symbol, s.name, p.qty, p.avg_price FROM trade.positions p JOIN market.stocks s USING (symbol)
     WHERE p.status <> 'CLOSED' ORDER BY p.entry_ts DESC`,
  );
  await expect(page.getByTestId('total-positions')).toHaveText(String(held.length));
  const [one] = held;
  const row = page.locator(`[data-key="${one!.position_id}"]`);
  await expect(row).toContainText(one!.name);
  await expect(row).toContainText(one!.symbol);
  await expect(row).toContainText(won(Number(one!.avg_price)));
  await expect(row.getByTestId('level-marker')).toBeVisible();
  expect(await rows.count()).toBe(held.length + 1);

  // Exits of one are switched off behind the back of the page.
  await sql.rows(`UPDATE trade.positions SET exit_mode = 'MANUAL_ONLY' WHERE position_id = $1`, [one!.position_id]);
  await expect(row).toContainText('exits manual only');
  await sql.rows(`UPDATE trade.positions SET exit_mode = 'ENABLED' WHERE position_id = $1`, [one!.position_id]);
  await expect(row).not.toContainText('exits manual only');
  await expectAccessible(page);
  await expectFitsPhone(page);
});

test('prices move, and the bar of levels with them', async ({ page, open }) => {
  await open('/');
  const prices = page.getByTestId('price');
  await expect(prices.first()).toBeVisible();
  const marker = page.getByTestId('level-marker');
  const before = await prices.evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).dataset.us));
  const places = await marker.evaluateAll((marks) => marks.map((mark) => (mark as HTMLElement).style.transform));
  await expect
    .poll(() => prices.evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).dataset.us)), { timeout: 30_000 })
    .not.toEqual(before);
  await expect
    .poll(() => marker.evaluateAll((marks) => marks.map((mark) => (mark as HTMLElement).style.transform)), { timeout: 30_000 })
    .not.toEqual(places);
});

test('exits are paused and resumed at a press', async ({ page, open, sql }) => {
  const mode = () => sql.one<string>('SELECT mode FROM trade.exit_control');
  await open('/');
  await expect(page.getByTestId('control-state')).toContainText('Running');
  await page.getByTestId('pause').click();
  await expect.poll(mode).toBe('PAUSE_ALL');
  await expect(page.getByTestId('mode')).toHaveText('Pause all');
  await page.getByTestId('pause').click();
  await expect.poll(mode).toBe('RUNNING');
  await expect(page.getByTestId('control-state')).toContainText('Running');

  // A change of somebody else is seen.
  await sql.rows(`UPDATE trade.exit_control SET mode = 'PAUSE_PROFIT', reason = 'browser test', updated_by = 'psql'`);
  await expect(page.getByTestId('control-state')).toContainText('Pause profit');
  await expect(page.getByText('browser test')).toBeVisible();
  await sql.rows(`UPDATE trade.exit_control SET mode = 'RUNNING', reason = 'browser test ended', updated_by = 'psql'`);
  await expect(page.getByTestId('mode')).toHaveText('Running');
});

test('a flatten is asked about, and can be left', async ({ page, open, sql }) => {
  await open('/');
  await page.getByTestId('flatten').click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('cannot be taken back');
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await dialog.getByLabel('Reason').fill('browser test');
  await dialog.getByLabel('Type FLATTEN to confirm').fill('FLAT');
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  expect(await sql.one<string>('SELECT mode FROM trade.exit_control')).toBe('RUNNING');
});

test('a pause of the system is manual mode, and says so on every page', async ({ page, open, sql }) => {
  await open('/');
  await sql.rows(
    `INSERT INTO trade.exit_pauses (reason, message) VALUES ('BROKER_DOWN', 'the broker does not answer: browser test')
     ON CONFLICT (reason) DO NOTHING`,
  );
  const banner = page.locator('[data-banner=manual]');
  await expect(banner).toContainText('Manual mode');
  await expect(banner).toContainText('browser test');
  await expect(page.getByTestId('mode')).toHaveText('Pause all');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page).toHaveURL(/orders/);
  await expect(banner).toBeVisible();
  await sql.rows(`DELETE FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN'`);
  await expect(banner).toBeHidden();
  await expect(page.getByTestId('mode')).toHaveText('Running');
});
