import { expect, test } from './rig';
import { Server } from './server';

/** What a browser says of a server that is away. */
const AWAY = [/WebSocket connection to/, /ERR_CONNECTION/, /ERR_EMPTY_RESPONSE/, /ERR_INCOMPLETE/, /the server cannot be reached/];

const SET_MODE = `UPDATE trade.exit_control SET mode = $1, reason = 'restart', updated_by = 'e2e'`;

test('the page goes on by itself after a restart of the server', async ({ page, open, sql, expected }) => {
  test.setTimeout(120_000);
  expected.push(...AWAY);
  const server = await Server.make();
  try {
    await server.start();
    await open(`${server.url}/`);
    const link = page.getByTestId('health-strip').first();
    const banner = page.locator('[data-banner=offline]');
    const prices = page.locator('[data-testid=price][data-us]');
    await expect(link).toContainText('live');
    await expect(prices.first()).toBeVisible();
    await expect(page.getByTestId('mode')).toHaveAttribute('data-mode', 'RUNNING');
    await page.evaluate(() => Object.assign(window, { isSamePage: true }));

    await server.stop();
    await expect(banner).toBeVisible({ timeout: 20_000 });
    await expect(page.locator('html')).toHaveAttribute('data-link', 'stale');
    await expect(link).not.toContainText('live');
    await expect(prices.first(), 'what was known stays on the screen').toBeVisible();
    const newest = () => prices.evaluateAll((all) => Math.max(...all.map((price) => Number(price.getAttribute('data-us')))));
    const before = await newest();
    await sql.rows(SET_MODE, ['PAUSE_PROFIT']);

    await server.start();
    await expect(banner).toBeHidden({ timeout: 30_000 });
    await expect(page.locator('html')).toHaveAttribute('data-link', 'live');
    await expect(link).toContainText('live');
    await expect(page.getByTestId('mode'), 'what changed meanwhile').toHaveAttribute('data-mode', 'PAUSE_PROFIT');
    await expect.poll(newest, { message: 'prices move again' }).toBeGreaterThan(before);
    await sql.rows(SET_MODE, ['RUNNING']);
    await expect(page.getByTestId('mode'), 'and what changes now').toHaveAttribute('data-mode', 'RUNNING');
    expect(await page.evaluate(() => 'isSamePage' in window), 'without a reload').toBe(true);
  } finally {
    await sql.rows(SET_MODE, ['RUNNING']);
    await server.end();
  }
});
