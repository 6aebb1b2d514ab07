import { useEffect, useState } from 'react';
import { z } from 'zod';

import { zExitEvent } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { useAllPrices, useLive, useTopic } from '../live/provider';
import { unitsOf } from '../money/decimal';
import { formatBasisPoints, formatPrice } from '../money/format';
import { evaluationPrice, total, unrealised } from '../money/pnl';
import { seoulDay } from '../shell/session';
import { useText } from '../text/text';
import { Signed, SignedWon, Won } from '../ui/figures';
import { Stat, Stats } from '../ui/layout';
import { nearestOf, type Distance } from './levels';
import { DESK_TEXT } from './text';

/** How often sums over all positions are made anew, milliseconds. */
const EVERY_MS = 500;

/** Draws anew as prices move, but not with each of them. */
function usePricesEvery(ms: number): void {
  const live = useLive();
  const [, setVersion] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setVersion(live.prices.version), ms);
    return () => clearInterval(timer);
  }, [live, ms]);
}

/** The account in one line: what is held, what it gains, what fires next. */
export function Totals() {
  const text = useText(DESK_TEXT);
  const live = useLive();
  usePricesEvery(EVERY_MS);
  const positions = useTopic('positions').rows;
  useAllPrices(positions.map(({ symbol }) => symbol));
  const levels = useTopic('levels').rows;
  const today = seoulDay(Date.now());
  const exits = useRead('/api/v1/exit-events?limit=100', z.array(zExitEvent), { tables: ['trade.exit_events'] });
  const closed = (exits.data ?? []).filter(({ exit_ts }) => exit_ts.startsWith(today));
  const realised = closed.reduce((sum, { realized_pnl }) => sum + (unitsOf(realized_pnl) ?? 0n), 0n);

  const priceOf = (symbol: string) => {
    const price = live.prices.get(symbol);
    return evaluationPrice(price?.price, price?.bid);
  };
  const gains = positions.flatMap(({ symbol, qty, avg_price }) => unrealised(qty, avg_price, priceOf(symbol)) ?? []);
  const sum = total(gains);
  let nearest: (Distance & { symbol: string }) | null = null;
  for (const row of levels) {
    const found = nearestOf(row.levels, priceOf(row.symbol));
    if (found !== null && (nearest === null || found.basisPoints < nearest.basisPoints)) nearest = { ...found, symbol: row.symbol };
  }
  const name = positions.find(({ symbol }) => symbol === nearest?.symbol)?.name ?? nearest?.symbol;
  const unpriced = positions.length - gains.length;
  return (
    <Stats>
      <Stat name={text.value} note={unpriced > 0 ? text.unpriced(unpriced) : text.valueNote} testId="total-value">
        <Won value={sum.value} />
      </Stat>
      <Stat
        name={text.unrealised}
        note={<Signed sign={sum.returnBasisPoints} text={formatBasisPoints(sum.returnBasisPoints)} />}
        testId="total-pnl"
      >
        <SignedWon value={sum.pnl} />
      </Stat>
      <Stat name={text.realised} note={text.realisedNote(closed.length)} testId="total-realised">
        <SignedWon value={realised} />
      </Stat>
      <Stat name={text.held} note={text.heldNote(positions.filter(({ status }) => status === 'CLOSING').length)} testId="total-positions">
        {positions.length}
      </Stat>
      <Stat
        name={text.closest}
        note={nearest === null ? text.noLevels : `${nearest.level.reason.replaceAll('_', ' ')} ${formatPrice(unitsOf(nearest.level.level))} · ${name}`}
      >
        {nearest === null ? '–' : formatBasisPoints(nearest.basisPoints).replace('+', '')}
      </Stat>
    </Stats>
  );
}
