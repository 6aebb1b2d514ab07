import { useMemo } from 'react';

import { zBlacklisted } from '../api/generated/zod.gen';
import { texts, useText } from '../text/text';
import type { Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { BLACKLIST_PATH, BlacklistDialog, type Blacklisted } from './BlacklistDialog';
import { KeptList } from './KeptList';
import { TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts(
  {
    title: 'Blacklist',
    none: 'No symbol is barred. Add one of which nothing shall be bought back.',
    open: 'no end',
    over: 'over',
    remove: 'Take it off the blacklist',
    about: (symbol: string) => `${symbol} may be bought back again after its next exit. Candidates that have ended stay ended.`,
    done: (symbol: string) => `${symbol} is off the blacklist`,
  },
  {
    title: '블랙리스트',
    none: '금지된 종목이 없습니다. 재매수를 막을 종목을 추가하세요.',
    open: '기한 없음',
    over: '만료',
    remove: '블랙리스트 해제',
    about: (symbol: string) => `${symbol}은(는) 다음 청산부터 다시 재매수될 수 있습니다. 이미 종료된 후보는 되살아나지 않습니다.`,
    done: (symbol: string) => `${symbol} 해제됨`,
  },
);

const keyOf = ({ symbol }: Blacklisted) => symbol;

/** Symbols of which nothing is bought back. */
export function Blacklist() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const columns = useMemo<Column<Blacklisted>[]>(
    () => [
      { id: 'symbol', title: page.stock, width: '84px', sort: (row) => row.symbol, cell: (row) => <Stock symbol={row.symbol} /> },
      { id: 'reason', title: page.reason, width: 'minmax(70px, 1.6fr)', sort: (row) => row.reason, cell: (row) => <span title={row.reason}>{row.reason}</span> },
      {
        id: 'until',
        title: page.until,
        width: 'minmax(92px, 124px)',
        isSecondary: true,
        sort: (row) => row.until_ts,
        cell: (row) =>
          row.until_ts == null ? (
            text.open
          ) : (
            <>
              <Time at={row.until_ts} /> {Date.parse(row.until_ts) <= Date.now() && <span className={css.muted}>{text.over}</span>}
            </>
          ),
      },
      { id: 'by', title: page.by, isSecondary: true, sort: (row) => row.created_by, cell: (row) => row.created_by },
      { id: 'since', title: page.since, width: 'minmax(78px, 108px)', isSecondary: true, sort: (row) => row.created_ts, cell: (row) => <Time at={row.created_ts} /> },
    ],
    [text, page],
  );
  return (
    <KeptList
      path={BLACKLIST_PATH}
      row={zBlacklisted}
      table="trade.reentry_blacklist"
      keyOf={keyOf}
      columns={columns}
      said={text}
      addId="add-blacklist"
      editor={(row, onClose) => <BlacklistDialog row={row} onClose={onClose} />}
    />
  );
}
