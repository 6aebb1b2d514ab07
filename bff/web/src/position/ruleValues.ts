/** The values of a rule as they read. */

import { scaled } from '../money/decimal';
import { formatBasisPoints } from '../money/format';
import type { Language } from '../shell/preferences';
import type { Part, Profile, Rule } from './profile';
import { RULE_TEXT } from './ruleText';

/** Returns a ratio as a percentage with its sign: −0.03 reads −3.00 %. */
function signed(ratio: number | null | undefined): string {
  return formatBasisPoints(scaled(ratio, 4));
}

function plain(ratio: number): string {
  return signed(ratio).replace(/^[+−]/, '').replace(/\.00 %$/, ' %');
}

function soldBy(part: Part, language: Language): string {
  const text = RULE_TEXT[language];
  if (part.ratio >= 1) return text.all;
  return part.of === 'ORIGINAL' ? text.ofOriginal(plain(part.ratio)) : text.ofRemaining(plain(part.ratio));
}

function boundsOf({ reason }: Rule, profile: Profile): { min?: number | null | undefined; max?: number | null | undefined } | null | undefined {
  switch (reason) {
    case 'SL1':
      return profile.sl1;
    case 'SL2':
      return profile.sl2;
    case 'TP1':
      return profile.tp1;
    case 'TP2':
      return profile.tp2;
    case 'TP3':
      return profile.tp3;
    default:
      return null;
  }
}

function termsOf(rule: Rule, profile: Profile, language: Language): string[] {
  const text = RULE_TEXT[language];
  const { gap_down, break_even, trail, time } = profile;
  switch (rule.reason) {
    case 'STOP_FLOOR':
      return [text.aboveCost(signed(rule.threshold))];
    case 'BREAK_EVEN':
      return [text.aboveCost(signed(rule.threshold)), text.trigger(signed(break_even?.trigger))];
    case 'GAP_DOWN':
      return [signed(rule.threshold), text.seconds(gap_down?.window_s ?? 30)];
    case 'TRAIL':
    case 'TRAIL_PARTIAL':
      return [
        trail?.pct == null ? '' : text.fromTop(signed(-trail.pct)),
        trail?.atr_k == null || trail.atr_k === 0 ? '' : text.atrTop(String(trail.atr_k)),
      ];
    case 'TIME':
      return [
        time?.max_hold_days ? text.time(time.max_hold_days) : '',
        time?.no_momentum_days ? text.idle(time.no_momentum_days, signed(time.no_momentum_profit ?? 0)) : '',
      ];
    default: {
      const bounds = boundsOf(rule, profile);
      const isScaled = profile.atr?.ref != null && (profile.atr.factor_min !== 1 || profile.atr.factor_max !== 1);
      const isBound = bounds?.min != null && bounds.max != null && bounds.max !== 0;
      return [signed(rule.threshold), isScaled && isBound ? text.between(signed(bounds.min), signed(bounds.max)) : ''];
    }
  }
}

/** Returns when a rule fires and what it sells, in words. */
export function valueOf(rule: Rule, profile: Profile, language: Language): { when: string; sells: string } {
  return {
    when: termsOf(rule, profile, language).filter(Boolean).join(' · '),
    sells: soldBy(rule.sells, language),
  };
}
