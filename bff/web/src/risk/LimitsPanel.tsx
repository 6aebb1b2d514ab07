'use client';

import { useState } from 'react';

import type { Read } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Count, Percent, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { LimitsEditor } from './LimitsEditor';
import { NameOf } from './NameOf';
import { Share } from './Share';
import { UsageBar } from './UsageBar';
import { usagesOf, type Limits, type Report, type Usage } from './risk';
import { RISK_TEXT, said } from './words';
import css from './risk.module.css';

const TEXT = texts(
  {
    title: 'Limits in force',
    edit: 'Change limits',
    none: 'The profile in force has no limits at this time: every entry is refused. Set limits to trade again.',
    open: 'bounds nothing',
    unknown: 'not known',
    limit: 'limit',
    of: (usage: string) => `${usage} of the limit`,
    since: 'Since',
    until: 'in force until',
    open_end: 'In force until others take their place',
    by: (by: string, version: number) => `by ${by} · version ${version}`,
  },
  {
    title: '적용 중인 한도',
    edit: '한도 변경',
    none: '현재 프로필에 적용 중인 한도가 없어 모든 진입이 거부됩니다. 거래하려면 한도를 설정하세요.',
    open: '제한 없음',
    unknown: '알 수 없음',
    limit: '한도',
    of: (usage: string) => `한도의 ${usage}`,
    since: '적용 시작',
    until: '종료',
    open_end: '변경될 때까지',
    by: (by: string, version: number) => `${by} 설정 · 버전 ${version}`,
  },
);

/** Whether limits began at a time that means something: those of the first start have the epoch. */
function isSince(at: string): boolean {
  return Date.parse(at) > 0;
}

/** One limit: what is used, the bound, and a bar between them. */
function LimitRow({ row }: { row: Usage }) {
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const isNames = row.check === 'TOTAL_POSITIONS';
  const isLoss = row.check === 'DAILY_LOSS' || row.check === 'TOTAL_LOSS';
  return (
    <li className={css.usage} data-check={row.check}>
      <span className={css.name}>
        <span>{words[row.check]}</span> {row.of !== null && <NameOf name={row.of} />}
      </span>
      <span className={css.figures}>
        <b data-testid={`now-${row.check}`}>{isNames ? <Count value={row.now} /> : isLoss ? <Percent value={row.now} /> : <Share value={row.now} />}</b>
        <span className={css.bound}>
          {text.limit} {isLoss && '−'}
          {isNames ? <Count value={row.limit} /> : <Share value={row.limit} />}
        </span>
      </span>
      <UsageBar label={words[row.check]} usage={row.isOpen ? null : row.usage} />
      <span className={css.used} data-testid={`usage-${row.check}`}>
        {row.isOpen ? text.open : row.usage === null ? text.unknown : <Share value={row.usage} />}
      </span>
    </li>
  );
}

/** Limits in force with how much of each is used, and the way to change them. */
export function LimitsPanel({ limits, report }: { limits: Read<Limits>; report: Report | undefined }) {
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const [isOpen, setOpen] = useState(false);
  const { data } = limits;
  const figures = data?.limits ?? null;
  return (
    <Panel
      title={text.title}
      fault={limits.fault}
      onRetry={limits.retry}
      isLoading={limits.isLoading}
      actions={
        data !== undefined && (
          <>
            <Tag tone="working">{said(words, data.profile)}</Tag>
            <Button size="small" needs="ADMIN" data-testid="edit-limits" onClick={() => setOpen(true)}>
              {text.edit}
            </Button>
          </>
        )
      }
    >
      {data !== undefined && figures === null && <p className={css.alert}>{text.none}</p>}
      {figures !== null && (
        <ul className={css.usages}>
          {usagesOf(report, figures).map((row) => (
            <LimitRow key={row.check} row={row} />
          ))}
        </ul>
      )}
      {data !== undefined && (
        <p className={css.note}>
          {figures !== null && (
            <>
              {isSince(figures.active_from) && (
                <>
                  {text.since} <Time at={figures.active_from} />,{' '}
                </>
              )}
              {figures.active_to == null ? (
                text.open_end
              ) : (
                <>
                  {text.until} <Time at={figures.active_to} />
                </>
              )}{' '}
              ·{' '}
            </>
          )}
          {text.by(data.updated_by, data.version)}
          {data.reason != null && <> · {data.reason}</>}
        </p>
      )}
      {data !== undefined && isOpen && <LimitsEditor limits={data} onClose={() => setOpen(false)} />}
    </Panel>
  );
}
