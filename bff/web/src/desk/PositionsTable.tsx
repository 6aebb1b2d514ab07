import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useMemo } from 'react';

import type { LiveLevel } from '../live/levels';
import { useLive, useTopic } from '../live/provider';
import { evaluationPrice, unrealised } from '../money/pnl';
import { useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Price } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { LevelBar, Nearest } from './LevelBar';
import { nearestOf } from './levels';
import { DayChange, Gain, LastPrice, Return, type Position } from './live';
import { DESK_TEXT } from './text';
import css from './PositionsTable.module.css';

const NO_LEVELS: readonly LiveLevel[] = [];

/** Live positions at live prices, each with its levels. */
export function PositionsTable() {
  const text = useText(DESK_TEXT);
  const router = useRouter();
  const live = useLive();
  const { rows, isReady } = useTopic('positions');
  const levels = useTopic('levels').rows;
  const levelsOf = useMemo(() => new Map(levels.map((row) => [row.position_id, row.levels])), [levels]);
  const columns = useMemo<Column<Position>[]>(() => {
    const priceOf = ({ symbol }: Position) => {
      const price = live.prices.get(symbol);
      return evaluationPrice(price?.price, price?.bid);
    };
    const gainOf = (row: Position) => unrealised(row.qty, row.avg_price, priceOf(row));
    const of = (row: Position) => levelsOf.get(row.position_id) ?? NO_LEVELS;
    return [
      {
        id: 'stock',
        title: text.stock,
        width: 'minmax(112px, 1.1fr)',
        narrow: 'minmax(80px, 1fr)',
        sort: (row) => row.name,
        cell: (row) => (
          <Link className={css.stock} href={`/position/?id=${row.position_id}`}>
            <span lang="ko">{row.name}</span>
            <small>{row.symbol}</small>
          </Link>
        ),
      },
      {
        id: 'price',
        title: text.price,
        hint: text.changeHint,
        align: 'right',
        width: '104px',
        narrow: '86px',
        sort: (row) => live.prices.get(row.symbol)?.changeRate,
        cell: (row) => (
          <span className={css.two}>
            <LastPrice symbol={row.symbol} />
            <small>
              <DayChange symbol={row.symbol} />
            </small>
          </span>
        ),
      },
      {
        id: 'pnl',
        title: text.pnl,
        hint: text.pnlHint,
        align: 'right',
        width: '104px',
        narrow: '80px',
        sort: (row) => gainOf(row)?.pnl,
        cell: (row) => (
          <span className={css.two}>
            <Gain position={row} />
            <small>
              <Return position={row} />
            </small>
          </span>
        ),
      },
      {
        id: 'qty',
        title: text.qty,
        hint: text.qtyHint,
        align: 'right',
        width: '96px',
        isSecondary: true,
        sort: (row) => row.qty,
        cell: (row) => (
          <span className={css.two}>
            <Count value={row.qty} />
            <small>
              <Price value={row.avg_price} />
            </small>
          </span>
        ),
      },
      {
        id: 'phase',
        title: text.phase,
        width: '108px',
        isSecondary: true,
        sort: (row) => row.phase,
        cell: (row) => (
          <>
            <Tag tone={row.status === 'CLOSING' ? 'working' : 'plain'}>{row.status === 'CLOSING' ? row.status : row.phase}</Tag>
            {row.exit_mode !== 'ENABLED' && <span className={css.off}> {text.exitsOff(row.exit_mode)}</span>}
          </>
        ),
      },
      {
        id: 'levels',
        title: text.levels,
        hint: text.levelsHint,
        width: 'minmax(110px, 2.4fr)',
        narrow: 'minmax(70px, 1.1fr)',
        cell: (row) => <LevelBar symbol={row.symbol} levels={of(row)} average={row.avg_price} mark={row.hwm} />,
      },
      {
        id: 'nearest',
        title: text.nearest,
        hint: text.nearestHint,
        align: 'right',
        width: '158px',
        isSecondary: true,
        sort: (row) => nearestOf(of(row), priceOf(row))?.basisPoints,
        cell: (row) => <Nearest symbol={row.symbol} levels={of(row)} />,
      },
    ];
  }, [text, live, levelsOf]);
  return (
    <Panel
      title={text.positions}
      count={isReady ? rows.length : null}
      isLoading={!isReady}
      empty={isReady && rows.length === 0 ? text.noPosition : null}
      isFlush
      className={css.panel ?? ''}
    >
      <DataTable
        label={text.positions}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.position_id}
        rowHeight={42}
        height="max(360px, calc(100dvh - 252px))"
        onOpen={(row) => router.push(`/position/?id=${row.position_id}`)}
      />
    </Panel>
  );
}
