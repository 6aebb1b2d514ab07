/** The object of an exit rule: its sections, their fields, and what each may hold. */

import type { Unit } from './numbers';

/** Rules as they are stored. What is absent is off. */
export type Rules = Readonly<Record<string, unknown>>;

/**
 * What a field may hold. Stop: −0.5 < x ≤ 0. Profit: 0 ≤ x < 0.5. Either: |x| < 0.5. Share: 0 to 1.
 * Factor: 0 to 1,000. Whole: 0 to 100,000.
 */
export type Range = 'stop' | 'profit' | 'either' | 'share' | 'factor' | 'whole' | 'flag';

export interface Field {
  key: string;
  range: Range;
  unit: Unit;
  /** What counts where it is absent. */
  absent: number | boolean;
}

const field = (key: string, range: Range, unit: Unit = '%', absent: number | boolean = 0): Field => ({ key, range, unit, absent });

const scaled = (range: Range, qty = 0): Field[] => [
  field('pnl', range),
  field('qty', 'share', '%', qty),
  field('min', 'either'),
  field('max', 'either'),
];

/** Every section but the custom rules, in the order in which the engine judges them. */
export const SECTIONS = {
  hard_stop: [field('pnl', 'stop')],
  gap_down: [field('change', 'stop'), field('window_s', 'whole', 's', 30)],
  sl2: scaled('stop', 1),
  break_even: [field('trigger', 'profit'), field('buffer', 'profit')],
  sl1: scaled('stop'),
  tp1: [...scaled('profit'), field('floor', 'profit')],
  tp2: scaled('profit'),
  tp3: [...scaled('profit'), field('start_trailing', 'flag', '%', true)],
  trail: [field('pct', 'profit'), field('qty', 'share'), field('atr_k', 'factor', '×')],
  time: [field('max_hold_days', 'whole', 'd'), field('no_momentum_days', 'whole', 'd'), field('no_momentum_profit', 'profit')],
  atr: [field('ref', 'factor'), field('factor_min', 'factor', '×', 1), field('factor_max', 'factor', '×', 1)],
} as const satisfies Record<string, readonly Field[]>;

export type SectionId = keyof typeof SECTIONS;

export const SECTION_IDS = Object.keys(SECTIONS) as SectionId[];

export const CUSTOM_KEYS = ['id', 'enabled', 'condition', 'pnl', 'qty', 'base'] as const;

type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a section, undefined where it is off or no object. */
export function sectionOf(rules: Rules, id: SectionId): Json | undefined {
  const section = rules[id];
  return isObject(section) ? section : undefined;
}

/** Returns a number of a section, what counts where it is absent, and undefined where it is no number. */
export function numberOf(rules: Rules, id: SectionId, key: string): number | undefined {
  const section = sectionOf(rules, id);
  if (section === undefined) return undefined;
  const absent = (SECTIONS[id] as readonly Field[]).find((one) => one.key === key)?.absent;
  const value = section[key] ?? absent;
  return typeof value === 'number' ? value : undefined;
}

/** Returns the custom rules that are objects, with their places. */
export function customOf(rules: Rules): readonly (readonly [number, Json])[] {
  if (!Array.isArray(rules.custom)) return [];
  return rules.custom.map((rule: unknown, at) => [at, rule] as const).filter((pair): pair is [number, Json] => isObject(pair[1]));
}

/** Whether a section that is there does something: without a threshold or a quantity it is off. */
export function hasEffect(rules: Rules, id: SectionId): boolean {
  const is = (key: string) => (numberOf(rules, id, key) ?? 0) !== 0;
  switch (id) {
    case 'hard_stop':
      return is('pnl');
    case 'gap_down':
      return is('change');
    case 'break_even':
      return is('trigger');
    case 'trail':
      return (is('pct') || is('atr_k')) && is('qty');
    case 'time':
      return is('max_hold_days') || (is('no_momentum_days') && is('no_momentum_profit'));
    case 'atr':
      return is('ref') && (numberOf(rules, id, 'factor_min') !== 1 || numberOf(rules, id, 'factor_max') !== 1);
    case 'tp1':
      return (is('pnl') && is('qty')) || is('floor');
    default:
      return is('pnl') && is('qty');
  }
}

/** Returns rules with one field of a section set; undefined removes it. */
export function withField(rules: Rules, id: SectionId, key: string, value: unknown): Rules {
  const section: Record<string, unknown> = { ...sectionOf(rules, id) };
  if (value === undefined) delete section[key];
  else section[key] = value;
  return { ...rules, [id]: section };
}

/** Returns rules with a section, or without it. */
export function withSection(rules: Rules, id: SectionId, section: Json | null): Rules {
  const next: Record<string, unknown> = { ...rules };
  if (section === null) delete next[id];
  else next[id] = section;
  return next;
}

/** Returns rules with these custom rules. */
export function withCustom(rules: Rules, custom: readonly unknown[]): Rules {
  const next: Record<string, unknown> = { ...rules };
  if (custom.length === 0) delete next.custom;
  else next.custom = custom;
  return next;
}
