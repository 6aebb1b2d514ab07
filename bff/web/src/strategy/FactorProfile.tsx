'use client';

import { zEvaluation } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Stock } from '../ui/figures';
import { Stat, Stats } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { FactorBars } from './FactorBars';
import { CALM_MS, formatScore, STRATEGY_TABLES } from './names';
import { Radar } from './Radar';
import css from './FactorProfile.module.css';

const TEXT = texts(
  {
    title: 'Factor profile',
    choose: 'Choose a signal to see what speaks for the symbol and what against it.',
    unknown: (symbol: string) => `${symbol} was not evaluated: it is not in the universe of the newest signals.`,
    total: 'Total score',
    strength: 'Strength',
    conviction: 'Conviction',
    none: 'No signal',
    few: 'Fewer than four factors are known: there is no score.',
    range: 'Each factor reaches from −1 (against) to +1 (for). The dashed ring is neutral; a missing factor counts for nothing and is drawn hollow.',
  },
  {
    title: '팩터 프로필',
    choose: '시그널을 선택하면 종목의 긍정·부정 요인을 볼 수 있습니다.',
    unknown: (symbol: string) => `${symbol}은(는) 최신 시그널의 유니버스에 없어 평가되지 않았습니다.`,
    total: '종합 점수',
    strength: '강도',
    conviction: '확신도',
    none: '시그널 없음',
    few: '확인된 팩터가 4개 미만이라 점수가 없습니다.',
    range: '각 팩터는 −1(부정)부터 +1(긍정)까지입니다. 점선은 중립이며, 없는 팩터는 계산에서 빠지고 빈 점으로 표시됩니다.',
  },
);

/** What the factors of one symbol say, as a radar and as bars. */
export function FactorProfile({ symbol, strategy }: { symbol: string | null; strategy: string }) {
  const text = useText(TEXT);
  const path = symbol === null ? null : `/api/v1/signals/factors/${encodeURIComponent(symbol)}?strategy_id=${encodeURIComponent(strategy)}`;
  const { data, fault, isLoading, retry } = useRead(path, zEvaluation, { tables: STRATEGY_TABLES, everyMs: 3 * CALM_MS });
  const isUnknown = fault?.code === 'NOT_FOUND';
  const empty = symbol === null ? text.choose : isUnknown ? text.unknown(symbol) : data === undefined ? '' : null;
  return (
    <Panel
      title={text.title}
      count={data?.as_of ?? null}
      actions={data?.signal != null ? <Tag tone="plain">{`${data.signal} #${data.rank}`}</Tag> : data === undefined ? undefined : <Tag tone="muted">{text.none}</Tag>}
      fault={isUnknown ? null : fault}
      onRetry={retry}
      isLoading={isLoading}
      empty={empty === '' ? null : empty}
    >
      {data !== undefined && !isUnknown && (
        <div className={css.profile} data-testid="factor-profile">
          <h3 className={css.name}>
            <Stock name={data.name ?? null} symbol={data.symbol} />
          </h3>
          <Stats>
            <Stat name={text.strength} testId="profile-strength">
              {formatScore(data.strength)}
            </Stat>
            <Stat name={text.conviction}>{formatScore(data.conviction)}</Stat>
            <Stat name={text.total}>{formatScore(data.total_score, 3)}</Stat>
          </Stats>
          {data.total_score == null && <p className={css.note}>{text.few}</p>}
          <div className={css.shapes}>
            <Radar factors={data.factors} label={text.title} />
            <FactorBars factors={data.factors} />
          </div>
          <p className={css.note}>{text.range}</p>
        </div>
      )}
    </Panel>
  );
}
