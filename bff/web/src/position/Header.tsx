import { DayChange, Gain, LastPrice, Return, useGain } from '../desk/live';
import { usePrice } from '../live/provider';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent, formatPrice, formatQty, formatWon } from '../money/format';
import { evaluationPrice } from '../money/pnl';
import { REASON_TEXT, worded } from '../orders/reasons';
import { useText } from '../text/text';
import { Count, Percent, Price, SignedWon, Time } from '../ui/figures';
import { Stat, Stats } from '../ui/layout';
import { Tag } from '../ui/Tag';
import { daysHeld } from './days';
import type { ExitEvent, Position } from './reads';
import css from './position.module.css';
import { POSITION_TEXT } from './text';

function PriceStat({ symbol }: { symbol: string }) {
  const text = useText(POSITION_TEXT);
  const isStale = usePrice(symbol)?.isStale === true;
  const note = isStale ? <span className={css.warn}>{text.stale}</span> : <DayChange symbol={symbol} />;
  return (
    <Stat name={text.price} note={<span data-live>{note}</span>} testId="last-price">
      <LastPrice symbol={symbol} />
    </Stat>
  );
}

function Bid({ symbol }: { symbol: string }) {
  const text = useText(POSITION_TEXT);
  const live = usePrice(symbol);
  return <span data-live>{text.bid(formatPrice(evaluationPrice(live?.price, live?.bid)))}</span>;
}

function Value({ position }: { position: Position }) {
  const text = useText(POSITION_TEXT);
  const gain = useGain(position);
  return <span data-live>{text.value(formatWon(gain?.value ?? null))}</span>;
}

function Cost({ position }: { position: Position }) {
  const text = useText(POSITION_TEXT);
  const average = unitsOf(position.avg_price);
  return <>{text.cost(formatWon(average === null ? null : average * BigInt(position.qty)))}</>;
}

/** The figures of a live position. Those of its price repaint alone. */
function LiveFigures({ position, hwm }: { position: Position; hwm: number | null | undefined }) {
  const text = useText(POSITION_TEXT);
  return (
    <>
      <PriceStat symbol={position.symbol} />
      <Stat name={text.pnl} note={<Bid symbol={position.symbol} />} testId="pnl">
        <span data-live title={text.pnlNote}>
          <Gain position={position} />
        </span>
      </Stat>
      <Stat name={text.return} note={<Value position={position} />} testId="return">
        <span data-live title={text.pnlNote}>
          <Return position={position} />
        </span>
      </Stat>
      <Stat name={text.quantity} note={text.ofOriginal(formatQty(position.original_qty))} testId="quantity">
        <Count value={position.qty} />
      </Stat>
      <Stat name={text.average} note={<Cost position={position} />} testId="average">
        <Price value={position.avg_price} />
      </Stat>
      <Stat name={text.hwm} note={text.hwmNote} testId="hwm">
        <Price value={hwm} />
      </Stat>
    </>
  );
}

/** What a closed position has brought. */
function ClosedFigures({ position, exit }: { position: Position; exit: ExitEvent | undefined }) {
  const text = useText(POSITION_TEXT);
  const reasons = useText(REASON_TEXT);
  return (
    <>
      <PriceStat symbol={position.symbol} />
      <Stat name={text.realised} note={text.realisedNote} testId="realised">
        <SignedWon value={exit?.realized_pnl} basisPoints={basisPointsOfPercent(exit?.realized_pnl_pct)} />
      </Stat>
      <Stat name={text.return} testId="return">
        <Percent value={exit?.realized_pnl_pct} />
      </Stat>
      <Stat name={text.exitPrice} note={<Time at={exit?.exit_ts} />} testId="exit-price">
        <Price value={exit?.exit_avg_price} />
      </Stat>
      <Stat name={text.exitReason} note={exit === undefined ? '' : worded(reasons, exit.exit_reason_code)}>
        <Tag tone="plain">{exit?.exit_reason_code}</Tag>
      </Stat>
      <Stat name={text.quantity} note={text.ofOriginal(formatQty(position.original_qty))} testId="quantity">
        <Count value={exit?.exit_qty} />
      </Stat>
      <Stat name={text.average} testId="average">
        <Price value={position.avg_price} />
      </Stat>
    </>
  );
}

/** The figures of a position: price, gain, what is held, and how it stands. */
export function Header({ position, hwm, exit }: { position: Position; hwm: number | null | undefined; exit: ExitEvent | undefined }) {
  const text = useText(POSITION_TEXT);
  const isClosed = position.status === 'CLOSED';
  const end = isClosed && position.closed_ts != null ? Date.parse(position.closed_ts) : Date.now();
  return (
    <Stats>
      {isClosed ? <ClosedFigures position={position} exit={exit} /> : <LiveFigures position={position} hwm={hwm} />}
      <Stat name={text.phase} note={isClosed ? <Tag>{position.status}</Tag> : `${position.strategy_id} · ${text.cycle(position.cycle)}`} testId="phase">
        <Tag tone={isClosed ? 'muted' : 'working'}>{position.phase}</Tag>
      </Stat>
      {!isClosed && (
        <Stat name={text.exits} note={position.status === 'OPEN' ? undefined : <Tag>{position.status}</Tag>} testId="exit-mode">
          <Tag tone={position.exit_mode === 'ENABLED' ? 'good' : 'warn'}>{position.exit_mode}</Tag>
        </Stat>
      )}
      <Stat name={text.held} note={<Time at={position.entry_ts} />} testId="held">
        {text.days(daysHeld(position.entry_ts, end))}
      </Stat>
    </Stats>
  );
}
