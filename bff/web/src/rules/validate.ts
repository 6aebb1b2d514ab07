/** Checks rules as the server does (`dataflows/src/model/profile/parse.rs`), while somebody types. */

import { placesOf } from './numbers';
import { CUSTOM_KEYS, isObject, SECTION_IDS, SECTIONS, type Field, type Range, type Rules, type SectionId } from './schema';

/** What is wrong. */
export type Kind =
  | Exclude<Range, 'flag'>
  | 'number'
  | 'fine'
  | 'flag'
  | 'object'
  | 'array'
  | 'unknown'
  | 'bounds'
  | 'factors'
  | 'id'
  | 'duplicate'
  | 'condition'
  | 'base';

/** What is wrong with what: `sl1.pnl`, `custom[2].id`, or `rules` for the whole. */
export interface Flaw {
  path: string;
  kind: Kind;
}

/** Decimals of a ratio. */
const RATIO_PLACES = 12;
/** Decimals of a factor. */
const FACTOR_PLACES = 6;
/** Bytes of the id of a custom rule. */
const ID_MAX = 64;

const HOLDS: Record<Exclude<Range, 'flag'>, (value: number) => boolean> = {
  stop: (value) => -0.5 < value && value <= 0,
  profit: (value) => 0 <= value && value < 0.5,
  either: (value) => Math.abs(value) < 0.5,
  share: (value) => 0 <= value && value <= 1,
  factor: (value) => 0 <= value && value <= 1_000 && placesOf(value) <= FACTOR_PLACES,
  whole: (value) => Number.isInteger(value) && 0 <= value && value <= 100_000,
};

function flawOf(range: Range, value: unknown): Kind | null {
  if (range === 'flag') return typeof value === 'boolean' ? null : 'flag';
  if (range === 'whole') return typeof value === 'number' && HOLDS.whole(value) ? null : 'whole';
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'number';
  if (!HOLDS[range](value)) return range;
  return range !== 'factor' && placesOf(value) > RATIO_PLACES ? 'fine' : null;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

class Check {
  readonly flaws: Flaw[] = [];

  add(path: string, kind: Kind): void {
    this.flaws.push({ path, kind });
  }

  unknown(object: Readonly<Record<string, unknown>>, at: string, known: readonly string[]): void {
    for (const key of Object.keys(object)) {
      if (!known.includes(key)) this.add(at === '' ? key : `${at}.${key}`, 'unknown');
    }
  }

  section(rules: Rules, id: SectionId): void {
    const section = rules[id];
    if (isAbsent(section)) return;
    if (!isObject(section)) {
      this.add(id, 'object');
      return;
    }
    const fields: readonly Field[] = SECTIONS[id];
    this.unknown(
      section,
      id,
      fields.map(({ key }) => key),
    );
    // What is faulty counts as absent, so that one mistake is said once.
    const sound: Record<string, number | boolean> = {};
    for (const { key, range, absent } of fields) {
      const value = section[key];
      const kind = isAbsent(value) ? null : flawOf(range, value);
      if (kind !== null) this.add(`${id}.${key}`, kind);
      sound[key] = kind === null && !isAbsent(value) ? (value as number | boolean) : absent;
    }
    const of = (key: string) => Math.abs(Number(sound[key] ?? 0));
    if (of('min') > of('max') && of('max') !== 0) this.add(`${id}.min`, 'bounds');
    if (of('factor_min') > of('factor_max')) this.add(`${id}.factor_min`, 'factors');
  }

  custom(rules: Rules): void {
    const list = rules.custom;
    if (isAbsent(list)) return;
    if (!Array.isArray(list)) {
      this.add('custom', 'array');
      return;
    }
    const ids = new Set<string>();
    list.forEach((rule: unknown, place) => this.customRule(rule, `custom[${place}]`, ids));
  }

  private customRule(rule: unknown, at: string, ids: Set<string>): void {
    if (!isObject(rule)) {
      this.add(at, 'object');
      return;
    }
    this.unknown(rule, at, CUSTOM_KEYS);
    const id = typeof rule.id === 'string' && isId(rule.id) ? rule.id : null;
    if (id === null) this.add(`${at}.id`, 'id');
    const isConditioned = rule.condition === 'profit_above' || rule.condition === 'profit_below';
    if (!isConditioned) this.add(`${at}.condition`, 'condition');
    if (!isAbsent(rule.base) && rule.base !== 'REMAINING' && rule.base !== 'ORIGINAL') this.add(`${at}.base`, 'base');
    for (const [key, range] of [['enabled', 'flag'], ['pnl', 'either'], ['qty', 'share']] as const) {
      const kind = isAbsent(rule[key]) ? null : flawOf(range, rule[key]);
      if (kind !== null) this.add(`${at}.${key}`, kind);
    }
    if (id === null || !isConditioned) return;
    if (ids.has(id)) this.add(`${at}.id`, 'duplicate');
    ids.add(id);
  }
}

function isId(id: string): boolean {
  return id !== '' && new TextEncoder().encode(id).length <= ID_MAX && !/[:\p{Cc}]/u.test(id);
}

/** Returns everything that is wrong with rules; nothing where the server would take them. */
export function flawsOf(rules: unknown): readonly Flaw[] {
  const check = new Check();
  if (!isObject(rules)) {
    check.add('rules', 'object');
    return check.flaws;
  }
  check.unknown(rules, '', [...SECTION_IDS, 'custom']);
  for (const id of SECTION_IDS) check.section(rules, id);
  check.custom(rules);
  return check.flaws;
}
