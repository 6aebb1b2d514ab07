'use client';

import { OctagonX, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import type { z } from 'zod';

import { zEmergencyStop } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { FaultNote } from '../ui/Panel';
import { StopDialog } from './StopDialog';
import { STOP_PATH, STOP_TABLES } from './risk';
import css from './stop.module.css';

const TEXT = texts(
  {
    title: 'Emergency stop',
    on: 'Entries are stopped',
    off: 'Entries are allowed',
    effectOn: 'Nothing is bought: purchases, re-entries and picks are refused. Exits go on.',
    effectOff: 'Stopping refuses every purchase, re-entry and pick at once. Exits go on.',
    stop: 'Stop all entries',
    lift: 'Lift the stop',
    by: 'by',
    loading: 'Asking whether entries are stopped',
    unknown: 'It is not known whether entries are stopped. The gate refuses every entry while nobody knows.',
  },
  {
    title: '비상 정지',
    on: '신규 진입 정지됨',
    off: '신규 진입 가능',
    effectOn: '매수·재진입·추천 종목 진입이 모두 거부됩니다. 청산은 계속됩니다.',
    effectOff: '정지하면 모든 매수·재진입·추천 진입이 즉시 거부됩니다. 청산은 계속됩니다.',
    stop: '신규 진입 전체 정지',
    lift: '정지 해제',
    by: '설정',
    loading: '진입 정지 여부 확인 중',
    unknown: '진입 정지 여부를 알 수 없습니다. 확인될 때까지 모든 진입이 거부됩니다.',
  },
);

/** The emergency stop, as large as it matters: how it stands, since when and why, and the button. */
export function StopPanel() {
  const text = useText(TEXT);
  // What stood when the dialog was opened: it asks for the opposite of that.
  const [asked, setAsked] = useState<z.infer<typeof zEmergencyStop> | null>(null);
  const stop = useRead(STOP_PATH, zEmergencyStop, { tables: STOP_TABLES });
  if (stop.data === undefined) {
    return (
      <section className={css.stop} aria-label={text.title} aria-busy={stop.isLoading}>
        <p className={css.effect}>{stop.fault === null ? `${text.loading}…` : text.unknown}</p>
        {stop.fault !== null && <FaultNote fault={stop.fault} onRetry={stop.retry} />}
      </section>
    );
  }
  const { is_enabled: isStopped, reason, updated_by, updated_ts } = stop.data;
  const Icon = isStopped ? OctagonX : ShieldCheck;
  return (
    <section className={css.stop} data-stopped={isStopped} data-testid="emergency-stop" aria-label={text.title}>
      <Icon className={css.icon} size={30} aria-hidden="true" />
      <div className={css.words}>
        <h2 className={css.state} role="status">
          {isStopped ? text.on : text.off}
        </h2>
        <p className={css.effect}>{isStopped ? text.effectOn : text.effectOff}</p>
        <p className={css.why}>
          <q data-testid="stop-reason">{reason}</q>
          <span>
            {text.by} {updated_by} · <Time at={updated_ts} />
          </span>
        </p>
      </div>
      <Button
        kind={isStopped ? 'plain' : 'danger'}
        size="large"
        needs={isStopped ? 'ADMIN' : 'TRADER'}
        className={css.press}
        data-testid="stop-button"
        onClick={() => setAsked(stop.data ?? null)}
      >
        {isStopped ? text.lift : text.stop}
      </Button>
      {asked !== null && <StopDialog stop={asked} onClose={() => setAsked(null)} />}
    </section>
  );
}
