import { memo } from 'react';

import type { Listing, LivePrice } from '../feed/desk';
import type { Feed } from '../feed/feed';
import type { Position } from '../feed/messages';
import { unitsOf } from '../money/decimal';
import {
  basisPointsOfPercent,
  formatBasisPoints,
  formatPrice,
  formatQty,
  formatSignedPrice,
  formatSignedWon,
  formatWon,
  UNKNOWN,
} from '../money/format';
import { evaluationPrice, total, unrealised, type Unrealised } from '../money/pnl';
import { Code, Signed, Status, Stock } from './cells';
import { Panel } from './Panel';
import css from './PositionsPanel.module.css';
import { RowCells, Table, type Column } from './Table';

interface Held {
  position: Position;
  live: LivePrice | undefined;
  gain: Unrealised | null;
}

function heldOf(position: Position, live: LivePrice | undefined): Held {
  const price = evaluationPrice(live?.price, live?.bid);
  return { position, live, gain: unrealised(position.qty, position.avg_price, price) };
}

/** A price that flashes when it moves: a new key makes a new element, which plays the animation. */
function FlashingPrice({ live }: { live: LivePrice | undefined }) {
  if (live === undefined) return UNKNOWN;
  const tone = live.direction > 0 ? css.rose : live.direction < 0 ? css.fell : '';
  return (
    <span key={live.moves} className={`${css.price} ${tone}`} data-testid="price">
      {formatPrice(unitsOf(live.price))}
    </span>
  );
}

function Change({ live }: { live: LivePrice | undefined }) {
  const rate = basisPointsOfPercent(live?.changeRate);
  const change = unitsOf(live?.changePrice);
  if (rate === null) return UNKNOWN;
  return (
    <span className={css.change}>
      <span className={css.amount}>
        <Signed sign={rate} text={formatSignedPrice(change)} basisPoints={rate} hasArrow />
      </span>
      <Signed sign={rate} text={formatBasisPoints(rate)} basisPoints={rate} />
    </span>
  );
}

const COLUMNS: readonly Column<Held>[] = [
  {
    title: 'Stock',
    cell: ({ position }) => <Stock name={position.name} symbol={position.symbol} />,
  },
  { title: 'Price', align: 'right', cell: ({ live }) => <FlashingPrice live={live} /> },
  {
    title: 'Change',
    hint: 'Against the previous close',
    align: 'right',
    cell: ({ live }) => <Change live={live} />,
  },
  {
    title: 'P&L',
    hint: 'Unrealised, in won, before fees and tax',
    align: 'right',
    cell: ({ gain }) => (
      <Signed
        sign={gain?.pnl ?? null}
        text={formatSignedWon(gain?.pnl ?? null)}
        basisPoints={gain?.returnBasisPoints ?? null}
        title={gain === null ? undefined : `${formatSignedPrice(gain.pnl)} KRW exactly`}
      />
    ),
  },
  {
    title: 'Return',
    align: 'right',
    cell: ({ gain }) => (
      <Signed
        sign={gain?.returnBasisPoints ?? null}
        text={formatBasisPoints(gain?.returnBasisPoints ?? null)}
        basisPoints={gain?.returnBasisPoints ?? null}
      />
    ),
  },
  {
    title: 'Qty',
    hint: 'Shares held of shares bought',
    align: 'right',
    cell: ({ position }) => (
      <>
        {formatQty(position.qty)}
        <span className={css.of}> / {formatQty(position.original_qty)}</span>
      </>
    ),
  },
  {
    title: 'Avg price',
    align: 'right',
    cell: ({ position }) => formatPrice(unitsOf(position.avg_price)),
  },
  {
    title: 'Bid',
    hint: 'Positions are judged by the bid, without one by the last price',
    align: 'right',
    isSecondary: true,
    cell: ({ live }) => formatPrice(unitsOf(live?.bid)),
  },
  {
    title: 'Stop floor',
    align: 'right',
    cell: ({ position }) => formatPrice(unitsOf(position.stop_floor)),
  },
  { title: 'Phase', cell: ({ position }) => <Code>{position.phase}</Code> },
  {
    title: 'Status',
    cell: ({ position }) => (
      <>
        <Status status={position.status} />
        {position.exit_mode !== 'ENABLED' && (
          <span className={css.mode}> exits {position.exit_mode.toLowerCase().replace('_', ' ')}</span>
        )}
      </>
    ),
  },
  {
    title: 'Strategy',
    isSecondary: true,
    cell: ({ position }) => <Code>{position.strategy_id}</Code>,
  },
];

const Row = memo(function Row({ position, live }: Omit<Held, 'gain'>) {
  return (
    <tr data-symbol={position.symbol}>
      <RowCells columns={COLUMNS} row={heldOf(position, live)} />
    </tr>
  );
});

function Summary({ helds }: { helds: Held[] }) {
  const gains = helds.flatMap(({ gain }) => (gain === null ? [] : [gain]));
  if (gains.length === 0) return null;
  const sum = total(gains);
  return (
    <p className={css.summary}>
      <span>
        Value <b>{formatWon(sum.value)}</b>
      </span>
      <span>
        P&amp;L <Signed sign={sum.pnl} text={formatSignedWon(sum.pnl)} basisPoints={sum.returnBasisPoints} />
      </span>
      <Signed
        sign={sum.returnBasisPoints}
        text={formatBasisPoints(sum.returnBasisPoints)}
        basisPoints={sum.returnBasisPoints}
      />
      {gains.length < helds.length && <span>of {gains.length} priced</span>}
    </p>
  );
}

interface PositionsPanelProps {
  listing: Listing<Position>;
  prices: ReadonlyMap<string, LivePrice>;
  feed: Feed | null;
}

/** Live positions at live prices. */
export function PositionsPanel({ listing, prices, feed }: PositionsPanelProps) {
  const rows = listing.rows ?? [];
  const helds = rows.map((position) => heldOf(position, prices.get(position.symbol)));
  return (
    <Panel
      title="Positions"
      count={listing.rows?.length ?? null}
      fault={listing.fault}
      emptyText="No live position."
      onRetry={() => feed?.refetch('positions')}
      summary={<Summary helds={helds} />}
    >
      <Table label="Positions" columns={COLUMNS}>
        {rows.map((position) => (
          <Row key={position.position_id} position={position} live={prices.get(position.symbol)} />
        ))}
      </Table>
    </Panel>
  );
}
