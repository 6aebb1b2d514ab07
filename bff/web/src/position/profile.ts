/** The values of an exit rule, as they are stored: what is absent is off. */

import { z } from 'zod';

const ratio = z.number().nullish();
const zScaled = z.object({ pnl: ratio, min: ratio, max: ratio, qty: ratio }).nullish();

export const zProfile = z.object({
  atr: z.object({ ref: ratio, factor_min: ratio, factor_max: ratio }).nullish(),
  hard_stop: z.object({ pnl: ratio }).nullish(),
  gap_down: z.object({ change: ratio, window_s: ratio }).nullish(),
  sl1: zScaled,
  sl2: zScaled,
  break_even: z.object({ trigger: ratio, buffer: ratio }).nullish(),
  tp1: z.object({ pnl: ratio, min: ratio, max: ratio, qty: ratio, floor: ratio }).nullish(),
  tp2: zScaled,
  tp3: z.object({ pnl: ratio, min: ratio, max: ratio, qty: ratio, start_trailing: z.boolean().nullish() }).nullish(),
  trail: z.object({ pct: ratio, atr_k: ratio, qty: ratio }).nullish(),
  time: z.object({ max_hold_days: ratio, no_momentum_days: ratio, no_momentum_profit: ratio }).nullish(),
  custom: z
    .array(
      z.object({
        id: z.string(),
        enabled: z.boolean().nullish(),
        condition: z.string(),
        pnl: ratio,
        qty: ratio,
        base: z.string().nullish(),
      }),
    )
    .nullish(),
});

export type Profile = z.infer<typeof zProfile>;

/** What a rule sells: a part of the shares held, or of those at entry. */
export interface Part {
  ratio: number;
  of: 'REMAINING' | 'ORIGINAL';
}

/** One rule of a profile that is on. */
export interface Rule {
  /** As in the reasons of orders. */
  reason: string;
  /** Of a custom rule. */
  ruleId: string | null;
  /** Its threshold as a ratio: of the cost, for trailing of the high-water mark. Null for one of time. */
  threshold: number | null;
  sells: Part;
}

function isOn(value: number | null | undefined): value is number {
  return value != null && value !== 0;
}

const ALL: Part = { ratio: 1, of: 'REMAINING' };

/** Returns the rules that are on, in the priority of the engine. */
export function rulesOf(profile: Profile): Rule[] {
  const { hard_stop, gap_down, sl1, sl2, break_even, tp1, tp2, tp3, trail, time, custom } = profile;
  const rules: Rule[] = [];
  const add = (reason: string, threshold: number | null, sells: Part, ruleId: string | null = null) =>
    rules.push({ reason, ruleId, threshold, sells });
  const part = (ratioSold: number, of: Part['of']): Part => ({ ratio: ratioSold, of });
  if (isOn(hard_stop?.pnl)) add('HARDSTOP', hard_stop.pnl, ALL);
  if (isOn(gap_down?.change)) add('GAP_DOWN', gap_down.change, ALL);
  const sl2Qty = sl2?.qty ?? 1;
  if (isOn(sl2?.pnl) && isOn(sl2Qty)) add('SL2', sl2.pnl, part(sl2Qty, 'REMAINING'));
  if (isOn(tp1?.floor)) add('STOP_FLOOR', tp1.floor, ALL);
  if (isOn(break_even?.trigger)) add('BREAK_EVEN', break_even.buffer ?? 0, ALL);
  if (isOn(sl1?.pnl) && isOn(sl1.qty)) add('SL1', sl1.pnl, part(sl1.qty, 'REMAINING'));
  for (const rule of custom ?? []) {
    if (rule.enabled === false || !isOn(rule.pnl) || !isOn(rule.qty)) continue;
    const reason = rule.condition === 'profit_above' ? 'CUSTOM_PROFIT' : 'CUSTOM_LOSS';
    add(reason, rule.pnl, part(rule.qty, rule.base === 'ORIGINAL' ? 'ORIGINAL' : 'REMAINING'), rule.id);
  }
  const takes = [['TP1', tp1], ['TP2', tp2], ['TP3', tp3]] as const;
  for (const [reason, take] of takes) {
    if (isOn(take?.pnl) && isOn(take.qty)) add(reason, take.pnl, part(take.qty, 'ORIGINAL'));
  }
  if (isOn(trail?.qty) && (isOn(trail.pct) || isOn(trail.atr_k))) {
    const gap = trail.pct == null ? null : -trail.pct;
    add('TRAIL_PARTIAL', gap, part(trail.qty, 'REMAINING'));
    add('TRAIL', gap, part(trail.qty, 'REMAINING'));
  }
  if (isOn(time?.max_hold_days) || isOn(time?.no_momentum_days)) add('TIME', null, ALL);
  return rules;
}

/** Returns the shares that `part` comes to: rounded up, at least one, at most those held. */
export function sharesOf(part: Part, held: number, original: number): number {
  const base = part.of === 'ORIGINAL' ? original : held;
  // Ratios have at most six places: whole numbers keep 0.1 of 30 at 3.
  const millionths = Math.round(part.ratio * 1_000_000) * base;
  return Math.min(held, Math.max(1, Math.ceil(millionths / 1_000_000)));
}

const NAMED = ['HARDSTOP', 'GAP_DOWN', 'SL2', 'STOP_FLOOR', 'BREAK_EVEN', 'SL1', 'CUSTOM', 'TP1', 'TP2', 'TP3', 'TRAIL', 'TIME'];

/** Returns the names of what is off. */
export function offIn(rules: readonly Rule[]): string[] {
  return NAMED.filter((name) => !rules.some(({ reason }) => reason.startsWith(name)));
}
