import { formatTime } from '../live/instant';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent, formatBasisPoints, formatPrice, formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Signed } from '../ui/figures';
import type { Bar, Interval } from './bars';
import css from './Candles.module.css';

const TEXT = texts(
  { open: 'O', high: 'H', low: 'L', close: 'C', volume: 'Vol' },
  { open: '시', high: '고', low: '저', close: '종', volume: '거래량' },
);

/** The figures of the bar that is pointed at, else of the last one with the live price in it. */
export function BarFigures({ bar, last, interval, price }: { bar: Bar | null; last: Bar | undefined; interval: Interval; price: number | null }) {
  const text = useText(TEXT);
  const shown = bar ?? (last === undefined || price === null ? last : { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price });
  if (shown === undefined) return null;
  const change = basisPointsOfPercent(shown.open === 0 ? null : ((shown.close - shown.open) / shown.open) * 100);
  const figures = [
    [text.open, shown.open],
    [text.high, shown.high],
    [text.low, shown.low],
    [text.close, shown.close],
  ] as const;
  return (
    <div className={css.figures}>
      <span>{interval === 'day' ? shown.date : formatTime(shown.time, Date.now()).slice(0, -3)}</span>
      {figures.map(([name, value]) => (
        <span key={name}>
          {name} <b>{formatPrice(unitsOf(value))}</b>
        </span>
      ))}
      <Signed sign={change} text={formatBasisPoints(change)} />
      <span>
        {text.volume} <b>{formatQty(shown.volume)}</b>
      </span>
    </div>
  );
}
