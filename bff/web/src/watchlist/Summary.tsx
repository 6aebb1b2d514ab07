'use client';

import { useSyncExternalStore } from 'react';

import { formatBasisPoints, UNKNOWN } from '../money/format';
import { useLive } from '../live/provider';
import { texts, useText } from '../text/text';
import { Stat, Stats } from '../ui/layout';
import { alertAt, nearness } from './alert';
import { changeOf } from './cells';
import type { Watched } from './watched';

const TEXT = texts(
  { watched: 'On the list', up: 'Up', down: 'Down', armed: 'Alarms on', reached: 'Reached', nearest: 'Nearest alarm', none: 'No alarm waits' },
  { watched: '종목 수', up: '상승', down: '하락', armed: '알림 켜짐', reached: '도달', nearest: '가장 가까운 알림', none: '대기 중인 알림 없음' },
);

/** The list at a glance, live. */
export function Summary({ rows: known }: { rows: readonly Watched[] | undefined }) {
  const text = useText(TEXT);
  const { prices } = useLive();
  useSyncExternalStore(
    (listener) => prices.listenToAll(listener),
    () => prices.version,
  );
  const rows = known ?? [];
  const counted = (count: number) => (known === undefined ? UNKNOWN : count);
  let up = 0;
  let down = 0;
  let armed = 0;
  let reached = 0;
  let nearest: { row: Watched; gap: bigint; size: bigint } | null = null;
  for (const row of rows) {
    const live = prices.get(row.symbol);
    const change = changeOf(live?.changeRate ?? row.change_rate);
    if (change > 0n) up += 1;
    if (change < 0n) down += 1;
    if (row.alert_enabled) armed += 1;
    const alert = alertAt(row, live?.price ?? row.last_price);
    if (alert.state === 'reached') reached += 1;
    const size = nearness(alert);
    if (alert.gap !== null && size !== null && size >= 0n && (nearest === null || size < nearest.size)) {
      nearest = { row, gap: alert.gap, size };
    }
  }
  return (
    <Stats>
      <Stat name={text.watched} testId="watched-count">{counted(rows.length)}</Stat>
      <Stat name={text.up}>{counted(up)}</Stat>
      <Stat name={text.down}>{counted(down)}</Stat>
      <Stat name={text.armed} testId="alerts-armed">{counted(armed)}</Stat>
      <Stat name={text.reached} testId="alerts-reached">{counted(reached)}</Stat>
      <Stat name={text.nearest} note={nearest === null ? text.none : <span lang="ko">{nearest.row.name ?? nearest.row.symbol}</span>}>
        {nearest === null ? UNKNOWN : formatBasisPoints(nearest.gap)}
      </Stat>
    </Stats>
  );
}
