import type { z } from 'zod';

import type { zLastPrice } from '../api/generated/zod.gen';
import { formatTime } from '../live/instant';
import { usePrice } from '../live/provider';
import { texts, useText } from '../text/text';
import { Percent, Price } from '../ui/figures';
import css from './live.module.css';

const TEXT = texts(
  {
    live: (source: string, time: string) => `${source} ${time}`,
    stale: (time: string) => `Stale: the last trade is of ${time}`,
    stored: (time: string) => `Not followed: the last trade stored is of ${time}`,
  },
  {
    live: (source: string, time: string) => `${source} ${time}`,
    stale: (time: string) => `지연: 마지막 체결 ${time}`,
    stored: (time: string) => `실시간 수신 안 함: 저장된 마지막 체결 ${time}`,
  },
);

/** What the server told of the price with the row. */
export type LastPrice = z.infer<typeof zLastPrice>;

interface OfSymbol {
  symbol: string;
  /** Shown until a price is heard. */
  last: LastPrice;
}

/** The newest price of a symbol, which lights up as it moves and fades where it is old. */
export function LivePrice({ symbol, last }: OfSymbol) {
  const text = useText(TEXT);
  const live = usePrice(symbol);
  if (live === undefined) {
    const title = last.price_ts == null ? undefined : text.stored(formatTime(last.price_ts, Date.now()));
    return (
      <span className={css.price} title={title}>
        <Price value={last.last_price} />
      </span>
    );
  }
  const time = formatTime(live.ts, Date.now());
  const moved = live.isStale || live.direction === 0 || live.moves === 0 ? '' : live.direction > 0 ? css.up : css.down;
  return (
    <span
      // A new element for each move, so that each is seen.
      key={live.moves}
      data-live
      className={[css.price, moved, live.isStale && css.old].filter(Boolean).join(' ')}
      title={live.isStale ? text.stale(time) : text.live(live.source, time)}
    >
      <Price value={live.price} />
    </span>
  );
}

/** The change against the previous close, live. */
export function LiveChange({ symbol, last, hasArrow = false }: OfSymbol & { hasArrow?: boolean }) {
  const live = usePrice(symbol);
  return (
    <span data-live>
      <Percent value={live?.changeRate ?? last.change_rate} hasArrow={hasArrow} />
    </span>
  );
}
