/**
 * A picture of every page, dark and light, desktop and phone.
 *
 *   TURNSTILE_URL=http://127.0.0.1:PORT PICTURES=folder node e2e/pictures.mjs [page…]
 *
 * PICTURES_LANGUAGE=ko takes them in Korean. CHROMIUM names the browser if it is not /usr/bin/chromium.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from '@playwright/test';

const { TURNSTILE_URL: base, PICTURES: folder, PICTURES_LANGUAGE: language = 'en', CHROMIUM } = process.env;
if (!base || !folder) {
  console.error('usage: TURNSTILE_URL=… PICTURES=folder node e2e/pictures.mjs [page…]');
  process.exit(2);
}
const wanted = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
/** For prices, and for what a page reads after it has come up. */
const SETTLE_MS = 2_500;

const browser = await chromium.launch({
  executablePath: CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
});

/** The pages of the menu, and one position. */
async function pages() {
  const page = await browser.newPage();
  await page.goto(base);
  const links = page.locator('nav').first().locator('a[href^="/"]');
  await links.first().waitFor();
  const paths = [...new Set(await links.evaluateAll((all) => all.map((link) => link.getAttribute('href'))))];
  const { data } = await (await fetch(new URL('/api/v1/positions', base))).json();
  await page.close();
  const named = paths.map((path) => [path.replaceAll('/', '') || 'desk', path]);
  return data.length === 0 ? named : [...named, ['position', `/position/?id=${data[0].position_id}`]];
}

for (const [name, path] of await pages()) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const theme of ['dark', 'light']) {
    for (const [device, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport, deviceScaleFactor: device === 'phone' ? 2 : 1 });
      await context.addInitScript(
        (kept) => localStorage.setItem('turnstile.preferences', kept),
        JSON.stringify({ language, theme, colours: 'korean' }),
      );
      const page = await context.newPage();
      await page.goto(new URL(path, base).href);
      await page.getByTestId('mode').waitFor();
      await page.waitForTimeout(SETTLE_MS);
      await page.screenshot({ path: join(folder, `${name}-${theme}-${device}.png`) });
      await context.close();
    }
  }
  console.log(`ok  ${name}`);
}
await browser.close();
