/** Where on the scale of returns rules stand, for the ladder. */

import { textOf } from './numbers';
import { customOf, hasEffect, numberOf, sectionOf, type Rules, type SectionId } from './schema';

export interface Mark {
  id: string;
  label: string;
  /** Return, as a ratio. */
  at: number;
  /** What it sells, 0 to 1; null where it is a guard of the rest. */
  share: number | null;
  /** The range that scaling by volatility may move it in; null where it does not. */
  range: readonly [number, number] | null;
  side: 'loss' | 'gain';
}

/** Where a mark and the next above it would touch they stand in different rows. */
export interface PlacedMark extends Mark {
  /** Pixels from the left. */
  x: number;
  row: number;
}

const LABELS: Partial<Record<SectionId, string>> = { hard_stop: 'HARD', sl2: 'SL2', sl1: 'SL1', tp1: 'TP1', tp2: 'TP2', tp3: 'TP3' };

function rangeOf(rules: Rules, id: SectionId, at: number): readonly [number, number] | null {
  if (id === 'hard_stop' || sectionOf(rules, 'atr') === undefined || !hasEffect(rules, 'atr')) return null;
  const of = (key: string) => Math.abs(numberOf(rules, id, key) ?? 0);
  const factor = (key: string) => numberOf(rules, 'atr', key) ?? 1;
  const bound = (value: number) => {
    const raised = Math.max(value, of('min'));
    return of('max') === 0 ? raised : Math.min(raised, of('max'));
  };
  const ends = [bound(Math.abs(at) * factor('factor_min')), bound(Math.abs(at) * factor('factor_max'))];
  const [near = 0, far = 0] = ends;
  return near === far ? null : [near * Math.sign(at), far * Math.sign(at)];
}

/** Returns the marks of rules, from the deepest loss to the highest gain. */
export function marksOf(rules: Rules): readonly Mark[] {
  const marks: Mark[] = [];
  const add = (id: string, label: string, at: number | undefined, share: number | null, range: Mark['range'] = null) => {
    if (at === undefined || !Number.isFinite(at) || Math.abs(at) >= 0.5) return;
    marks.push({ id, label, at, share, range, side: at < 0 ? 'loss' : 'gain' });
  };
  for (const [id, label] of Object.entries(LABELS) as [SectionId, string][]) {
    const at = numberOf(rules, id, 'pnl');
    if (!at || !hasEffect(rules, id)) continue;
    const share = id === 'hard_stop' ? 1 : (numberOf(rules, id, 'qty') ?? null);
    if (share !== 0) add(id, label, at, share, rangeOf(rules, id, at));
  }
  const floor = numberOf(rules, 'tp1', 'floor');
  if (floor) add('floor', 'FLOOR', floor, null);
  if (sectionOf(rules, 'break_even') !== undefined && hasEffect(rules, 'break_even')) {
    add('break_even', 'BE', numberOf(rules, 'break_even', 'buffer'), null);
  }
  for (const [place, rule] of customOf(rules)) {
    const isOn = rule.enabled !== false && typeof rule.pnl === 'number' && rule.pnl !== 0 && typeof rule.qty === 'number' && rule.qty !== 0;
    if (isOn) add(`custom-${place}`, String(rule.id ?? ''), rule.pnl as number, rule.qty as number);
  }
  return marks.sort((a, b) => a.at - b.at);
}

/** A scale of returns: what is shown, and where. */
export interface Scale {
  low: number;
  high: number;
  /** Returns pixels from the left; beyond the ends it is the end. */
  x: (at: number) => number;
  /** Round returns within it. */
  ticks: readonly number[];
}

/** Returns a scale of `width` pixels that holds `marks` and zero, with `margin` pixels at each side. */
export function scaleOf(marks: readonly Mark[], width: number, margin: number): Scale {
  const ends = marks.flatMap(({ at, range }) => [at, ...(range ?? [])]);
  const low = Math.min(-0.02, ...ends) * 1.08;
  const high = Math.max(0.02, ...ends) * 1.08;
  const room = Math.max(1, width - 2 * margin);
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find((one) => ((high - low) / one) * 46 <= room) ?? 0.5;
  const ticks: number[] = [];
  for (let count = Math.ceil(low / step); count * step <= high; count += 1) ticks.push(count * step);
  const x = (at: number) => margin + ((Math.max(low, Math.min(high, at)) - low) / (high - low)) * room;
  return { low, high, x, ticks };
}

/** Puts labels of about `labelWidth` pixels into as few rows as they fit. */
export function placed(marks: readonly Mark[], scale: Scale, labelWidth: number): readonly PlacedMark[] {
  const ends: number[] = [];
  return marks.map((mark) => {
    const x = scale.x(mark.at);
    let row = ends.findIndex((end) => end <= x - labelWidth / 2);
    if (row === -1) row = ends.length;
    ends[row] = x + labelWidth / 2;
    return { ...mark, x, row };
  });
}

/** Returns a share as it reads beside a mark: `50 %`. */
export function shareText(share: number | null): string {
  return share === null ? '' : `${textOf(Math.round(share * 1_000) / 1_000, '%')} %`;
}
