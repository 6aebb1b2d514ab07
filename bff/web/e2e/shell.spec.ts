import { expect, expectAccessible, expectFitsPhone, test } from './rig';

test('the frame is live, changes language and theme, and finds a stock', async ({ page, open, sql }) => {
  await open('/system/');
  await expect(page.getByTestId('health-strip').first()).toContainText('live');
  await expect(page.locator('html')).toHaveAttribute('data-link', 'live');
  await page.getByTestId('preferences').click();
  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.getByRole('link', { name: '데스크' }).first()).toBeVisible();
  await page.getByRole('button', { name: '밝게' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(page.getByRole('link', { name: '데스크' }).first(), 'what is preferred is kept').toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');

  const [stock] = await sql.rows<{ symbol: string; name: string }>(
    'SELECT symbol, name FROM market.stocks WHERE NOT EXISTS (SELECT FROM market.stocks o WHERE o.name LIKE stocks.name || \'_%\') ORDER BY symbol LIMIT 1',
  );
  await page.keyboard.press('/');
  await page.keyboard.type(stock!.name);
  await expect(page.getByRole('option', { name: stock!.name }).first()).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/stocks/\\?symbol=${stock!.symbol}$`));
});

test('every page is reached by keys, and they are told', async ({ page, open }) => {
  await open('/system/');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toContainText('g o');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page).toHaveURL(/\/orders\/$/);
  await expect(page).toHaveTitle('Orders · Turnstile');
  await page.keyboard.press('p');
  await expect(page.getByRole('dialog', { name: 'Mode of the exit engine' })).toBeVisible();
});

test('on a phone the other pages are behind a menu', async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open('/system/');
  await page.getByRole('button', { name: 'More' }).click();
  const menu = page.getByRole('dialog', { name: 'Pages' });
  await expect(menu.getByTestId('health-strip')).toContainText('live');
  await expectAccessible(page);
  await menu.getByRole('link', { name: 'Rules' }).click();
  await expect(page).toHaveURL(/\/rules\/$/);
  await expect(menu).toHaveCount(0);
  await expectFitsPhone(page);
});
