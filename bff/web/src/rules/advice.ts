/** What the server takes and an operator may not have meant. */

import { customOf, hasEffect, numberOf, SECTION_IDS, sectionOf, type Rules, type SectionId } from './schema';

/** A remark; the texts say what each means. `section` is where it belongs. */
export interface Remark {
  kind: 'noHardStop' | 'sl1BelowSl2' | 'sl2BelowHard' | 'takeProfitOrder' | 'floorAboveTp1' | 'trailNeverStarts' | 'noEffect' | 'nothing';
  section: SectionId | null;
}

/** Returns what is worth a second look. */
export function remarksOn(rules: Rules): readonly Remark[] {
  const found: Remark[] = [];
  const say = (kind: Remark['kind'], section: SectionId | null) => found.push({ kind, section });
  const on = (id: SectionId) => sectionOf(rules, id) !== undefined && hasEffect(rules, id);
  const of = (id: SectionId, key = 'pnl') => (on(id) ? (numberOf(rules, id, key) ?? 0) : 0);
  const isAnyOn = SECTION_IDS.some((id) => id !== 'atr' && on(id)) || customOf(rules).some(([, rule]) => rule.enabled !== false);
  if (!isAnyOn) say('nothing', null);
  else if (!on('hard_stop')) say('noHardStop', 'hard_stop');
  if (on('sl1') && on('sl2') && of('sl1') <= of('sl2')) say('sl1BelowSl2', 'sl1');
  if (on('sl2') && on('hard_stop') && of('sl2') < of('hard_stop')) say('sl2BelowHard', 'sl2');
  const profits = (['tp1', 'tp2', 'tp3'] as const).filter((id) => on(id) && of(id) > 0);
  profits.forEach((id, place) => {
    const before = profits[place - 1];
    if (before !== undefined && of(id) <= of(before)) say('takeProfitOrder', id);
  });
  const floor = of('tp1', 'floor');
  if (floor > 0 && of('tp1') > 0 && floor >= of('tp1')) say('floorAboveTp1', 'tp1');
  if (on('trail') && !(on('tp1') && on('tp2'))) say('trailNeverStarts', 'trail');
  for (const id of SECTION_IDS) {
    // Factors of one are a common way to say that nothing is scaled.
    if (id !== 'atr' && sectionOf(rules, id) !== undefined && !hasEffect(rules, id)) say('noEffect', id);
  }
  return found;
}
