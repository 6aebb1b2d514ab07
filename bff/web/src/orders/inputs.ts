/**
 * The inputs of a decision as the engine has stored them, in groups that a person reads. What this page does
 * not know by name is kept under its own: every input is shown.
 */

import { divideHalfEven } from '../money/decimal';
import { formatBasisPoints, UNKNOWN } from '../money/format';
import { groupDecimal, seoulTime } from './figures';

export type Kind = 'price' | 'count' | 'time' | 'millionths' | 'position' | 'day' | 'flag' | 'word' | 'other';

export const GROUPS = ['price', 'position', 'entry', 'tape', 'control', 'asked', 'more'] as const;

export type Group = (typeof GROUPS)[number];

export interface Input {
  name: string;
  kind: Kind;
  value: unknown;
}

const KINDS: Record<string, readonly [Group, Kind]> = {
  last: ['price', 'price'],
  bid: ['price', 'price'],
  price: ['price', 'price'],
  tick: ['price', 'time'],
  time: ['price', 'time'],
  prev_close: ['price', 'price'],
  atr_pct_millionths: ['price', 'millionths'],
  position: ['position', 'position'],
  symbol: ['position', 'word'],
  phase: ['position', 'word'],
  remaining: ['position', 'count'],
  available: ['position', 'count'],
  original_qty: ['position', 'count'],
  avg_price: ['position', 'price'],
  high_water_mark: ['position', 'price'],
  high_water_tick: ['position', 'time'],
  floor: ['position', 'price'],
  entry: ['position', 'time'],
  cycle: ['position', 'count'],
  position_mode: ['position', 'word'],
  position_version: ['position', 'count'],
  mode: ['control', 'word'],
  mode_since: ['control', 'time'],
  profile: ['control', 'word'],
  profile_version: ['control', 'count'],
  profile_level: ['control', 'word'],
  exit_price: ['entry', 'price'],
  exit: ['entry', 'time'],
  exit_reason: ['entry', 'word'],
  prior_hwm: ['entry', 'price'],
  rule: ['entry', 'word'],
  regime: ['entry', 'word'],
  is_regime_known: ['entry', 'flag'],
  entries_today: ['entry', 'count'],
  entries_of_week: ['entry', 'count'],
  cooldown_until: ['entry', 'time'],
  reached_since: ['entry', 'time'],
  ranked_as_of: ['entry', 'day'],
  recent_volume: ['tape', 'count'],
  base_volume: ['tape', 'count'],
  swing_high: ['tape', 'price'],
  rising: ['tape', 'count'],
  range: ['tape', 'other'],
  request_id: ['asked', 'word'],
  asked_by: ['asked', 'word'],
  reason: ['asked', 'word'],
  strategy: ['asked', 'word'],
};

/** Shown in parts of their own. */
const APART: readonly string[] = ['rules', 'orders', 'runs'];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Inputs that are objects of inputs: the tape of a re-entry, the request of a purchase by hand. */
function flat(explanation: Record<string, unknown>): (readonly [string, unknown])[] {
  return Object.entries(explanation).flatMap(([name, value]) =>
    (name === 'tape' || name === 'manual') && isRecord(value) ? Object.entries(value) : [[name, value] as const],
  );
}

/** Returns the inputs of `explanation` by group, in the order in which they are explained. */
export function groupsOf(explanation: Record<string, unknown>): { group: Group; inputs: Input[] }[] {
  const order = Object.keys(KINDS);
  const inputs = flat(explanation)
    .filter(([name]) => !APART.includes(name))
    .map(([name, value]) => {
      const [group, kind] = KINDS[name] ?? (['more', 'other'] as const);
      return { group, name, kind, value };
    })
    .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return GROUPS.map((group) => ({ group, inputs: inputs.filter((input) => input.group === group) })).filter(
    (part) => part.inputs.length > 0,
  );
}

