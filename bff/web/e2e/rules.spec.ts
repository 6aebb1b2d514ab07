import type { Page } from '@playwright/test';

import { expect, expectAccessible, expectFitsPhone, test, type Sql } from './rig';

/** A rule that serves nobody: no stock has this code. */
const RULE = 'e2e-rules';
const KEY = 'E2ERULES';
const NEW_KEY = 'E2ENEW';

const STORED = { hard_stop: { pnl: -0.08 }, sl1: { pnl: -0.031, qty: 0.4 }, tp1: { pnl: 0.065, qty: 0.25, floor: 0.004 } };

interface Row extends Record<string, unknown> {
  version: number;
  reason: string | null;
  rules: Record<string, Record<string, unknown> | undefined>;
}

async function row(sql: Sql, id = RULE): Promise<Row> {
  const [found] = await sql.rows<Row>('SELECT version, reason, rules FROM trade.exit_rules WHERE rule_id = $1', [id]);
  if (found === undefined) throw new Error(`there is no rule ${id}`);
  return found;
}

/** Confirms the dialog once the engine has answered. */
async function save(page: Page, reason: string): Promise<void> {
  await page.getByTestId('save').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByTestId('reason').fill(reason);
  await expect(dialog.getByTestId('preview-count')).toBeVisible();
  await dialog.getByTestId('confirm').click();
  await expect(dialog).toBeHidden();
}

test.beforeEach(async ({ sql }) => {
  await sql.rows(
    `INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
     VALUES ($1, 'SYMBOL', $2, 'of the test', $3, 'e2e')
     ON CONFLICT (rule_id) DO UPDATE SET rules = excluded.rules, name = excluded.name, is_active = true`,
    [RULE, KEY, STORED],
  );
  await sql.rows("DELETE FROM trade.exit_rules WHERE rule_id = 'symbol-e2enew'");
});

test('rules are those of the database, and follow it', async ({ page, open, sql }) => {
  await open(`/rules/?rule=${RULE}`);
  const stored = await row(sql);
  await expect(page.getByTestId('version')).toHaveText(String(stored.version));
  await expect(page.getByTestId('field-sl1.pnl')).toHaveValue('-3.1');
  expect(stored.rules.sl1?.pnl).toBe(-0.031);
  await expect(page.getByTestId(`rule-${RULE}`)).toContainText('Hard −8 % · SL −3.1 % · TP +6.5 %');
  // Positions come and go meanwhile.
  await expect(async () => {
    const [serving] = await sql.rows<{ id: string; count: string }>(
      'SELECT profile_id AS id, count(*) AS count FROM trade.position_rules GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
    );
    if (serving === undefined) await expect(page.getByTestId(/^live-/)).toHaveCount(0);
    else await expect(page.getByTestId(`live-${serving.id}`)).toHaveText(`${serving.count} live`, { timeout: 1_000 });
  }).toPass();

  await sql.rows(`UPDATE trade.exit_rules SET rules = jsonb_set(rules, '{sl1,pnl}', '-0.027') WHERE rule_id = $1`, [RULE]);
  await expect(page.getByTestId('field-sl1.pnl')).toHaveValue('-2.7');
  await expect(page.getByTestId('version')).toHaveText(String((await row(sql)).version));
  await expectAccessible(page);
  await page.getByRole('tab', { name: 'JSON' }).click();
  await expect(page.getByTestId('json')).toHaveValue(/"sl1": \{ "pnl": -0.027, "qty": 0.4 \}/);
  await expectAccessible(page);
  await expectFitsPhone(page);
});

test('a mistake is said while it is typed, on the form and in JSON', async ({ page, open }) => {
  await open(`/rules/?rule=${RULE}`);
  await page.getByTestId('field-sl1.pnl').fill('3');
  await expect(page.getByTestId('section-sl1')).toContainText('Above −50 % and at most 0 %.');
  await expect(page.getByTestId('save')).toBeDisabled();
  await page.getByTestId('field-sl1.pnl').fill('-3');
  await expect(page.getByTestId('save')).toBeEnabled();
  await page.getByRole('tab', { name: 'JSON' }).click();
  await page.getByTestId('json').fill('{ "sl1": { "pnl": -0.03, "qyt": 1 } }');
  await expect(page.getByTestId('editor')).toContainText('sl1.qyt No rule has this key.');
  await page.getByTestId('json').fill('{ "sl1": ');
  await expect(page.getByTestId('editor')).toContainText('No JSON yet');
  await expect(page.getByTestId('save')).toBeDisabled();
  await page.getByTestId('discard').click();
  await page.getByRole('tab', { name: 'Form' }).click();
  await expect(page.getByTestId('field-sl1.pnl')).toHaveValue('-3.1');
});

