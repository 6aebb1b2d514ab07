'use client';

import Link from 'next/link';
import { useState, type ReactNode } from 'react';

import { zResolution } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { usePrice, useTopic } from '../live/provider';
import { evaluationPrice, unrealised } from '../money/pnl';
import { texts, useText } from '../text/text';
import { Count, Price, Signed, SignedWon } from '../ui/figures';
import { formatBasisPoints } from '../money/format';
import { FaultNote } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import css from './stocks.module.css';

const TEXT = texts(
  {
    held: 'Position',
    none: 'Not held.',
    shares: 'shares at',
    open: 'Open the position',
    rule: 'Exit rule',
    would: 'would serve a new position',
    serves: 'serves the position',
    version: (version: number) => `v${version}`,
    unguarded: 'No rule would serve it: a position of it would not be guarded.',
    over: (count: number) => `${count} passed over`,
    SYMBOL: 'for this symbol',
    STRATEGY: 'for its strategy',
    DEFAULT: 'by default',
    POSITION: 'named by the position',
    rules: 'Rules',
  },
  {
    held: '포지션',
    none: '보유하지 않음.',
    shares: '주, 평단',
    open: '포지션 열기',
    rule: '청산 규칙',
    would: '신규 포지션에 적용될 규칙',
    serves: '현재 포지션에 적용 중',
    version: (version: number) => `v${version}`,
    unguarded: '적용될 규칙이 없어 포지션이 보호되지 않습니다.',
    over: (count: number) => `제외된 규칙 ${count}개`,
    SYMBOL: '종목 지정',
    STRATEGY: '전략 지정',
    DEFAULT: '기본',
    POSITION: '포지션 지정',
    rules: '규칙',
  },
);

/** A part of the sheet under a title. */
export function Section({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section} aria-label={title}>
      <header>
        <h3>{title}</h3>
        {actions}
      </header>
      {children}
    </section>
  );
}

/** What is held of a symbol, and what it is worth. */
export function Held({ symbol }: { symbol: string }) {
  const text = useText(TEXT);
  const { rows } = useTopic('positions');
  const price = usePrice(symbol);
  const held = rows.filter((row) => row.symbol === symbol);
  return (
    <Section title={text.held}>
      {held.length === 0 && <p className={css.muted}>{text.none}</p>}
      {held.map((row) => {
        const result = unrealised(row.qty, row.avg_price, evaluationPrice(price?.price ?? row.last_price, price?.bid ?? row.bid));
        const points = result?.returnBasisPoints ?? null;
        return (
          <p key={row.position_id} className={css.line} data-testid="stock-held">
            <span>
              <Count value={row.qty} /> {text.shares} <Price value={row.avg_price} /> <Tag tone="plain">{row.phase}</Tag>
            </span>
            <span data-live>
              <SignedWon value={result?.pnl ?? null} basisPoints={points} /> <Signed sign={points} text={formatBasisPoints(points)} />
            </span>
            <Link className={css.link} href={`/position/?id=${row.position_id}`}>
              {text.open}
            </Link>
          </p>
        );
      })}
    </Section>
  );
}

const LEVELS = ['SYMBOL', 'STRATEGY', 'DEFAULT', 'POSITION'] as const;

/** Which exit rule guards a position of the symbol, or would. */
export function Guard({ symbol }: { symbol: string }) {
  const text = useText(TEXT);
  const { rows } = useTopic('positions');
  const held = rows.find((row) => row.symbol === symbol);
  const [isShown, setShown] = useState(false);
  const { data, fault, retry } = useRead(
    held === undefined ? `/api/v1/exit-rules/resolve?symbol=${symbol}` : `/api/v1/exit-rules/resolve?position_id=${held.position_id}`,
    zResolution,
    { tables: ['trade.exit_rules', 'trade.positions'] },
  );
  const rule = data?.rule;
  const level = LEVELS.find((one) => one === rule?.level);
  const over = data?.passed_over ?? [];
  return (
    <Section
      title={text.rule}
      actions={
        <Link className={css.link} href={rule == null ? '/rules/' : `/rules/?rule=${encodeURIComponent(rule.rule_id)}`}>
          {text.rules}
        </Link>
      }
    >
      {fault !== null && <FaultNote fault={fault} onRetry={retry} />}
      {data !== undefined && rule == null && <p role="status">{text.unguarded}</p>}
      {rule != null && (
        <p className={css.line} data-testid="stock-rule">
          <span>
            <b>{rule.rule_id}</b> <span className={css.muted}>{text.version(rule.version)}</span>{' '}
            <Tag tone="plain">{level === undefined ? rule.level : text[level]}</Tag>
          </span>
          <span className={css.muted}>{held === undefined ? text.would : text.serves}</span>
        </p>
      )}
      {over.length > 0 && (
        <details open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
          <summary className={css.muted}>{text.over(over.length)}</summary>
          <ul className={css.over}>
            {over.map((one) => (
              <li key={`${one.rule_id} ${one.level}`}>
                <b>{one.rule_id}</b>: {one.detail}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Section>
  );
}
