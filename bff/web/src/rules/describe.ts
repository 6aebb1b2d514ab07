/** Rules in a few words. */

import type { Difference } from './diff';
import { shown, type Unit } from './numbers';
import { customOf, hasEffect, isObject, numberOf, sectionOf, SECTIONS, type Field, type Rules, type SectionId } from './schema';

interface Words {
  fields: Readonly<Record<string, unknown>>;
  sections: Readonly<Record<string, unknown>>;
}

const CUSTOM_UNITS: Readonly<Record<string, Unit>> = { pnl: '%', qty: '%' };

function wordOf(words: Readonly<Record<string, unknown>>, key: string): string {
  const word = words[key];
  return typeof word === 'string' ? word : key;
}

/** Returns one line that says what rules do, in the words of a desk: `Hard −7 % · SL −3/−5 % · TP +7/+10/+15 %`. */
export function summaryOf(rules: Rules, custom: (count: number) => string, nothing: string): string {
  const on = (id: SectionId) => sectionOf(rules, id) !== undefined && hasEffect(rules, id);
  const of = (id: SectionId, key = 'pnl', isSigned = true) => shown(numberOf(rules, id, key), '%', isSigned).replace(' %', '');
  const listed = (ids: readonly SectionId[]) => ids.filter((id) => on(id) && numberOf(rules, id, 'pnl') !== 0).map((id) => of(id));
  const stops = listed(['sl1', 'sl2']);
  const profits = listed(['tp1', 'tp2', 'tp3']);
  const others = customOf(rules).filter(([, rule]) => rule.enabled !== false).length;
  const parts = [
    on('hard_stop') && `Hard ${of('hard_stop')} %`,
    stops.length > 0 && `SL ${stops.join('/')} %`,
    on('gap_down') && `Gap ${of('gap_down', 'change')} %`,
    on('break_even') && `BE ${of('break_even', 'trigger')} %`,
    profits.length > 0 && `TP ${profits.join('/')} %`,
    on('trail') && `Trail ${of('trail', 'pct', false)} %`,
    on('time') && `Time ${numberOf(rules, 'time', 'max_hold_days') || numberOf(rules, 'time', 'no_momentum_days')} d`,
    on('atr') && 'ATR',
    others > 0 && custom(others),
  ].filter((part): part is string => typeof part === 'string');
  return parts.length === 0 ? nothing : parts.join(' · ');
}

function fieldOf(section: string, key: string): Field | undefined {
  const fields = (SECTIONS as Readonly<Record<string, readonly Field[]>>)[section];
  return fields?.find((field) => field.key === key);
}

/** Returns the name of what differs: `Stop 1 · Return`. */
export function nameOf({ section, customId, field }: Difference, { fields, sections }: Words): string {
  const parts = [customId === null ? wordOf(sections, section) : `${wordOf(sections, 'custom')} ${customId}`];
  if (field !== null) parts.push(wordOf(fields, field));
  return parts.join(' · ');
}

/** Returns one value of a difference as it reads on the form. */
export function valueText(section: string, field: string | null, value: unknown, words: Words): string {
  if (value === undefined || value === null) return field === null ? wordOf(words.fields, 'off') : '–';
  if (typeof value === 'boolean') return wordOf(words.fields, value ? 'on' : 'off');
  if (field === null && isObject(value)) {
    const parts = Object.entries(value).filter(([key, one]) => key !== 'id' && (key !== 'enabled' || one !== true));
    return parts.map(([key, one]) => `${wordOf(words.fields, key)} ${valueText(section, key, one, words)}`).join(', ') || wordOf(words.fields, 'on');
  }
  if (typeof value === 'string') return wordOf(words.fields, value);
  if (typeof value !== 'number' || field === null) return JSON.stringify(value);
  const unit = section === 'custom' ? CUSTOM_UNITS[field] : fieldOf(section, field)?.unit;
  if (unit === undefined) return String(value);
  const text = shown(value, unit);
  return unit === 'd' ? text.replace(/d$/, wordOf(words.fields, 'd')) : text;
}