test('the engine says what would sell, and nothing is sold by asking', async ({ page, open, sql }) => {
  const [served] = await sql.rows<{ id: string }>(
    `SELECT profile_id AS id FROM trade.position_rules JOIN trade.positions p USING (position_id)
     WHERE p.status = 'OPEN' AND p.exit_mode = 'ENABLED' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
  );
  test.skip(served === undefined, 'no position is live');
  const id = served?.id ?? '';
  const before = await row(sql, id);
  await open(`/rules/?rule=${encodeURIComponent(id)}`);
  await page.getByTestId('add-custom').click();
  const custom = page.getByTestId(/^field-custom\[\d+\]\.pnl$/).last();
  await custom.fill('-49.5');
  await expect(page.getByTestId('preview-count')).not.toHaveAttribute('data-count', '0');
  await expect(page.getByTestId('preview')).toContainText('custom-1');
  await page.getByTestId('save').click();
  await expect(page.getByTestId('confirm')).toBeDisabled();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByTestId('discard').click();
  await expect(page.getByTestId('changes')).toHaveCount(0);
  expect((await row(sql, id)).version).toBe(before.version);
});

test('a change is saved with its reason', async ({ page, open, sql }) => {
  await open(`/rules/?rule=${RULE}`);
  const before = await row(sql);
  await page.getByTestId('field-sl1.pnl').fill('-2.5');
  await page.getByRole('switch', { name: 'Trailing', exact: true }).click();
  await expect(page.getByTestId('changes')).toContainText('Stop 1 · Return');
  await save(page, 'tighter for the test');
  await expect(page.getByTestId('version')).toHaveText(String(before.version + 1));
  const after = await row(sql);
  expect(after).toMatchObject({
    version: before.version + 1,
    reason: 'tighter for the test',
    rules: { sl1: { pnl: -0.025, qty: 0.4 }, trail: { pct: 0.03 }, tp1: STORED.tp1 },
  });
});

test('what somebody else saves meanwhile is shown, and both stay', async ({ page, open, sql }) => {
  await open(`/rules/?rule=${RULE}`);
  await page.getByTestId('field-sl1.pnl').fill('-2.2');
  await sql.rows(
    `UPDATE trade.exit_rules SET rules = jsonb_set(rules, '{hard_stop,pnl}', '-0.09'), updated_by = 'somebody' WHERE rule_id = $1`,
    [RULE],
  );
  const conflict = page.getByTestId('conflict');
  await expect(conflict).toContainText('somebody saved version');
  await expect(conflict).toContainText('−9 %');
  await expect(page.getByTestId('save')).toBeDisabled();
  await page.getByTestId('keep-mine').click();
  await expect(conflict).toBeHidden();
  await save(page, 'both');
  await expect(page.getByTestId('discard')).toBeDisabled();
  expect((await row(sql)).rules).toMatchObject({ sl1: { pnl: -0.022 }, hard_stop: { pnl: -0.09 } });
});

test('an override is made from the address of a stock, and the lookup names the rule that serves', async ({ page, open, sql }) => {
  await open(`/rules/?symbol=${NEW_KEY}`);
  await expect(page.getByTestId('rule-id')).toHaveValue('symbol-e2enew');
  await page.getByTestId('name').fill('made by the test');
  await save(page, 'a new one');
  await expect(page).toHaveURL(/rule=symbol-e2enew/);
  await expect(page.getByTestId('rule-symbol-e2enew')).toContainText('made by the test');
  expect(await sql.one("SELECT scope_key FROM trade.exit_rules WHERE rule_id = 'symbol-e2enew'")).toBe(NEW_KEY);
  await sql.rows("DELETE FROM trade.exit_rules WHERE rule_id = 'symbol-e2enew'");
  await expect(page.getByTestId('rule-symbol-e2enew')).toHaveCount(0);

  const [position] = await sql.rows<{ id: string; rule: string }>('SELECT position_id AS id, profile_id AS rule FROM trade.position_rules LIMIT 1');
  if (position !== undefined) {
    await page.getByTestId('lookup-position').selectOption(position.id);
    await expect(page.getByTestId('resolution').getByRole('link').first()).toHaveText(position.rule);
  }
  await expectFitsPhone(page);
});
