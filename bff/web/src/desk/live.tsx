/** Figures of a position that move with its price: each repaints alone. */

import { memo } from 'react';

import type { TopicRow } from '../live/messages';
import { usePrice } from '../live/provider';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent, formatBasisPoints, formatPrice, formatSignedPrice, formatSignedWon, UNKNOWN } from '../money/format';
import { evaluationPrice, unrealised, type Unrealised } from '../money/pnl';
import { useText } from '../text/text';
import { Signed } from '../ui/figures';
import { DESK_TEXT } from './text';
import css from './live.module.css';

export type Position = TopicRow<'positions'>;

/** The last price; it flashes when it moves, and says when it is too old. */
export const LastPrice = memo(function LastPrice({ symbol }: { symbol: string }) {
  const text = useText(DESK_TEXT);
  const live = usePrice(symbol);
  if (live === undefined) return <>{UNKNOWN}</>;
  const tone = live.direction > 0 ? css.rose : live.direction < 0 ? css.fell : '';
  return (
    <span
      // A new element plays the animation again.
      key={live.moves}
      data-testid="price"
      data-live
      data-us={live.logicalUs}
      data-stale={live.isStale}
      title={live.isStale ? text.stale : undefined}
      className={`${css.price} ${live.moves > 0 ? tone : ''}`}
    >
      {formatPrice(unitsOf(live.price))}
    </span>
  );
});

/** The change of the day. */
export const DayChange = memo(function DayChange({ symbol }: { symbol: string }) {
  const live = usePrice(symbol);
  const rate = basisPointsOfPercent(live?.changeRate);
  if (rate === null) return <>{UNKNOWN}</>;
  return (
    <Signed sign={rate} text={formatBasisPoints(rate)} basisPoints={rate} title={formatSignedPrice(unitsOf(live?.changePrice))} hasArrow />
  );
});

/** Returns what a position would bring and gain at the price it is judged by. */
export function useGain({ symbol, qty, avg_price }: Position): Unrealised | null {
  const live = usePrice(symbol);
  return unrealised(qty, avg_price, evaluationPrice(live?.price, live?.bid));
}

export const Gain = memo(function Gain({ position }: { position: Position }) {
  const gain = useGain(position);
  return (
    <Signed
      sign={gain?.pnl ?? null}
      text={formatSignedWon(gain?.pnl ?? null)}
      basisPoints={gain?.returnBasisPoints ?? null}
      title={`${formatSignedPrice(gain?.pnl ?? null)} KRW`}
    />
  );
});

export const Return = memo(function Return({ position }: { position: Position }) {
  const gain = useGain(position);
  const points = gain?.returnBasisPoints ?? null;
  return <Signed sign={points} text={formatBasisPoints(points)} basisPoints={points} />;
});
