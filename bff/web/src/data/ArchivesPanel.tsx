'use client';

import { z } from 'zod';

import { useRead } from '../api/hooks';
import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Count, Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { zMetric } from './collections';
import css from './data.module.css';

const TEXT = texts(
  {
    title: 'Archives',
    days: 'Days archived since the start',
    rows: 'Prices in them',
    held: 'Old days that stay',
    failures: 'Failed attempts',
    looked: 'Looked at',
    empty: 'No day of prices has been archived. With retention.days, days that are older leave the database as files.',
    commands: 'Files and restores:',
    failing: 'Old prices are not archived: see System.',
  },
  {
    title: '보관 파일',
    days: '시작 이후 보관한 날',
    rows: '보관한 체결가',
    held: '남아 있는 오래된 날',
    failures: '실패',
    looked: '확인',
    empty: '보관된 체결가가 없습니다. retention.days를 설정하면 그보다 오래된 날은 파일로 옮겨집니다.',
    commands: '파일 목록과 복원:',
    failing: '오래된 체결가를 보관하지 못하고 있습니다. 시스템 화면을 확인하세요.',
  },
);

const EVERY_MS = 15_000;

/** Days of prices that have left the database for files. */
export function ArchivesPanel() {
  const text = useText(TEXT);
  const { data, fault, isLoading, retry } = useRead('/api/v1/metrics/latest?name=retention_', z.array(zMetric), { everyMs: EVERY_MS });
  const isFailing = useTopic('alarms').rows.some((alarm) => alarm.name === 'ARCHIVE_FAILED' && alarm.cleared_ts == null);
  const metrics = data ?? [];
  const of = (name: string) => metrics.find((metric) => metric.name === name);
  const isEmpty = !isLoading && metrics.length === 0;
  return (
    <Panel title={text.title} fault={fault} onRetry={retry} isLoading={isLoading} empty={isEmpty ? text.empty : null}>
      {isFailing && <p role="alert">{text.failing}</p>}
      <Facts
        facts={[
          [text.days, <Count key="days" value={of('retention_archived_days_total')?.value ?? 0} />],
          [text.rows, <Count key="rows" value={of('retention_archived_rows_total')?.value ?? 0} />],
          [text.held, <Count key="held" value={of('retention_held_days')?.value ?? 0} />],
          [text.failures, <Count key="failures" value={of('retention_failures_total')?.value ?? 0} />],
          [text.looked, <Time key="looked" at={metrics[0]?.ts} />],
        ]}
      />
      <p className={css.command}>
        {text.commands} <code>turnstile archive list</code>, <code>turnstile archive restore DAY</code>
      </p>
    </Panel>
  );
}
