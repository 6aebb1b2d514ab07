import { useState } from 'react';
import type { z } from 'zod';

import { useActor, useMay } from '../access/context';
import { zBlacklisted } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unplaced } from '../orders/faults';
import { StockSearch } from '../shell/StockSearch';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REASON_MAX, TEXT as PAGE_TEXT } from './text';
import { localOf, UntilInput, untilOf } from './UntilInput';
import css from './exits.module.css';

export type Blacklisted = z.infer<typeof zBlacklisted>;

export const BLACKLIST_PATH = '/api/v1/reentry/blacklist';

const TEXT = texts(
  {
    title: 'Buy nothing of it back',
    about: 'Candidates of the symbol end at once, and no new ones are made.',
    choose: 'Choose a stock.',
    other: 'Another one',
    needed: 'Say why.',
    save: (symbol: string) => `Blacklist ${symbol}`,
    done: (symbol: string) => `${symbol} is on the blacklist`,
  },
  {
    title: '재매수 금지',
    about: '해당 종목의 후보는 즉시 종료되며 새 후보가 만들어지지 않습니다.',
    choose: '종목을 선택하세요.',
    other: '다른 종목',
    needed: '사유를 입력하세요.',
    save: (symbol: string) => `${symbol} 등록`,
    done: (symbol: string) => `${symbol} 블랙리스트 등록됨`,
  },
);

/** Puts a symbol on the blacklist, or changes why and until when it is on it. */
export function BlacklistDialog({ row, onClose }: { row: Blacklisted | null; onClose: () => void }) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const isAllowed = useMay('TRADER');
  const [stock, setStock] = useState<{ symbol: string; name: string } | null>(row === null ? null : { symbol: row.symbol, name: row.symbol });
  const [until, setUntil] = useState(localOf(row?.until_ts));
  const [reason, setReason] = useState(row?.reason ?? '');
  const symbol = stock?.symbol ?? '';
  const actor = useActor('updated_by');
  const change = useChange('PUT', () => `${BLACKLIST_PATH}/${symbol}`, zBlacklisted, {
    isQuiet: true,
    rereads: [BLACKLIST_PATH],
    done: (saved) => text.done(saved.symbol),
  });
  const confirm = async () => {
    const end = untilOf(until);
    const saved = await change.send({ ...actor, reason: reason.trim(), ...(end === null ? {} : { until_ts: end }) });
    if (saved !== null) onClose();
  };
  const { fault } = change;
  const fields = fault?.fields ?? {};
  const note = unplaced(fault, ['until_ts', 'reason']);
  return (
    <Ask
      title={text.title}
      about={text.about}
      action={text.save(symbol)}
      isOpen
      isBusy={change.isSending}
      isReady={isAllowed && stock !== null && reason.trim() !== ''}
      onClose={onClose}
      onConfirm={() => void confirm()}
    >
      {note !== null && <FaultNote fault={note} />}
      {stock === null ? (
        <div className={css.form} data-testid="blacklist-stock">
          <StockSearch onChoose={setStock} />
          <p className={css.muted}>{text.choose}</p>
        </div>
      ) : (
        <p className={css.head}>
          <b lang="ko">{stock.name}</b> {stock.name !== stock.symbol && <span className={css.muted}>{stock.symbol}</span>}
          {row === null && (
            <Button size="small" kind="quiet" onClick={() => setStock(null)}>
              {text.other}
            </Button>
          )}
        </p>
      )}
      <Input label={page.reason} hint={text.needed} fault={fields.reason} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
      <UntilInput value={until} fault={fields.until_ts} onChange={setUntil} />
    </Ask>
  );
}
