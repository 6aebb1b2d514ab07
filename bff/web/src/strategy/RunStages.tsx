'use client';

import { texts, useText } from '../text/text';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { countOf, formatMillis, STAGE_TEXT, STAGES } from './names';
import type { StrategyRun } from './runs';
import css from './RunStages.module.css';

const TEXT = texts(
  {
    title: 'Run',
    of: (day: string) => `of ${day}`,
    by: (who: string, trigger: string) => `${trigger.toLowerCase()} · ${who}`,
    refused: 'Refused',
    failed: 'Failed',
    noPortfolio: 'No portfolio',
    total: 'total',
    running: 'under way',
    listings: 'listings',
    passed: 'passed',
    evaluated: 'evaluated',
    buy: 'buy',
    sell: 'sell',
    ranked: 'ranked',
    selected: 'selected',
    names: 'names',
    stages: 'Stages of the run',
  },
  {
    title: '실행',
    of: (day: string) => `${day} 기준`,
    by: (who: string, trigger: string) => `${trigger} · ${who}`,
    refused: '거부',
    failed: '실패',
    noPortfolio: '포트폴리오 없음',
    total: '합계',
    running: '진행 중',
    listings: '종목',
    passed: '통과',
    evaluated: '평가',
    buy: '매수',
    sell: '매도',
    ranked: '순위',
    selected: '선정',
    names: '편입',
    stages: '실행 단계',
  },
);

type Part = 'listings' | 'passed' | 'evaluated' | 'buy' | 'sell' | 'ranked' | 'selected' | 'names';

/** What a stage makes, by the names of the API. */
const MADE: Partial<Record<(typeof STAGES)[number], readonly (readonly [string, Part])[]>> = {
  LOAD: [['candidates', 'listings']],
  UNIVERSE: [['passed', 'passed']],
  FACTORS: [['evaluated', 'evaluated']],
  SIGNALS: [
    ['buy', 'buy'],
    ['sell', 'sell'],
  ],
  RANKINGS: [
    ['ranked', 'ranked'],
    ['selected', 'selected'],
  ],
  PORTFOLIO: [['names', 'names']],
};

type Progress = 'done' | 'now' | 'ahead' | 'broken';

function progressOf(run: StrategyRun, stage: string): Progress {
  if (stage in run.durations) return 'done';
  if (run.state === 'DONE') return 'done';
  const at = run.stage == null ? 0 : STAGES.indexOf(run.stage as never);
  const place = STAGES.indexOf(stage as never);
  if (place < at) return 'done';
  if (place > at) return 'ahead';
  return run.state === 'RUNNING' ? 'now' : 'broken';
}

/** A run as its stages one after the other: how long each took, what it made, and why it came to nothing. */
export function RunStages({ run }: { run: StrategyRun }) {
  const text = useText(TEXT);
  const stages = useText(STAGE_TEXT);
  const total = Object.values(run.durations).reduce<number>((sum, millis) => sum + (typeof millis === 'number' ? millis : 0), 0);
  const why = { REFUSED: text.refused, FAILED: text.failed }[run.state] ?? text.noPortfolio;
  return (
    <Panel
      title={text.title}
      count={text.of(run.as_of)}
      actions={
        <span className={css.about}>
          <Tag>{run.state}</Tag>
          <span>{text.by(run.asked_by, run.trigger)}</span>
          <Time at={run.created_ts} />
          <b>{run.ended_ts == null ? text.running : `${text.total} ${formatMillis(total)}`}</b>
        </span>
      }
    >
      <ol className={css.stages} aria-label={text.stages} data-testid="run-stages">
        {STAGES.map((stage) => {
          const millis = countOf(run.durations, stage);
          const made = (MADE[stage] ?? []).flatMap(([key, word]) => {
            const count = countOf(run.counts, key);
            return count === null ? [] : [`${count.toLocaleString('en-US')} ${text[word]}`];
          });
          return (
            <li key={stage} className={css.stage} data-progress={progressOf(run, stage)}>
              <span className={css.name}>{stages[stage]}</span>
              <span className={css.millis}>{millis === null ? '–' : formatMillis(millis)}</span>
              <span className={css.made}>{made.join(' · ')}</span>
              <i style={{ width: millis === null || total === 0 ? 0 : `${Math.max(2, (millis / total) * 100)}%` }} />
            </li>
          );
        })}
      </ol>
      {run.reason != null && (
        <p className={css.reason} data-state={run.state} data-testid="run-reason">
          <b>{why}</b> {run.reason}
        </p>
      )}
    </Panel>
  );
}
