'use client';

import { Bell, BellOff } from 'lucide-react';

import { scaled, unitsOf } from '../money/decimal';
import { formatBasisPoints, UNKNOWN } from '../money/format';
import { usePrice, useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Price, Signed } from '../ui/figures';
import { Tag } from '../ui/Tag';
import { alertAt, moveTo } from './alert';
import { saidOf, useSaying, type List, type Watched } from './watched';
import css from './watchlist.module.css';

const TEXT = texts(
  {
    on: (name: string) => `Alarm of ${name} is on. Switch it off`,
    off: (name: string) => `Alarm of ${name} is off. Switch it on`,
    isOn: (name: string) => `${name}: alarm on`,
    isOff: (name: string) => `${name}: alarm off`,
    reached: 'Reached',
    raised: 'Alarm',
    raisedSince: 'The alarm is raised. See System.',
    offTag: 'off',
  },
  {
    on: (name: string) => `${name} 알림 켜짐. 끄기`,
    off: (name: string) => `${name} 알림 꺼짐. 켜기`,
    isOn: (name: string) => `${name}: 알림 켜짐`,
    isOff: (name: string) => `${name}: 알림 꺼짐`,
    reached: '도달',
    raised: '알림 발생',
    raisedSince: '알림이 발생했습니다. 시스템 화면에서 확인하세요.',
    offTag: '꺼짐',
  },
);

/** A distance of so much or more fills no part of the bar, in basis points. */
const FAR = 1_000n;
/** Nearer than this stands out. */
const NEAR = 100n;

const listOf = (row: Watched): List => (row.category === 'candidate' ? 'candidate' : 'watch');

/** What a symbol is held to be worth, and how far its price is from it. */
export function Target({ row }: { row: Watched }) {
  const price = usePrice(row.symbol)?.price ?? row.last_price;
  if (row.target_price == null) return <>{UNKNOWN}</>;
  const move = moveTo(unitsOf(price), unitsOf(row.target_price));
  return (
    <span className={css.pair}>
      <Price value={row.target_price} />
      <Signed sign={move} text={formatBasisPoints(move)} />
    </span>
  );
}

/** The price that is waited for, with the switch of its alarm. */
export function AlertLevel({ row }: { row: Watched }) {
  const text = useText(TEXT);
  const change = useSaying(false, {
    isQuiet: false,
    done: (done) => (done.alert_enabled ? text.isOn : text.isOff)(done.name ?? done.symbol),
  });
  if (row.alert_price == null) return <>{UNKNOWN}</>;
  const name = row.name ?? row.symbol;
  const label = (row.alert_enabled ? text.on : text.off)(name);
  const Icon = row.alert_enabled ? Bell : BellOff;
  const flip = () =>
    void change.send({
      list: listOf(row),
      symbol: row.symbol,
      version: row.version,
      said: { ...saidOf(row), alert_enabled: !row.alert_enabled },
    });
  return (
    <span className={`${css.level} ${row.alert_enabled ? '' : css.off}`}>
      {row.alert_condition === 'BELOW' ? '≤' : '≥'} <Price value={row.alert_price} />
      <Button kind="quiet" size="small" className={css.icon} needs="TRADER" isBusy={change.isSending} aria-label={label} aria-pressed={row.alert_enabled} onClick={flip}>
        <Icon size={14} aria-hidden="true" />
      </Button>
    </span>
  );
}

/** How far the price is from what is waited for. */
export function AlertGap({ row }: { row: Watched }) {
  const text = useText(TEXT);
  const price = usePrice(row.symbol)?.price ?? row.last_price;
  const raised = useTopic('alarms').rows.some(
    (alarm) => alarm.name === 'watch_price' && alarm.cleared_ts == null && alarm.key.startsWith(`watch_price:${row.category}:${row.symbol}`),
  );
  const { state, gap } = alertAt(row, price);
  if (state === 'none') return <>{UNKNOWN}</>;
  if (state === 'off') return <Tag tone="muted">{text.offTag}</Tag>;
  if (state === 'reached') {
    return <Tag tone={raised ? 'bad' : 'warn'} {...(raised ? { title: text.raisedSince } : {})}>{raised ? text.raised : text.reached}</Tag>;
  }
  const size = gap === null ? FAR : gap < 0n ? -gap : gap;
  const filled = size >= FAR ? 0 : Number(FAR - size) / Number(FAR);
  return (
    <span className={css.gap} data-live>
      <span className={css.track} data-near={size < NEAR || undefined}>
        <i style={{ width: `${filled * 100}%` }} />
      </span>
      <span className={css.number}>{formatBasisPoints(gap)}</span>
    </span>
  );
}

/** Returns a percentage of the API in basis points, for counting who rose. */
export function changeOf(rate: number | null | undefined): bigint {
  return scaled(rate, 2) ?? 0n;
}
