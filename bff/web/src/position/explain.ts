/** Sentences of verdicts. */

import { MODE_TEXT } from '../control/modes';
import { formatTime } from '../live/instant';
import { scaled, unitsOf, type Units } from '../money/decimal';
import { formatBasisPoints, formatPrice, formatSignedWon } from '../money/format';
import { STATUS_TEXT, worded } from '../orders/reasons';
import type { Language } from '../shell/preferences';
import { dueAfter } from './days';
import type { Verdict } from './verdicts';
import { WHY_TEXT } from './whyText';

/** Returns how far the judged price is from a level: in won, positive while it is not reached. */
export function wayTo(verdict: Verdict, price: Units | null): Units | null {
  const level = unitsOf(verdict.level?.level);
  if (level === null || price === null || verdict.level === null) return null;
  return verdict.level.side === 'BELOW' ? price - level : level - price;
}

/** Returns what selling at the level would bring against the cost, before fees and tax. */
export function resultAt(verdict: Verdict, average: number): Units | null {
  const level = unitsOf(verdict.level?.level);
  const cost = unitsOf(average);
  if (level === null || cost === null || verdict.shares === null) return null;
  return (level - cost) * BigInt(verdict.shares);
}

/** Returns what is to be said of a rule apart from its price. Empty where nothing is. */
export function hindranceOf({ why }: Verdict, entry: string, language: Language): string {
  const text = WHY_TEXT[language];
  const now = Date.now();
  switch (why.code) {
    case 'PRICE':
      return '';
    case 'AFTER':
      return text.AFTER(why.reason);
    case 'UNDERWAY':
      return text.UNDERWAY(worded(STATUS_TEXT[language], why.status));
    case 'MARK':
      return text.MARK(formatPrice(why.price));
    case 'OPENING':
      return text.OPENING(String(why.seconds));
    case 'PAUSED':
      return text.PAUSED(MODE_TEXT[language][why.mode]);
    case 'DAYS': {
      const profit = formatBasisPoints(scaled(why.profit, 4));
      const said = [
        why.max === null ? '' : text.due(formatTime(dueAfter(entry, why.max), now)),
        why.idle === null ? '' : text.idle(formatTime(dueAfter(entry, why.idle), now), profit),
      ];
      return said.filter(Boolean).join(' ');
    }
    default:
      return text[why.code];
  }
}

/** Returns the sentence of a rule at a price. */
export function sentenceOf(verdict: Verdict, price: Units | null, average: number, entry: string, language: Language): string {
  const text = WHY_TEXT[language];
  const hindrance = hindranceOf(verdict, entry, language);
  const way = wayTo(verdict, price);
  const { level, why } = verdict;
  if (level === null || why.code === 'UNDERWAY') return hindrance;
  if (way === null) return [text.unpriced, hindrance].filter(Boolean).join(' ');
  if (way <= 0n) return hindrance === '' ? text.REACHED : hindrance;
  const result = resultAt(verdict, average);
  const said = [
    level.side === 'BELOW' ? text.BELOW(formatPrice(way)) : text.ABOVE(formatPrice(way)),
    result === null ? '' : text.brings(formatSignedWon(result)),
    hindrance,
  ];
  return said.filter(Boolean).join(' ');
}
