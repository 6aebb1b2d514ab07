/** What every test of the app in a browser has: a page that is watched, and the database beside it. */

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { Client, type QueryResultRow } from 'pg';

/** The database that the server under test reads. */
export interface Sql {
  rows: <R extends QueryResultRow>(text: string, values?: unknown[]) => Promise<R[]>;
  /** The first value of the first row. */
  one: <T>(text: string, values?: unknown[]) => Promise<T>;
}

export interface Preferences {
  language?: 'en' | 'ko';
  theme?: 'dark' | 'light';
}

interface Rig {
  sql: Sql;
  /** Opens a page and waits until it is live. */
  open: (path: string, preferences?: Preferences) => Promise<void>;
  /** Complaints that a test provokes on purpose: those that match are not counted. */
  expected: RegExp[];
  watched: void;
}

export const test = base.extend<Rig>({
  expected: [[], { option: true }],
  sql: async ({}, use) => {
    const url = process.env.DATABASE_URL;
    if (url === undefined) throw new Error('DATABASE_URL must name the database of the server under test');
    const client = new Client({ connectionString: url });
    await client.connect();
    await use({
      rows: async (text, values) => (await client.query(text, values)).rows,
      one: async (text, values) => Object.values((await client.query(text, values)).rows[0] ?? {})[0] as never,
    });
    await client.end();
  },
  open: async ({ page }, use) => {
    await use(async (path, { language = 'en', theme = 'dark' } = {}) => {
      await page.addInitScript(
        ([key, value]) => localStorage.getItem(key!) ?? localStorage.setItem(key!, value!),
        ['turnstile.preferences', JSON.stringify({ language, theme, colours: 'korean' })],
      );
      await page.goto(path);
      await expect(page.getByTestId('mode')).toBeVisible({ timeout: 20_000 });
    });
  },
  // Every test fails with a console error, an error of a script, or a request that failed.
  watched: [
    async ({ page, expected }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
      page.on('requestfailed', (request) => {
        // What a change of page breaks off is no failure.
        const why = request.failure()?.errorText ?? '';
        if (why !== 'net::ERR_ABORTED') complaints.push(`request: ${request.url()} ${why}`);
      });
      page.on('response', (response) => {
        if (response.status() >= 400) complaints.push(`answer: ${response.status()} ${response.url()}`);
      });
      await use();
      const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
      expect(unexpected, 'no console error and no failed request').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Finds nothing serious: labels, contrast, focus. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const said = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`).join('\n')}`);
  expect(said, 'no serious violation of accessibility').toEqual([]);
}

/** The page fits the width of a phone, once what is drawn by its size has been drawn anew. */
export async function expectFitsPhone(page: Page): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = () =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(overflow, { message: 'pixels beyond the width of a phone' }).toBeLessThanOrEqual(0);
}
