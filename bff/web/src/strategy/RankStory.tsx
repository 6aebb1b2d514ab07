'use client';

import { texts, useText } from '../text/text';
import { Stock } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { formatScore, REASON_TEXT, wordOf } from './names';
import type { Ranked } from './RankingTab';
import css from './RankStory.module.css';

const TEXT = texts(
  {
    title: 'What moved its rank',
    strength: '0.7 × strength',
    safety: '0.3 × (100 − risk)',
    score: 'Score',
    sector: 'Its sector is well represented above it',
    market: 'Its market is well represented above it',
    total: 'Total',
    kept: (place: number) => `Place ${place} by its score, and place ${place} in the ranking: diversity did not move it.`,
    up: (from: number, to: number) => `Place ${from} by its score, place ${to} in the ranking: others above it lost points.`,
    down: (from: number, to: number) => `Place ${from} by its score, place ${to} in the ranking.`,
    selected: 'Selected for the portfolio',
    not: (why: string) => `Not selected: ${why}`,
  },
  {
    title: '순위 변동 요인',
    strength: '0.7 × 강도',
    safety: '0.3 × (100 − 위험)',
    score: '점수',
    sector: '같은 업종이 위에 많음',
    market: '같은 시장이 위에 많음',
    total: '총점',
    kept: (place: number) => `점수로 ${place}위, 랭킹도 ${place}위: 분산 규칙의 영향이 없습니다.`,
    up: (from: number, to: number) => `점수로 ${from}위, 랭킹 ${to}위: 위에 있던 종목이 감점되었습니다.`,
    down: (from: number, to: number) => `점수로 ${from}위, 랭킹 ${to}위입니다.`,
    selected: '포트폴리오 대상으로 선정',
    not: (why: string) => `미선정: ${why}`,
  },
);

/** How the total of one symbol comes about, step by step, and what that does to its place. */
export function RankStory({ row, byScore }: { row: Ranked; byScore: number }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const steps: readonly (readonly [string, string, 'part' | 'loss' | 'sum'])[] = [
    [text.strength, `+${formatScore(0.7 * row.strength, 2)}`, 'part'],
    [text.safety, `+${formatScore(0.3 * (100 - row.risk_score), 2)}`, 'part'],
    [text.score, formatScore(row.score, 2), 'sum'],
    ...(row.sector_loss === 0 ? [] : [[text.sector, `−${row.sector_loss}`, 'loss'] as const]),
    ...(row.market_loss === 0 ? [] : [[text.market, `−${row.market_loss}`, 'loss'] as const]),
    [text.total, formatScore(row.total_score, 2), 'sum'],
  ];
  const moved = row.rank === byScore ? text.kept(row.rank) : row.rank < byScore ? text.up(byScore, row.rank) : text.down(byScore, row.rank);
  return (
    <Panel title={text.title}>
      <div className={css.story} data-testid="rank-story">
        <h3 className={css.name}>
          <Stock name={row.name ?? null} symbol={row.symbol} />
        </h3>
        <dl className={css.steps}>
          {steps.map(([name, value, kind]) => (
            <div key={name} data-kind={kind}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p>{moved}</p>
        <p>
          <Tag tone={row.selected ? 'good' : 'muted'}>{row.selected ? text.selected : text.not(wordOf(reasons, row.reason ?? ''))}</Tag>
        </p>
      </div>
    </Panel>
  );
}
