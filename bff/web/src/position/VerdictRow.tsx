import { memo } from 'react';

import { formatTime } from '../live/instant';
import { usePrice } from '../live/provider';
import { divideHalfEven, scaled, unitsOf, type Units } from '../money/decimal';
import { formatBasisPoints, formatPrice, formatQty, UNKNOWN } from '../money/format';
import { evaluationPrice } from '../money/pnl';
import { REASON_TEXT, worded } from '../orders/reasons';
import { usePreferences } from '../shell/preferences';
import { useText } from '../text/text';
import { Tag, type Tone } from '../ui/Tag';
import { sentenceOf, wayTo } from './explain';
import type { Position, Withheld } from './reads';
import type { Verdict } from './verdicts';
import { WHY_TEXT, withheldWhy } from './whyText';
import css from './why.module.css';

/** The way at which the bar of a rule is empty, of the price in 1/100 of a percent. */
const FAR = 800;

interface VerdictRowProps {
  position: Position;
  verdict: Verdict;
  /** The last time that it was reached and withheld. */
  withheld: Withheld | undefined;
  /** Way to it at the last sample, as a ratio. */
  sampled: number | undefined;
}

function percent(basisPoints: bigint | null): string {
  return basisPoints === null ? UNKNOWN : formatBasisPoints(basisPoints).replace('+', '');
}

function stateOf(verdict: Verdict, way: Units | null): { tone: Tone; name: 'reached' | 'paused' | 'underway' | 'waiting' | 'done' } | null {
  if (verdict.standing === 'DONE') return { tone: 'muted', name: 'done' };
  if (verdict.why.code === 'UNDERWAY') return { tone: 'working', name: 'underway' };
  if (verdict.why.code === 'PAUSED') return { tone: 'warn', name: 'paused' };
  if (verdict.standing === 'WAITING') return { tone: 'muted', name: 'waiting' };
  return way !== null && way <= 0n ? { tone: 'bad', name: 'reached' } : null;
}

/** One rule: where it fires, how far that is at the live price, and what stands in its way, in words. */
export const VerdictRow = memo(function VerdictRow({ position, verdict, withheld, sampled }: VerdictRowProps) {
  const text = useText(WHY_TEXT);
  const reasons = useText(REASON_TEXT);
  const { language } = usePreferences();
  const live = usePrice(position.symbol);
  const price = evaluationPrice(live?.price ?? position.last_price, live === undefined ? position.bid : live.bid);
  const way = wayTo(verdict, price);
  const basisPoints = way === null || price === null || price <= 0n ? null : divideHalfEven(way * 10_000n, price);
  const state = stateOf(verdict, way);
  const closeness = basisPoints === null ? 0 : Math.max(0, Math.min(1, 1 - Number(basisPoints) / FAR));
  const { level, shares } = verdict;
  const sells = shares === null ? null : shares >= position.qty ? text.all : text.shares(formatQty(shares), formatQty(position.qty));
  const isSameLevel = withheld !== undefined && level !== null && withheld.level === level.level;
  const code = verdict.ruleId ?? verdict.reason.replaceAll('_', ' ');
  return (
    <div role="row" className={css.row} data-standing={verdict.standing} data-testid="rule" data-reason={verdict.reason}>
      <div role="rowheader" className={css.rule}>
        <b title={worded(reasons, verdict.reason.replace(/_(LOSS|PROFIT)$/, ''))}>{code}</b>
        {state !== null && <Tag tone={state.tone}>{text[state.name]}</Tag>}
        {sells !== null && <span className={css.sells}>{sells}</span>}
      </div>
      <div role="cell" className={css.figure} data-testid="rule-level">
        {formatPrice(unitsOf(level?.level))}
      </div>
      <div role="cell" className={css.figure} data-live data-testid="rule-away" title={sampled === undefined ? undefined : text.then(percent(scaled(sampled, 4)))}>
        {percent(basisPoints)}
      </div>
      <div role="cell" className={css.figure} data-live>
        {way === null ? UNKNOWN : formatPrice(way < 0n ? -way : way)}
      </div>
      <div role="cell" className={css.why}>
        {sentenceOf(verdict, price, position.avg_price, position.entry_ts, language)}
        {isSameLevel && (
          <span className={css.withheld}> {text.withheldAt(formatTime(withheld.ts, Date.now()), withheldWhy(text, withheld.why))}</span>
        )}
        {level !== null && (
          <i aria-hidden="true" className={level.side === 'BELOW' ? css.below : css.above} style={{ transform: `scaleX(${closeness.toFixed(3)})` }} />
        )}
      </div>
    </div>
  );
});
