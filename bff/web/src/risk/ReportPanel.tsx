'use client';

import type { Read } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent } from '../money/format';
import { texts, useText } from '../text/text';
import { Percent, Signed, SignedWon, Time, Won } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { NameOf } from './NameOf';
import { Share } from './Share';
import { STALE_AFTER_MS, type Report } from './risk';
import css from './risk.module.css';

const TEXT = texts(
  {
    title: 'Report',
    empty: 'There is no report yet. The engine writes one at its start and every five minutes.',
    stale: 'old',
    staleHint: 'The engine writes a report every five minutes; this one is older. Look whether it runs.',
    unknown: 'Not known',
    day: 'Day, realised',
    month: 'Month, realised',
    paper: 'On paper',
    total: 'Month, with paper',
    equity: 'Equity',
    heaviest: 'Heaviest name',
    result: 'Result',
    won: 'KRW',
    share: 'of equity',
    buffer: 'Left of the limit',
  },
  {
    title: '리스크 보고서',
    empty: '아직 보고서가 없습니다. 엔진은 시작할 때와 5분마다 보고서를 작성합니다.',
    stale: '지연',
    staleHint: '보고서는 5분마다 작성되는데 이 보고서는 그보다 오래되었습니다. 엔진 상태를 확인하세요.',
    unknown: '알 수 없음',
    day: '당일 실현',
    month: '당월 실현',
    paper: '평가손익',
    total: '당월 합계',
    equity: '평가금액',
    heaviest: '최대 비중 종목',
    result: '손익',
    won: '원',
    share: '비율',
    buffer: '한도까지 여유',
  },
);

/** What is left of a loss limit: a bar that empties. */
function Buffer({ label, value }: { label: string; value: number | null | undefined }) {
  const text = useText(TEXT);
  const tone = value == null ? undefined : value <= 5 ? 'RED' : value <= 15 ? 'ORANGE' : value <= 30 ? 'YELLOW' : 'GREEN';
  const width = Math.max(0, Math.min(100, value ?? 0));
  return (
    <span className={css.buffer}>
      <span className={css.bar} role="meter" aria-label={`${label}: ${text.buffer}`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={width}>
        <span className={css.fill} data-level={tone} style={{ width: `${width}%` }} />
      </span>
      <Share value={value} />
    </span>
  );
}

/** The newest report: results of day and month, what is left of the losses allowed, what is not known. */
export function ReportPanel({ report }: { report: Read<Report> }) {
  const text = useText(TEXT);
  const { data } = report;
  const isMissing = report.fault?.code === 'NOT_FOUND';
  const isStale = data !== undefined && Date.now() - Date.parse(data.ts) > STALE_AFTER_MS;
  const rows =
    data === undefined
      ? []
      : ([
          ['day', text.day, data.day_result, data.day_result_pct, data.daily_buffer_pct],
          ['month', text.month, data.month_result, data.month_result_pct, undefined],
          ['paper', text.paper, data.unrealized_result, undefined, undefined],
          ['total', text.total, data.total_result, data.total_result_pct, data.total_buffer_pct],
        ] as const);
  return (
    <Panel
      title={text.title}
      fault={isMissing ? null : report.fault}
      onRetry={report.retry}
      isLoading={report.isLoading}
      empty={isMissing && data === undefined ? text.empty : null}
      actions={
        data !== undefined && (
          <>
            {isStale && (
              <Tag tone="warn" title={text.staleHint}>
                {text.stale}
              </Tag>
            )}
            <span className={css.at} data-testid="report-time">
              <Time at={data.ts} />
            </span>
          </>
        )
      }
    >
      {data?.unknown != null && (
        <p className={css.alert} role="alert" data-testid="report-unknown">
          <b>{text.unknown}:</b> {data.unknown}
        </p>
      )}
      {data !== undefined && (
        <>
          <table className={css.results}>
            <thead>
              <tr>
                <th scope="col">{text.result}</th>
                <th scope="col">{text.won}</th>
                <th scope="col">{text.share}</th>
                <th scope="col">{text.buffer}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([id, name, amount, part, buffer]) => (
                <tr key={id}>
                  <th scope="row">{name}</th>
                  <td data-testid={`result-${id}`}>
                    {amount == null ? <Signed sign={null} text="–" /> : <SignedWon value={unitsOf(amount)} basisPoints={basisPointsOfPercent(part)} />}
                  </td>
                  <td>{part === undefined ? '' : <Percent value={part} />}</td>
                  <td>{buffer === undefined ? '' : <Buffer label={name} value={buffer} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <dl className={css.pair}>
            <div>
              <dt>{text.equity}</dt>
              <dd data-testid="equity">
                <Won value={data.equity} />
              </dd>
            </div>
            <div>
              <dt>{text.heaviest}</dt>
              <dd>
                {data.largest_symbol == null ? (
                  '–'
                ) : (
                  <>
                    <NameOf name={data.largest_symbol} /> <Share value={data.largest_weight} />
                  </>
                )}
              </dd>
            </div>
          </dl>
        </>
      )}
    </Panel>
  );
}
