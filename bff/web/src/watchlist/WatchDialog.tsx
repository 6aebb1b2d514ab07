'use client';

import { useState } from 'react';

import { useMay } from '../access/context';
import { unitsOf } from '../money/decimal';
import { formatBasisPoints } from '../money/format';
import { usePrice } from '../live/provider';
import { LiveChange, LivePrice } from '../stocks/live';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Ask } from '../ui/Dialog';
import { Area, Choice, Input, Switch } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { moveTo } from './alert';
import { LIST_TEXT } from './lists';
import { typedPrice } from './typed';
import { LISTS, useSaying, type List, type Watched } from './watched';
import css from './watchlist.module.css';

const TEXT = texts(
  {
    add: 'Watch',
    edit: 'Change',
    save: 'Save',
    put: 'Add',
    list: 'List',
    memo: 'Memo',
    target: 'Target price',
    alert: 'Alarm at a price',
    alertPrice: 'Alarm price',
    side: 'Alarm when the price is',
    ABOVE: 'at or above',
    BELOW: 'at or below',
    reason: 'Reason',
    amount: 'An amount above zero with at most 4 decimals.',
    needed: 'The alarm needs a price.',
    away: (move: string) => `${move} from the price now`,
    reached: 'The price is there already: the alarm is raised at once.',
    said: 'Kept with the change',
    newer: 'Somebody has changed it since you opened it.',
    take: 'Load what stands now',
    there: 'It is on this list already. Close this and change the row that is there.',
    remove: 'Take off the list',
    added: (name: string) => `${name}: on the list`,
    saved: (name: string) => `${name}: saved`,
  },
  {
    add: '관심종목 추가',
    edit: '수정',
    save: '저장',
    put: '추가',
    list: '목록',
    memo: '메모',
    target: '목표가',
    alert: '가격 알림',
    alertPrice: '알림 가격',
    side: '알림 조건',
    ABOVE: '이상',
    BELOW: '이하',
    reason: '사유',
    amount: '0보다 큰 금액, 소수점 넷째 자리까지 입력하세요.',
    needed: '알림을 켜려면 가격이 필요합니다.',
    away: (move: string) => `현재가 대비 ${move}`,
    reached: '이미 도달한 가격입니다. 저장하면 바로 알림이 발생합니다.',
    said: '변경 기록에 남습니다',
    newer: '여는 동안 다른 사용자가 변경했습니다.',
    take: '현재 내용 불러오기',
    there: '이미 이 목록에 있습니다. 닫고 기존 행을 수정하세요.',
    remove: '목록에서 제거',
    added: (name: string) => `${name}: 목록에 추가`,
    saved: (name: string) => `${name}: 저장됨`,
  },
);

const TEXT_MAX = 500;

const shown = (price: number | null | undefined) => (price == null ? '' : String(price));

interface WatchDialogProps {
  stock: { symbol: string; name: string };
  /** The list it is put on first. */
  list: List;
  /** What is said of it now; without it it is put on a list. */
  row?: Watched;
  onClose: () => void;
  onRemove?: () => void;
}

