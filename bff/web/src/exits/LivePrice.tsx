import { usePrice } from '../live/provider';
import { divideHalfEven, unitsOf } from '../money/decimal';
import { formatBasisPoints, formatPrice } from '../money/format';
import { Signed } from '../ui/figures';

/** The newest price of a symbol. */
export function LastPrice({ symbol }: { symbol: string }) {
  const price = usePrice(symbol);
  return <span data-live>{formatPrice(unitsOf(price?.price))}</span>;
}

/** How far the newest price lies from another one. */
export function SinceExit({ symbol, exitPrice }: { symbol: string; exitPrice: number }) {
  const last = unitsOf(usePrice(symbol)?.price);
  const exit = unitsOf(exitPrice);
  const points = last === null || exit === null || exit === 0n ? null : divideHalfEven((last - exit) * 10_000n, exit);
  return (
    <span data-live>
      <Signed sign={points} text={formatBasisPoints(points)} basisPoints={points} />
    </span>
  );
}
