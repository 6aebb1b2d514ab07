import { memo, useMemo } from 'react';

import type { LiveLevel } from '../live/levels';
import { usePrice } from '../live/provider';
import { unitsOf } from '../money/decimal';
import { formatBasisPoints, formatPrice } from '../money/format';
import { evaluationPrice } from '../money/pnl';
import { useText } from '../text/text';
import { nearestOf, placeOn, scaleOf, type Scale } from './levels';
import { DESK_TEXT } from './text';
import css from './LevelBar.module.css';

interface LevelBarProps {
  symbol: string;
  levels: readonly LiveLevel[];
  average: number;
  mark: number | null | undefined;
}

/** The price on the bar: the only part that moves, by a transform alone. */
const Marker = memo(function Marker({ symbol, scale }: { symbol: string; scale: Scale }) {
  const live = usePrice(symbol);
  if (live === undefined) return null;
  const price = live.bid !== null && live.bid > 0 ? live.bid : live.price;
  return (
    <span
      className={css.marker}
      data-stale={live.isStale}
      data-testid="level-marker"
      style={{ transform: `translateX(${placeOn(scale, price).toFixed(2)}cqi)` }}
    />
  );
});

/** A bar per position: every level at which a rule sells, and the price moving between them. */
export const LevelBar = memo(function LevelBar({ symbol, levels, average, mark }: LevelBarProps) {
  const text = useText(DESK_TEXT);
  const scale = useMemo(
    () => scaleOf([...levels.map(({ level }) => level), average, mark]),
    [levels, average, mark],
  );
  if (scale === null || levels.length === 0) return <span className={css.none}>{text.noLevels}</span>;
  const stops = levels.filter(({ side }) => side === 'BELOW').map(({ level }) => level);
  const profits = levels.filter(({ side }) => side !== 'BELOW').map(({ level }) => level);
  const lastStop = stops.length === 0 ? 0 : placeOn(scale, Math.max(...stops));
  const firstProfit = profits.length === 0 ? 100 : placeOn(scale, Math.min(...profits));
  const tip = levels.map(({ reason, level }) => `${reason} ${formatPrice(unitsOf(level))}`).join('\n');
  return (
    <span className={css.bar} title={tip} role="img" aria-label={tip.replaceAll('\n', ', ')}>
      <i className={css.stops} style={{ width: `${lastStop}%` }} />
      <i className={css.profits} style={{ left: `${firstProfit}%` }} />
      <i className={css.entry} style={{ left: `${placeOn(scale, average)}%` }} title={text.entry} />
      {mark != null && <i className={css.mark} style={{ left: `${placeOn(scale, mark)}%` }} title={text.mark} />}
      {levels.map((level) => (
        <i
          key={`${level.reason} ${level.rule_id ?? ''}`}
          className={level.side === 'BELOW' ? css.stop : css.profit}
          style={{ left: `${placeOn(scale, level.level)}%` }}
        />
      ))}
      <Marker symbol={symbol} scale={scale} />
    </span>
  );
});

/** The rule nearest to firing, and how far it is. */
export const Nearest = memo(function Nearest({ symbol, levels }: { symbol: string; levels: readonly LiveLevel[] }) {
  const live = usePrice(symbol);
  const nearest = nearestOf(levels, evaluationPrice(live?.price, live?.bid));
  if (nearest === null) return <>–</>;
  const tone = nearest.basisPoints <= 0n ? css.reached : nearest.basisPoints < 100n ? css.close : '';
  return (
    <span className={`${css.nearest} ${tone}`} title={`${nearest.level.reason} ${formatPrice(unitsOf(nearest.level.level))}`}>
      <span>{nearest.level.reason.replaceAll('_', ' ')}</span>
      <b>{formatBasisPoints(nearest.basisPoints).replace('+', '')}</b>
    </span>
  );
});
