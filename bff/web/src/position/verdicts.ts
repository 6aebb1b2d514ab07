/** Why each rule of a position sells, or does not. */

import type { z } from 'zod';

import type { zOrder, zRuleLevel } from '../api/generated/zod.gen';
import type { Mode } from '../control/modes';
import { scaled, unitsOf, type Units } from '../money/decimal';
import { sharesOf, type Profile, type Rule } from './profile';

export type Level = z.infer<typeof zRuleLevel>;
export type Order = z.infer<typeof zOrder>;

/** What keeps a rule from selling, apart from the price. */
export type Why =
  /** Nothing does. */
  | { code: 'PRICE' }
  /** It must hold for two checks. */
  | { code: 'TWICE' }
  /** Its turn comes after another rule has sold. */
  | { code: 'AFTER'; reason: string }
  /** The position is past the phases in which it counts. */
  | { code: 'PAST' }
  /** It has sold in this phase, and does so once. */
  | { code: 'SPENT' }
  /** Its order is under way. */
  | { code: 'UNDERWAY'; status: string }
  /** It counts once the high-water mark is at a price. */
  | { code: 'MARK'; price: Units }
  /** Something that its level is made of is not known: the high-water mark, the previous close. */
  | { code: 'NO_MARK' }
  | { code: 'NO_CLOSE' }
  /** It counts in the first seconds of the session. */
  | { code: 'OPENING'; seconds: number }
  /** It sells by the time held. */
  | { code: 'DAYS'; max: number | null; idle: number | null; profit: number | null }
  /** The control mode holds it back. */
  | { code: 'PAUSED'; mode: Mode };

/** Whether a rule can sell now, later, or no more. */
export type Standing = 'ARMED' | 'WAITING' | 'DONE';

export interface Verdict {
  key: string;
  reason: string;
  ruleId: string | null;
  /** Where it fires; null while it has no price. */
  level: Level | null;
  /** Shares it would sell; null where that is not known. */
  shares: number | null;
  standing: Standing;
  why: Why;
}

interface Facts {
  rules: readonly Rule[];
  profile: Profile;
  levels: readonly Level[];
  orders: readonly Order[];
  phase: string;
  mode: Mode | null;
  qty: number;
  originalQty: number;
  average: number;
  hwm: number | null | undefined;
}

const PHASES = ['OPEN', 'TP1_DONE', 'TP2_DONE', 'TP3_DONE', 'TRAILING_ACTIVE'];

/** Phases in which a rule counts, from the first to the last; those not named count in every one. */
const COUNTS: Record<string, readonly [string, string]> = {
  STOP_FLOOR: ['TP1_DONE', 'TRAILING_ACTIVE'],
  BREAK_EVEN: ['OPEN', 'OPEN'],
  SL1: ['OPEN', 'TP2_DONE'],
  CUSTOM_LOSS: ['OPEN', 'TP2_DONE'],
  CUSTOM_PROFIT: ['OPEN', 'TP2_DONE'],
  TP1: ['OPEN', 'OPEN'],
  TP2: ['TP1_DONE', 'TP1_DONE'],
  TP3: ['TP2_DONE', 'TP2_DONE'],
  TRAIL_PARTIAL: ['TP2_DONE', 'TP2_DONE'],
  TRAIL: ['TRAILING_ACTIVE', 'TRAILING_ACTIVE'],
};

const ENDED = ['FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR'];

const PROFITS = ['TP1', 'TP2', 'TP3', 'TRAIL', 'TRAIL_PARTIAL', 'CUSTOM_PROFIT', 'TIME'];

/** Whether the control mode lets an exit of `reason` through. */
function isLetThrough(mode: Mode, reason: string): boolean {
  if (mode === 'PAUSE_ALL') return reason === 'HARDSTOP' || reason === 'MANUAL';
  return mode !== 'PAUSE_PROFIT' || !PROFITS.includes(reason);
}

/** The rule after which `reason` has its turn. */
function before(reason: string, facts: Facts): string {
  if (reason === 'STOP_FLOOR' || reason === 'TP2') return 'TP1';
  if (reason === 'TRAIL' && facts.rules.some((rule) => rule.reason === 'TP3')) return 'TP3';
  return 'TP2';
}