/** Puts a symbol on a list, or changes what is waited for. It is mounted while it is open. */
export function WatchDialog({ stock, list: first, row, onClose, onRemove }: WatchDialogProps) {
  const text = useText(TEXT);
  const lists = useText(LIST_TEXT);
  const isAllowed = useMay('TRADER');
  const isNew = row === undefined;
  const [from, setFrom] = useState(row);
  const [list, setList] = useState<List>(first);
  const [memo, setMemo] = useState(row?.memo ?? '');
  const [target, setTarget] = useState(shown(row?.target_price));
  const [isOn, setOn] = useState(row?.alert_enabled ?? false);
  const [level, setLevel] = useState(shown(row?.alert_price));
  const [side, setSide] = useState(row?.alert_condition === 'BELOW' ? 'BELOW' : 'ABOVE');
  const [reason, setReason] = useState(row?.reason ?? '');
  const live = usePrice(stock.symbol);
  const change = useSaying(isNew, { isQuiet: true, done: (done) => (isNew ? text.added : text.saved)(done.name ?? done.symbol) });

  const targetPrice = typedPrice(target);
  const alertPrice = typedPrice(level);
  const needed = isOn && alertPrice === null ? text.needed : null;
  const now = unitsOf(live?.price ?? row?.last_price);
  const move = moveTo(now, unitsOf(alertPrice));
  const isReached = move !== null && (side === 'BELOW' ? move >= 0n : move <= 0n);
  const { fault } = change;
  const isConflict = fault?.code === 'CONFLICT';

  const take = () => {
    if (row === undefined) return;
    change.reset();
    setFrom(row);
    setMemo(row.memo ?? '');
    setTarget(shown(row.target_price));
    setOn(row.alert_enabled);
    setLevel(shown(row.alert_price));
    setSide(row.alert_condition === 'BELOW' ? 'BELOW' : 'ABOVE');
    setReason(row.reason ?? '');
  };
  const save = async () => {
    const saved = await change.send({
      list,
      symbol: stock.symbol,
      version: from?.version ?? null,
      said: {
        memo: memo.trim() === '' ? null : memo.trim(),
        target_price: targetPrice ?? null,
        alert_enabled: isOn,
        alert_price: alertPrice ?? null,
        alert_condition: alertPrice == null ? null : side,
        reason: reason.trim() === '' ? null : reason.trim(),
      },
    });
    if (saved !== null) onClose();
  };
  return (
    <Ask
      title={`${isNew ? text.add : text.edit}: ${stock.name}`}
      about={
        <span className={css.quote}>
          <code>{stock.symbol}</code>
          <b>
            <LivePrice symbol={stock.symbol} last={row ?? {}} />
          </b>
          <LiveChange symbol={stock.symbol} last={row ?? {}} hasArrow />
        </span>
      }
      isOpen
      onClose={onClose}
      action={isNew ? text.put : text.save}
      isBusy={change.isSending}
      isReady={isAllowed && targetPrice !== undefined && alertPrice !== undefined && needed === null}
      onConfirm={() => void save()}
    >
      {fault !== null && <FaultNote fault={fault} />}
      {isConflict && (
        <p className={css.conflict}>
          {isNew ? text.there : text.newer} {!isNew && <Button size="small" onClick={take}>{text.take}</Button>}
        </p>
      )}
      {isNew && (
        <Choice label={text.list} options={LISTS.map((value) => ({ value, label: lists[value] }))} at={list} onChange={setList} />
      )}
      <Input
        label={text.target}
        unit="KRW"
        inputMode="decimal"
        value={target}
        fault={targetPrice === undefined ? text.amount : fault?.fields.target_price}
        onChange={(event) => setTarget(event.target.value)}
      />
      <fieldset className={css.alert}>
        <legend className="visually-hidden">{text.alert}</legend>
        <Switch label={text.alert} isOn={isOn} onChange={setOn} isDisabled={!isAllowed} />
        <Choice
          label={text.side}
          options={[
            { value: 'ABOVE', label: text.ABOVE },
            { value: 'BELOW', label: text.BELOW },
          ]}
          at={side}
          onChange={setSide}
        />
        <Input
          label={text.alertPrice}
          unit="KRW"
          inputMode="decimal"
          value={level}
          fault={alertPrice === undefined ? text.amount : (needed ?? fault?.fields.alert_price ?? fault?.fields.alert_condition)}
          hint={move === null ? undefined : isReached && isOn ? text.reached : text.away(formatBasisPoints(move))}
          onChange={(event) => setLevel(event.target.value)}
        />
      </fieldset>
      <Area label={text.memo} rows={2} maxLength={TEXT_MAX} value={memo} fault={fault?.fields.memo} onChange={(event) => setMemo(event.target.value)} />
      <Input
        label={text.reason}
        hint={text.said}
        maxLength={TEXT_MAX}
        value={reason}
        fault={fault?.fields.reason}
        onChange={(event) => setReason(event.target.value)}
      />
      {onRemove !== undefined && (
        <Button kind="quiet" needs="TRADER" className={css.remove} onClick={onRemove}>
          {text.remove}
        </Button>
      )}
    </Ask>
  );
}
