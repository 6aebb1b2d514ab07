import Link from 'next/link';
import { useState } from 'react';

import { zResolution } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { StockSearch } from '../shell/StockSearch';
import { texts, useText } from '../text/text';
import { Choice, Input, Select } from '../ui/form';
import { FaultNote, Panel } from '../ui/Panel';
import { Tag, type Tone } from '../ui/Tag';
import type { LivePosition } from './Ladder';
import css from './lookup.module.css';
import { SCOPE_TEXT } from './words';

const TEXT = texts(
  {
    title: 'Which rule serves …',
    of: 'Of what',
    live: 'A live position',
    new: 'A new position',
    position: 'Position',
    choose: 'Choose one',
    strategy: 'Strategy',
    configured: 'the configured one',
    hint: 'Choose, and see which rule is in force and why.',
    none: 'No rule: it is not guarded.',
    by: (level: string) => `chosen by: ${level}`,
    told: (id: string, version: number) => `The engine still judges by ${id} v${version}.`,
    passed: 'Passed over',
    override: 'Override this stock',
    open: 'Its override',
    OUTRANKED: 'outranked',
    INACTIVE: 'off',
    NOT_YET: 'not yet',
    UNREADABLE: 'faulty',
    MISSING: 'missing',
  },
  {
    title: '어떤 규칙이 적용되나',
    of: '대상',
    live: '보유 포지션',
    new: '새 포지션',
    position: '포지션',
    choose: '선택하세요',
    strategy: '전략',
    configured: '설정된 전략',
    hint: '선택하면 적용 중인 규칙과 이유가 나옵니다.',
    none: '규칙이 없어 보호되지 않습니다.',
    by: (level: string) => `선택 기준: ${level}`,
    told: (id: string, version: number) => `엔진은 아직 ${id} v${version} 기준입니다.`,
    passed: '적용되지 않은 규칙',
    override: '이 종목만 따로 정하기',
    open: '종목 규칙 열기',
    OUTRANKED: '후순위',
    INACTIVE: '꺼짐',
    NOT_YET: '적용 전',
    UNREADABLE: '오류',
    MISSING: '없음',
  },
);

const TONES: Readonly<Record<string, Tone>> = { UNREADABLE: 'bad', MISSING: 'bad', NOT_YET: 'working' };

interface LookupProps {
  positions: readonly LivePosition[];
  names: ReadonlyMap<string, string>;
  /** What it begins with, from the address. */
  at: { positionId: string | null; symbol: string | null };
}

/** Asks the server which rule serves a live position, or would serve a new one, and what was passed over. */
export function Lookup({ positions, names, at }: LookupProps) {
  const text = useText(TEXT);
  const scopes = useText(SCOPE_TEXT);
  const [kind, setKind] = useState<'live' | 'new'>(at.symbol !== null && at.positionId === null ? 'new' : 'live');
  const [positionId, setPositionId] = useState(at.positionId ?? '');
  const [stock, setStock] = useState<{ symbol: string; name: string | null } | null>(at.symbol === null ? null : { symbol: at.symbol, name: null });
  const [strategy, setStrategy] = useState('');
  const asked = new URLSearchParams();
  if (kind === 'live' && positions.some(({ position_id }) => position_id === positionId)) asked.set('position_id', positionId);
  if (kind === 'new' && stock !== null) {
    asked.set('symbol', stock.symbol);
    if (strategy.trim() !== '') asked.set('strategy_id', strategy.trim());
  }
  const path = asked.size === 0 ? null : `/api/v1/exit-rules/resolve?${asked}`;
  const { data, fault, retry } = useRead(path, zResolution, { tables: ['trade.exit_rules', 'trade.positions'] });
  const level = (name: string) => scopes[name as keyof typeof scopes] ?? name;
  const told = data?.told ?? null;
  const isBehind = told !== null && (told.rule_id !== data?.rule?.rule_id || told.version !== data.rule.version);
  return (
    <Panel title={text.title}>
      <div className={css.lookup}>
        <Choice
          label={text.of}
          options={[
            { value: 'live', label: text.live },
            { value: 'new', label: text.new },
          ]}
          at={kind}
          onChange={setKind}
        />
        {kind === 'live' ? (
          <Select
            label={text.position}
            value={positionId}
            options={[
              { value: '', label: text.choose },
              ...positions.map((one) => ({ value: one.position_id, label: `${one.name} ${one.symbol} · ${one.strategy_id}` })),
            ]}
            onChange={(event) => setPositionId(event.target.value)}
            data-testid="lookup-position"
          />
        ) : (
          <>
            <StockSearch onChoose={setStock} />
            {stock !== null && (
              <p>
                <b lang="ko">{stock.name ?? names.get(stock.symbol) ?? ''}</b> {stock.symbol}
              </p>
            )}
            <Input label={text.strategy} placeholder={text.configured} value={strategy} onChange={(event) => setStrategy(event.target.value)} />
          </>
        )}
        {fault !== null && <FaultNote fault={fault} onRetry={retry} />}
        {path === null && <p className={css.note}>{text.hint}</p>}
        {data !== undefined && path !== null && (
          <div className={css.answer} data-testid="resolution">
            {data.rule == null ? (
              <p className={css.none}>{text.none}</p>
            ) : (
              <p>
                <Link href={`/rules/?rule=${encodeURIComponent(data.rule.rule_id)}`} className={css.rule}>
                  {data.rule.rule_id}
                </Link>{' '}
                v{data.rule.version} <span className={css.note}>{text.by(level(data.rule.level))}</span>
              </p>
            )}
            {isBehind && <p className={css.behind}>{text.told(told.rule_id, told.version)}</p>}
            {data.passed_over.length > 0 && (
              <div>
                <p className={css.note}>{text.passed}</p>
                <ul className={css.passed}>
                  {data.passed_over.map((one) => (
                    <li key={`${one.rule_id} ${one.level}`} title={one.detail}>
                      <span>
                        {one.rule_id} <span className={css.note}>{level(one.level)}</span>
                      </span>
                      <Tag tone={TONES[one.why] ?? 'muted'}>{one.why in text ? String(text[one.why as 'MISSING']) : one.why}</Tag>
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <Link href={`/rules/?symbol=${data.symbol}`} className={css.override}>
              {data.rule?.level === 'SYMBOL' ? text.open : text.override}
            </Link>
          </div>
        )}
      </div>
    </Panel>
  );
}
