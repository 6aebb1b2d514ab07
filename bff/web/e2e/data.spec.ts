import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

/** A job and a stock of the tests alone. */
const JOB = 'browser test';
const SYMBOL = '990098';
/** A day of the calendar that nobody lives to trade on while the tests run. */
const DAY = '2031-03-05';

async function remove(sql: Sql): Promise<void> {
  await sql.rows('DELETE FROM system.job_runs WHERE job = $1', [JOB]);
  await sql.rows('DELETE FROM market.daily_bars WHERE symbol = $1', [SYMBOL]);
  await sql.rows('DELETE FROM market.stocks WHERE symbol = $1', [SYMBOL]);
  await sql.rows("DELETE FROM market.calendar WHERE day = $1 AND source = 'OPERATOR'", [DAY]);
}

async function run(sql: Sql, key: string, status: string, changed: number, reason: string | null): Promise<void> {
  await sql.rows(
    `INSERT INTO system.job_runs (account_id, job, run_key, status, started_ts, ended_ts, fetched, changed, reason)
     VALUES ('browser', $1, $2, $3, clock_timestamp() - interval '67 s', clock_timestamp(), $4 + 1, $4, $5)`,
    [JOB, key, status, changed, reason],
  );
}

test.beforeEach(async ({ sql }) => remove(sql));
test.afterEach(async ({ sql }) => remove(sql));

test('jobs and their runs are what the database has, and follow it', async ({ page, open, sql }) => {
  await run(sql, 'first', 'DONE', 4_321, null);
  await open('/data/');
  const jobs = page.getByRole('table', { name: 'Collection jobs' });
  await expect(jobs.locator(`[data-key="${JOB}"]`)).toContainText('DONE');
  const runs = page.getByRole('table', { name: 'Runs' });
  const first = await sql.one<string>('SELECT run_id FROM system.job_runs WHERE job = $1', [JOB]);
  await expect(runs.locator(`[data-key="${first}"]`)).toContainText('4,321 / 4,322');
  await expect(runs.locator(`[data-key="${first}"]`)).toContainText('1 m 07 s');

  await run(sql, 'second', 'FAILED', 0, 'the broker does not answer');
  await expect(runs).toContainText('the broker does not answer');
  const failed = await sql.one<string>(
    "SELECT count(*) FROM (SELECT status FROM system.job_runs ORDER BY run_id DESC LIMIT 100) AS newest WHERE status = 'FAILED'",
  );
  await expect(page.getByTestId('data-failed')).toHaveText(failed);

  await jobs.locator(`[data-key="${JOB}"]`).click();
  await expect(page).toHaveURL(/job=browser/);
  await expect(page.getByRole('heading', { name: /^Runs of browser test\s*2$/ })).toBeVisible();
  await page.getByRole('button', { name: 'All jobs' }).click();
  await expect(page.getByRole('heading', { name: /^Runs\s*\d/ })).toBeVisible();
  await expectAccessible(page);
});

test('coverage and gaps are what the database has, and follow it', async ({ page, open, sql }) => {
  await sql.rows("INSERT INTO market.stocks (symbol, name, market) VALUES ($1, '빈날시험', 'KOSPI')", [SYMBOL]);
  await open('/data/');
  const coverage = page.getByRole('table', { name: 'Coverage' });
  const [counted] = await sql.rows<{ stocks: string; days: string; last: string }>(
    `SELECT (SELECT count(*) FROM market.stocks) AS stocks, (SELECT count(*) FROM market.calendar) AS days,
         (SELECT max(day) FROM market.calendar)::text AS last`,
  );
  await expect(page.getByTestId('data-stocks')).toHaveText(Number(counted!.stocks).toLocaleString('en-US'));
  await expect(coverage.locator('[data-key="calendar"]')).toContainText(Number(counted!.days).toLocaleString('en-US'));
  await expect(coverage.locator('[data-key="calendar"]')).toContainText(counted!.last);

  // A bar before and after an open day, and none on it.
  const days = await sql.rows<{ day: string }>(
    "SELECT day::text FROM market.calendar_days WHERE is_open AND day < (clock_timestamp() AT TIME ZONE 'Asia/Seoul')::date ORDER BY day DESC LIMIT 3",
  );
  for (const { day } of [days[0]!, days[2]!]) {
    await sql.rows(
      `INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
       VALUES ($1, $2, 1000, 1100, 900, 1050, 10, 10500, 'IMPORT')`,
      [SYMBOL, day],
    );
  }
  await expect(page.locator(`[data-key="${days[1]!.day} ${SYMBOL}"]`)).toBeVisible({ timeout: 30_000 });
});

test('the calendar shows a month, its open days, and where sources differ', async ({ page, open, sql }) => {
  await sql.rows(
    "INSERT INTO market.calendar (day, source, is_open, is_trading_day, is_conflict) VALUES ($1, 'OPERATOR', true, true, false)",
    [DAY],
  );
  await open(`/data/?month=${DAY.slice(0, 7)}`);
  const day = page.getByTestId(`day-${DAY}`);
  await expect(day).toHaveAttribute('data-state', 'open');
  await expect(page.getByTestId('day-2031-03-06')).toHaveAttribute('data-state', 'unknown');
  await day.click();
  await expect(page.getByTestId('calendar-day')).toContainText('OPERATOR');
  await sql.rows("UPDATE market.calendar SET is_open = false, is_conflict = true WHERE day = $1 AND source = 'OPERATOR'", [DAY]);
  await expect(day).toHaveAttribute('data-state', 'closed', { timeout: 20_000 });
  await expect(day).toContainText('Conflict');
  await expect(page.getByText('1 conflict')).toBeVisible();
  await page.getByRole('button', { name: 'Month after' }).click();
  await expect(page).toHaveURL(/month=2031-04/);
  await expectAccessible(page);
});

test('data fits a phone', async ({ page, open }) => {
  await open('/data/', { language: 'ko', theme: 'light' });
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await expectFitsPhone(page);
  await expectAccessible(page);
});
