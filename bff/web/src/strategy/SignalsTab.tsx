'use client';

import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zSignal, zSignals } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock } from '../ui/figures';
import { Choice, Select } from '../ui/form';
import { Split } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { FactorProfile } from './FactorProfile';
import { FactorSpark } from './FactorBars';
import { CALM_MS, FACTOR_TEXT, FACTORS, formatScore, STRATEGY_TABLES, type FactorName } from './names';
import { Gauge } from './Gauge';
import css from './tabs.module.css';

const TEXT = texts(
  {
    title: 'Signals',
    kinds: 'Kind of signal',
    buy: 'Buy',
    sell: 'Sell',
    rank: '#',
    stock: 'Stock',
    strength: 'Strength',
    strengthHint: '0 to 100: 50 + 50 times the total score',
    conviction: 'Conviction',
    convictionHint: '0 to 100: how many factors say so, and how much they agree',
    total: 'Score',
    factors: 'Factors',
    filter: 'Led by',
    any: 'Any factor',
    none: 'No run has published signals yet. Run the strategy, or read in the newest run why it was refused.',
    noneOf: (kind: string) => `No ${kind} signal on this day: nothing was strong enough.`,
    noneLed: 'No signal is led by this factor.',
  },
  {
    title: '시그널',
    kinds: '시그널 종류',
    buy: '매수',
    sell: '매도',
    rank: '#',
    stock: '종목',
    strength: '강도',
    strengthHint: '0~100: 50 + 50 × 종합 점수',
    conviction: '확신도',
    convictionHint: '0~100: 같은 방향 팩터의 비율과 일치도',
    total: '점수',
    factors: '팩터',
    filter: '주도 팩터',
    any: '전체',
    none: '아직 발행된 시그널이 없습니다. 전략을 실행하거나 최근 실행의 거부 사유를 확인하세요.',
    noneOf: (kind: string) => `이 날짜에는 ${kind} 시그널이 없습니다. 기준을 넘은 종목이 없습니다.`,
    noneLed: '이 팩터가 주도하는 시그널이 없습니다.',
  },
);

type Signal = z.infer<typeof zSignal>;

/** The factor that speaks loudest in the direction of the signal. */
function leadOf(signal: Signal, direction: 1 | -1): FactorName | null {
  const known = FACTORS.filter((factor) => signal.factors[factor] != null);
  return known.sort((a, b) => direction * ((signal.factors[b] ?? 0) - (signal.factors[a] ?? 0)))[0] ?? null;
}

/** Buy and sell signals of the newest day, beside the factors of the one that is chosen. */
export function SignalsTab({ strategy, isThere, symbol, onSymbol }: { strategy: string; isThere: boolean; symbol: string | null; onSymbol: (symbol: string) => void }) {
  const text = useText(TEXT);
  const names = useText(FACTOR_TEXT);
  const [kind, setKind] = useState<'buy' | 'sell'>('buy');
  const [lead, setLead] = useState<string>('');
  const path = isThere ? `/api/v1/signals/latest?strategy_id=${encodeURIComponent(strategy)}` : null;
  const { data, fault, isLoading, retry } = useRead(path, zSignals, { tables: STRATEGY_TABLES, everyMs: 3 * CALM_MS });
  const all = data?.[kind];
  const rows = useMemo(
    () => (all ?? []).filter((signal) => lead === '' || leadOf(signal, kind === 'buy' ? 1 : -1) === lead),
    [all, lead, kind],
  );
  const columns = useMemo<Column<Signal>[]>(
    () => [
      { id: 'rank', title: text.rank, width: '44px', align: 'right', sort: (row) => row.rank, cell: (row) => row.rank },
      { id: 'stock', title: text.stock, width: 'minmax(130px, 2fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'strength', title: text.strength, hint: text.strengthHint, width: 'minmax(96px, 1fr)', align: 'right', sort: (row) => row.strength, cell: (row) => <Gauge value={row.strength} /> },
      { id: 'conviction', title: text.conviction, hint: text.convictionHint, width: '88px', align: 'right', isSecondary: true, sort: (row) => row.conviction, cell: (row) => formatScore(row.conviction) },
      { id: 'total', title: text.total, width: '72px', align: 'right', isSecondary: true, sort: (row) => row.total_score, cell: (row) => formatScore(row.total_score, 3) },
      { id: 'factors', title: text.factors, width: '84px', align: 'center', cell: (row) => <FactorSpark factors={row.factors} /> },
    ],
    [text],
  );
  const said = kind === 'buy' ? text.buy : text.sell;
  const empty = !isThere ? text.none : data === undefined ? null : rows.length > 0 ? null : lead === '' ? text.noneOf(said) : text.noneLed;
  const shown = symbol ?? rows[0]?.symbol ?? null;
  return (
    <Split columns="minmax(0, 1.25fr) minmax(0, 1fr)">
      <Panel
        title={text.title}
        count={data?.as_of ?? null}
        actions={
          <span className={css.tools}>
            <Select
              label={text.filter}
              isInline
              value={lead}
              onChange={(event) => setLead(event.target.value)}
              options={[{ value: '', label: text.any }, ...FACTORS.map((factor) => ({ value: factor, label: names[factor] }))]}
            />
            <Choice
              label={text.kinds}
              at={kind}
              onChange={setKind}
              options={[
                { value: 'buy', label: `${text.buy} ${data?.buy.length ?? ''}` },
                { value: 'sell', label: `${text.sell} ${data?.sell.length ?? ''}` },
              ]}
            />
          </span>
        }
        fault={fault}
        onRetry={retry}
        isLoading={isLoading}
        empty={empty}
        isFlush
      >
        <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => row.symbol} onOpen={(row) => onSymbol(row.symbol)} openKey={shown} rowHeight={36} height="min(66vh, 620px)" />
      </Panel>
      <FactorProfile symbol={isThere ? shown : null} strategy={strategy} />
    </Split>
  );
}
