import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

// Several parts are looked at for accessibility, one after the other.
test.setTimeout(150_000);

interface Made {
  account: string;
  days: string[];
  equities: number[];
}

/** An account of its own that was told of on six sessions long ago, so that it is nobody's default. */
async function make(sql: Sql): Promise<Made> {
  const count = await sql.one<string>(`SELECT count(*) FROM trade.account_equity WHERE account_id LIKE 'E2E-PERF-%'`);
  const account = `E2E-PERF-${Number(count) + 1}`;
  const rows = await sql.rows<{ day: string }>('SELECT day::text FROM market.calendar_days WHERE is_open ORDER BY day LIMIT 6');
  const days = rows.map(({ day }) => day);
  const equities = [100_000_000, 101_500_000, 100_200_000, 103_000_000, 102_400_000, 104_250_000];
  for (const [n, day] of days.entries()) {
    await sql.rows(
      `INSERT INTO trade.account_equity (account_id, equity, cash, asof_ts) VALUES ($1, $2, $2, ($3 || ' 15:40:00+09')::timestamptz)
       ON CONFLICT (account_id) DO UPDATE SET equity = excluded.equity, cash = excluded.cash, asof_ts = excluded.asof_ts`,
      [account, equities[n], day],
    );
  }
  return { account, days, equities };
}

/** A ratio as the page shows it. */
function percent(value: string): string {
  const shown = Number(value).toFixed(2);
  return `${Number(shown) > 0 ? '+' : ''}${shown.replace('-', '−')} %`;
}

test('the figures of an account are those of the database, and follow it', async ({ page, open, sql }) => {
  const { account, days } = await make(sql);
  await open(`/performance/?account=${account}&period=ALL&tab=days`);

  const equityOf = (day: string) => sql.one<string>('SELECT equity::bigint FROM trade.equity_days WHERE account_id = $1 AND day = $2::date', [account, day]);
  const last = days.at(-1)!;
  await expect(page.getByTestId('equity')).toHaveText(Number(await equityOf(last)).toLocaleString('en-US'));
  const total = await sql.one<string>(
    `SELECT round((max(equity) FILTER (WHERE day = $2::date) / max(equity) FILTER (WHERE day = $3::date) - 1) * 100, 2)
     FROM trade.equity_days WHERE account_id = $1`,
    [account, last, days[0]],
  );
  await expect(page.getByTestId('total-return')).toHaveText(percent(total));
  const third = page.locator(`[data-key="${days[2]}"]`);
  await expect(third).toContainText(Number(await equityOf(days[2]!)).toLocaleString('en-US'));
  await expect(third).toContainText(percent(String((100_200_000 / 101_500_000 - 1) * 100)));
  await expect(page.getByLabel(/Cumulative return and drawdown/)).toBeVisible();
  await expectAccessible(page);

  // The broker tells another equity: nobody reloads the page.
  await sql.rows(`UPDATE trade.account_equity SET equity = 105000000, asof_ts = ($2 || ' 15:50:00+09')::timestamptz WHERE account_id = $1`, [account, last]);
  await expect(page.getByTestId('equity')).toHaveText('105,000,000');
  await expect(page.getByTestId('total-return')).toHaveText('+5.00 %');

  await page.getByRole('tab', { name: 'Attribution' }).click();
  await expect(page.getByText('No position was closed in this period, so there is nothing to attribute.')).toBeVisible();
  await page.getByRole('button', { name: 'Equity', exact: true }).click();
  await expect(page.getByLabel(/^Equity and drawdown/)).toBeVisible();
  await expectFitsPhone(page);
});

test('money that was paid in is entered, and counts for no return', async ({ page, open, sql }) => {
  const { account, days } = await make(sql);
  await open(`/performance/?account=${account}&period=ALL&tab=flows`);
  await expect(page.getByTestId('total-return')).toHaveText('+4.25 %');

  await page.getByTestId('enter-flow').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Amount').fill('much');
  await expect(dialog.getByText('An amount above 0')).toBeVisible();
  await expect(dialog.getByTestId('confirm')).toBeDisabled();
  await dialog.getByLabel('Amount').fill('1,500,000');
  await dialog.getByLabel('Day').fill(days[1]!);
  await dialog.getByLabel('Note').fill('bank transfer');
  await expectAccessible(page);
  await expect(dialog.getByTestId('confirm')).toHaveText('Enter +1,500,000 KRW');
  await dialog.getByTestId('confirm').click();
  await expect(dialog).toBeHidden();

  const [flow] = await sql.rows<{ flow_id: string; amount: string; day: string; note: string }>(
    'SELECT flow_id, amount::bigint, day::text, note FROM trade.cash_flows WHERE account_id = $1',
    [account],
  );
  expect(flow).toMatchObject({ amount: '1500000', day: days[1], note: 'bank transfer' });
  await expect(page.locator(`[data-key="${flow!.flow_id}"]`)).toContainText('+1,500,000');
  await expect(page.getByTestId('flows')).toHaveText('+1,500,000');
  // Day two earned nothing: what it had more was paid in.
  await expect(page.getByTestId('total-return')).not.toHaveText('+4.25 %');
  await expectAccessible(page);
});

test('results of the closed positions are those of the database', async ({ page, open, sql }) => {
  await open('/performance/?period=ALL');
  const account = await page.getByTestId('account').textContent();
  const [closed] = await sql.rows<{ trades: string; result: string }>(
    'SELECT count(*) AS trades, round(coalesce(sum(realized_pnl), 0)) AS result FROM trade.exit_events WHERE account_id = $1',
    [account],
  );
  await expect(page.getByTestId('trades')).toHaveText(Number(closed!.trades).toLocaleString('en-US'));
  await page.getByRole('tab', { name: 'Closed trades' }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: '1M', exact: true }).click();
  await expect(page).toHaveURL(/period=1M/);
  await expectFitsPhone(page);
});