/** One rule of the profile that was in force: its thresholds by name. */
export interface RuleInput {
  name: string;
  terms: (readonly [string, string])[];
}

/** Terms of a rule that are parts of one. */
const RATIOS: readonly string[] = ['pnl', 'pct', 'qty', 'min', 'max', 'floor', 'change', 'gain', 'give_back'];

function termOf(name: string, value: unknown): string {
  if (typeof value === 'number' && RATIOS.includes(name)) {
    const points = divideHalfEven(BigInt(Math.round(value * 1_000_000)), 100n);
    const text = formatBasisPoints(points);
    return name === 'pnl' || name === 'change' ? text : text.replace('+', '');
  }
  if (typeof value === 'boolean') return value ? '✓' : '✗';
  return typeof value === 'string' || typeof value === 'number' ? groupDecimal(String(value)) : JSON.stringify(value);
}

/** Returns the rules of the profile; a scaling limit of zero is none. */
export function rulesOf(explanation: Record<string, unknown>): RuleInput[] {
  const { rules } = explanation;
  if (!isRecord(rules)) return [];
  return Object.entries(rules).map(([name, terms]) => ({
    name,
    terms: isRecord(terms)
      ? Object.entries(terms)
          .filter(([term, value]) => !((term === 'min' || term === 'max') && value === 0))
          .map(([term, value]) => [term, termOf(term, value)] as const)
      : [['', termOf('', terms)] as const],
  }));
}

const FIRED: Record<string, string> = {
  HARDSTOP: 'hard_stop',
  STOP_FLOOR: 'tp1',
  TRAIL_PARTIAL: 'trail',
};

/** Returns the name in the profile of the rule that a reason belongs to. */
export function ruleOfReason(reason: string): string {
  return FIRED[reason] ?? reason.toLowerCase();
}

/** What was known of another order when it was decided. */
export interface KnownOrder {
  key: string;
  reason: string;
  status: string;
  filled: number;
  qty: number;
}

/** Returns the other orders that the decision took account of. */
export function ordersOf(explanation: Record<string, unknown>): KnownOrder[] {
  const { orders } = explanation;
  if (!Array.isArray(orders)) return [];
  return orders.filter(isRecord).map((order) => ({
    key: String(order.action_key),
    reason: String(order.reason),
    status: String(order.status),
    filled: Number(order.filled),
    qty: Number(order.qty),
  }));
}

/** A breach that must hold for a while before its trigger fires. */
export interface BreachRun {
  name: string;
  isConfirmed: boolean;
}

export function runsOf(explanation: Record<string, unknown>): BreachRun[] {
  const { runs } = explanation;
  if (!isRecord(runs)) return [];
  return Object.entries(runs).flatMap(([name, run]) => (isRecord(run) ? [{ name, isConfirmed: run.is_confirmed === true }] : []));
}

/** Returns an input as text, in Seoul time and grouped digits. */
export function textOf({ kind, value }: Input): string {
  if (value === null || value === undefined || value === '') return UNKNOWN;
  switch (kind) {
    case 'time':
      return typeof value === 'number' ? seoulTime(BigInt(value)).slice(0, 23).replace('T', ' ') : String(value);
    case 'day':
      return typeof value === 'number' ? new Date(value * 86_400_000).toISOString().slice(0, 10) : String(value);
    case 'millionths':
      return typeof value === 'number' ? formatBasisPoints(divideHalfEven(BigInt(value), 100n)).replace('+', '') : String(value);
    case 'flag':
      return value === true ? '✓' : '✗';
    case 'price':
    case 'count':
      return groupDecimal(String(value));
    case 'word':
    case 'position':
      return String(value);
    case 'other':
      if (Array.isArray(value)) return value.length === 0 ? UNKNOWN : value.map((one) => textOf({ name: '', kind: 'other', value: one })).join(' – ');
      return typeof value === 'object' ? JSON.stringify(value) : groupDecimal(String(value));
  }
}
