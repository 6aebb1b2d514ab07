import { expect, test, type Sql } from './rig';
import { countWork, idleFrameMs, mostInASecond, quantile, watch, type Watched } from './watch';

/**
 * The Desk while prices come: its figures are printed. Asserted is only what holds on any machine; with
 * TURNSTILE_LOAD (`scripts/browser-test load`: 2,000 ticks a second, 200 positions) all of it is.
 */
const isLoad = process.env.TURNSTILE_LOAD !== undefined;
const SECONDS = isLoad ? 20 : 5;

/** Rules so wide that nobody sells: the positions stay, and their levels are on the page. */
const WIDE = {
  hard_stop: { pnl: -0.25 },
  sl2: { pnl: -0.2, qty: 1.0 },
  sl1: { pnl: -0.15, qty: 0.5 },
  tp1: { pnl: 0.15, qty: 0.1, floor: 0.006 },
  tp2: { pnl: 0.2, qty: 0.2 },
  tp3: { pnl: 0.25, qty: 0.3, start_trailing: true },
  trail: { pct: 0.1, qty: 0.5 },
};

/** For how long each shown price had a newer one: since the first tick after it, milliseconds. */
async function agesMs(sql: Sql, shown: Watched['shown']): Promise<number[]> {
  const rows = await sql.rows<{ age: number }>(
    `SELECT greatest(0, s.now_us - n.us)::float8 / 1000 AS age
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS s (position_id, now_us, tick_us)
     JOIN trade.positions p USING (position_id)
     LEFT JOIN LATERAL (
         SELECT t.logical_us AS us FROM market.prices t
         WHERE t.symbol = p.symbol AND t.logical_us > s.tick_us
         ORDER BY t.logical_us LIMIT 1
     ) n ON true`,
    [shown.map(({ row }) => row), shown.map(({ nowUs }) => Math.round(nowUs)), shown.map(({ tickUs }) => tickUs)],
  );
  return rows.map(({ age }) => age ?? 0);
}

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;

test('the Desk under load', async ({ page, open, sql }) => {
  test.setTimeout(180_000);
  if (isLoad) await sql.rows('UPDATE trade.exit_rules SET rules = $1', [WIDE]);
  const idleMs = await idleFrameMs(page, isLoad ? 10 : 2);
  await open('/');
  await expect(page.locator('[data-testid=price][data-us]').first()).toBeVisible({ timeout: 20_000 });
  // What loading costs is over.
  await page.waitForTimeout(isLoad ? 10_000 : 2_000);
  const begin = await sql.one<string>('SELECT count(*) FROM market.prices');
  const work = await countWork(page);
  const seen = await watch(page, SECONDS);
  const share = await work();
  const end = await sql.one<string>('SELECT count(*) FROM market.prices');
  const positions = Number(await sql.one<string>(`SELECT count(*) FROM trade.positions WHERE status <> 'CLOSED'`));
  const ages = await agesMs(sql, seen.shown);

  const framesASecond = 1000 / quantile(seen.frames, 0.5);
  const perSecond = Math.max(0, ...Object.values(seen.cells).map((times) => times.length / SECONDS));
  const cellMost = Math.max(0, ...Object.values(seen.cells).map(mostInASecond));
  const rowMost = Math.max(0, ...Object.values(seen.rows).map(mostInASecond));
  const longest = Math.max(0, ...seen.tasks);
  const of = (values: readonly number[]) =>
    `p50 ${quantile(values, 0.5).toFixed(0)}, p99 ${quantile(values, 0.99).toFixed(0)}, max ${Math.max(0, ...values).toFixed(0)} ms`;
  console.log(`  load           ${((Number(end) - Number(begin)) / SECONDS).toFixed(0)} ticks/s stored, ${positions} positions, ${Object.keys(seen.cells).length} rows drawn`);
  console.log(`  frames/s       median ${framesASecond.toFixed(1)} (idle ${(1000 / idleMs).toFixed(1)}), longest ${Math.max(...seen.frames).toFixed(0)} ms`);
  console.log(`  longest task   ${longest === 0 ? 'below 50' : longest.toFixed(0)} ms`);
  console.log(`  main thread    works ${percent(share.work)} of the time: scripts ${percent(share.script)}, styles and layout ${percent(share.style)}`);
  console.log(`  price in page  ${of(seen.delays)} after the engine had it (${seen.delays.length} moves)`);
  console.log(`  price outdated ${of(ages)} (${ages.length} shown prices)`);
  console.log(`  repaints/s     price at most ${cellMost} in any second, ${perSecond.toFixed(1)} on average; row at most ${rowMost}`);

  expect(seen.delays.length, 'prices move').toBeGreaterThan(0);
  expect(cellMost, 'repaints of a price within a second').toBeLessThanOrEqual(10);
  if (!isLoad) return;
  expect(positions).toBeGreaterThanOrEqual(200);
  expect(framesASecond, 'frames a second').toBeGreaterThanOrEqual(30);
  expect(longest, 'the longest task after loading, ms').toBeLessThanOrEqual(200);
  expect(Math.max(...ages), 'how long a shown price was outdated, ms').toBeLessThanOrEqual(500);
  expect(quantile(seen.delays, 0.5), 'from tick to page, median, ms').toBeLessThanOrEqual(200);
  expect(rowMost, 'repaints of a row within a second').toBeLessThanOrEqual(10);
});
