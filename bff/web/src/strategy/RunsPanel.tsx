'use client';

import { useMemo } from 'react';

import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { countOf, formatMillis, STAGE_TEXT, wordOf } from './names';
import type { Runs, StrategyRun } from './runs';

const TEXT = texts(
  {
    title: 'Runs',
    began: 'Began',
    day: 'Day',
    state: 'State',
    stage: 'Stage',
    trigger: 'Trigger',
    by: 'By',
    took: 'Took',
    passed: 'Passed',
    signals: 'Signals',
    names: 'Names',
    reason: 'Why refused, failed, or without a portfolio',
    empty: 'The strategy has not been run yet. It runs after the close of each session when it is enabled, or now by the button above.',
  },
  {
    title: '실행 이력',
    began: '시작',
    day: '기준일',
    state: '상태',
    stage: '단계',
    trigger: '계기',
    by: '요청자',
    took: '소요',
    passed: '통과',
    signals: '시그널',
    names: '편입',
    reason: '거부·실패·포트폴리오 없음 사유',
    empty: '아직 실행된 적이 없습니다. 활성화되어 있으면 매 거래일 마감 후 실행되며, 위 버튼으로 지금 실행할 수 있습니다.',
  },
);

/** How long a run took, by its stages. */
function tookOf(run: StrategyRun): number {
  return Object.values(run.durations).reduce<number>((sum, millis) => sum + (typeof millis === 'number' ? millis : 0), 0);
}

function signalsOf(run: StrategyRun): number {
  return (countOf(run.counts, 'buy') ?? 0) + (countOf(run.counts, 'sell') ?? 0);
}

/** All runs of the strategy, newest first. The one that is opened is shown by its stages. */
export function RunsPanel({ runs, openId, onOpen }: { runs: Runs; openId: string | null; onOpen: (run: StrategyRun) => void }) {
  const text = useText(TEXT);
  const stages = useText(STAGE_TEXT);
  const columns = useMemo<Column<StrategyRun>[]>(
    () => [
      { id: 'day', title: text.day, width: '104px', sort: (run) => run.as_of, cell: (run) => run.as_of },
      { id: 'began', title: text.began, width: '116px', isSecondary: true, sort: (run) => run.created_ts, cell: (run) => <Time at={run.created_ts} /> },
      { id: 'state', title: text.state, width: '84px', sort: (run) => run.state, cell: (run) => <Tag>{run.state}</Tag> },
      { id: 'stage', title: text.stage, width: '88px', isSecondary: true, cell: (run) => (run.stage == null ? '–' : wordOf(stages, run.stage)) },
      { id: 'trigger', title: text.trigger, width: '88px', isSecondary: true, sort: (run) => run.trigger, cell: (run) => run.trigger },
      { id: 'by', title: text.by, width: 'minmax(80px, 0.6fr)', isSecondary: true, sort: (run) => run.asked_by, cell: (run) => run.asked_by },
      { id: 'took', title: text.took, width: '72px', align: 'right', sort: tookOf, cell: (run) => formatMillis(tookOf(run)) },
      { id: 'passed', title: text.passed, width: '70px', align: 'right', isSecondary: true, sort: (run) => countOf(run.counts, 'passed'), cell: (run) => <Count value={countOf(run.counts, 'passed')} /> },
      { id: 'signals', title: text.signals, width: '70px', align: 'right', isSecondary: true, sort: signalsOf, cell: (run) => <Count value={signalsOf(run)} /> },
      { id: 'names', title: text.names, width: '62px', align: 'right', sort: (run) => countOf(run.counts, 'names'), cell: (run) => <Count value={countOf(run.counts, 'names')} /> },
      { id: 'reason', title: text.reason, width: 'minmax(160px, 3fr)', cell: (run) => <span title={run.reason ?? undefined}>{run.reason ?? '–'}</span> },
    ],
    [text, stages],
  );
  const { pages, rows } = runs;
  return (
    <Panel
      title={text.title}
      count={rows.length === 0 ? null : rows.length}
      fault={pages.fault}
      onRetry={pages.retry}
      isLoading={pages.isLoading}
      empty={rows.length === 0 && pages.fault === null ? text.empty : null}
      isFlush
    >
      <DataTable
        label={text.title}
        columns={columns}
        rows={rows}
        keyOf={(run) => run.run_id}
        onOpen={onOpen}
        openKey={openId}
        height="min(62vh, 560px)"
        isLoadingMore={pages.isLoadingMore}
        {...(pages.hasMore ? { onEnd: pages.more } : {})}
      />
    </Panel>
  );
}