function isSame(level: { reason: string; rule_id?: string | null | undefined }, reason: string, ruleId: string | null): boolean {
  return level.reason === reason && (level.rule_id ?? null) === ruleId;
}

/** What stands in the way of a rule that has a level. */
function hindrance(level: Level, facts: Facts): Why {
  const { reason } = level;
  const own = facts.orders.find((order) => order.reason_code === reason && !ENDED.includes(order.status) && order.side === 'SELL');
  if (own !== undefined && !reason.startsWith('CUSTOM')) return { code: 'UNDERWAY', status: own.status };
  if (facts.mode !== null && !isLetThrough(facts.mode, reason)) return { code: 'PAUSED', mode: facts.mode };
  if (reason === 'GAP_DOWN') return { code: 'OPENING', seconds: facts.profile.gap_down?.window_s ?? 30 };
  if (reason === 'BREAK_EVEN') {
    const average = unitsOf(facts.average);
    const trigger = scaled(facts.profile.break_even?.trigger, 6);
    const mark = unitsOf(facts.hwm);
    if (average !== null && trigger !== null) {
      const arm = average + (average * trigger) / 1_000_000n;
      if (mark === null || mark < arm) return { code: 'MARK', price: arm };
    }
  }
  if (reason === 'STOP_FLOOR' || reason === 'TRAIL' || reason === 'TRAIL_PARTIAL') return { code: 'TWICE' };
  return { code: 'PRICE' };
}

/** Why a rule that is on has no level. */
function absence(rule: Rule, facts: Facts): [Standing, Why] {
  const { reason } = rule;
  if (reason === 'TIME') {
    const { max_hold_days: max, no_momentum_days: idle, no_momentum_profit: profit } = facts.profile.time ?? {};
    if (facts.mode !== null && !isLetThrough(facts.mode, reason)) return ['WAITING', { code: 'PAUSED', mode: facts.mode }];
    return ['WAITING', { code: 'DAYS', max: max || null, idle: idle || null, profit: profit ?? null }];
  }
  if (reason === 'GAP_DOWN') return ['WAITING', { code: 'NO_CLOSE' }];
  const [from, to] = COUNTS[reason] ?? ['OPEN', 'TRAILING_ACTIVE'];
  const phase = PHASES.indexOf(facts.phase);
  if (phase < PHASES.indexOf(from)) return ['WAITING', { code: 'AFTER', reason: before(reason, facts) }];
  if (phase > PHASES.indexOf(to)) return ['DONE', { code: 'PAST' }];
  if (reason.startsWith('TRAIL') && facts.hwm == null) return ['WAITING', { code: 'NO_MARK' }];
  return ['DONE', { code: 'SPENT' }];
}

/** Returns a verdict for every rule that is on, and for every level that the engine has told: the nearest first. */
export function verdictsOf(facts: Facts): Verdict[] {
  const armed = facts.levels.map((level): Verdict => {
    const ruleId = level.rule_id ?? null;
    const rule = facts.rules.find((one) => isSame({ reason: one.reason, rule_id: one.ruleId }, level.reason, ruleId));
    const why = hindrance(level, facts);
    return {
      key: `${level.reason} ${ruleId ?? ''}`,
      reason: level.reason,
      ruleId,
      level,
      shares: rule === undefined ? null : sharesOf(rule.sells, facts.qty, facts.originalQty),
      standing: why.code === 'MARK' || why.code === 'OPENING' ? 'WAITING' : 'ARMED',
      why,
    };
  });
  const others = facts.rules
    .filter((rule) => !facts.levels.some((level) => isSame(level, rule.reason, rule.ruleId)))
    .map((rule): Verdict => {
      const [standing, why] = absence(rule, facts);
      return {
        key: `${rule.reason} ${rule.ruleId ?? ''}`,
        reason: rule.reason,
        ruleId: rule.ruleId,
        level: null,
        shares: standing === 'DONE' ? null : sharesOf(rule.sells, facts.qty, facts.originalQty),
        standing,
        why,
      };
    });
  const place = ({ standing }: Verdict) => (standing === 'DONE' ? 1 : 0);
  return [...armed, ...others.sort((a, b) => place(a) - place(b))];
}
