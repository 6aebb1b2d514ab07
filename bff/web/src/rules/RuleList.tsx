import { Search } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';

import { texts, useText } from '../text/text';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { summaryOf } from './describe';
import type { ExitRule } from './draft';
import css from './list.module.css';
import { isInForce, SCOPES, type Scope } from './serving';
import type { RuleList as Rules } from './useRules';
import { SCOPE_TEXT } from './words';

const TEXT = texts(
  {
    title: 'Profiles and overrides',
    empty: 'No rules are stored: no position is guarded. Make one that serves every position.',
    none: 'No rule has it in its name, id or key.',
    find: 'Find a rule',
    custom: (count: number) => `${count} custom`,
    nothing: 'Nothing is on',
    inactive: 'off',
    later: (day: string) => `from ${day}`,
    edited: 'edited',
    serves: (count: number) => `${count} live`,
    order: 'Later groups override earlier ones; of a position one rule is in force, whole.',
  },
  {
    title: '프로필과 개별 규칙',
    empty: '저장된 규칙이 없어 어떤 포지션도 보호되지 않습니다. 모든 포지션에 적용할 규칙을 만드세요.',
    none: '이름·ID·대상에 해당하는 규칙이 없습니다.',
    find: '규칙 찾기',
    custom: (count: number) => `사용자 ${count}`,
    nothing: '켜진 규칙 없음',
    inactive: '꺼짐',
    later: (day: string) => `${day}부터`,
    edited: '수정 중',
    serves: (count: number) => `보유 ${count}`,
    order: '아래 그룹이 위 그룹보다 우선하며, 포지션에는 한 규칙이 통째로 적용됩니다.',
  },
);

/** Rules from which on there is a field to find one. */
const FIND_FROM = 10;

interface RuleListProps {
  list: Rules;
  openId: string | null;
  /** Rules with changes that are not saved. */
  edited: ReadonlySet<string>;
  /** Live positions of each rule. */
  served: ReadonlyMap<string, number>;
  /** Korean names of stocks that are held. */
  names: ReadonlyMap<string, string>;
  today: string;
}

/** All rules by whom they serve, each in one line. */
export function RuleList({ list, openId, edited, served, names, today }: RuleListProps) {
  const text = useText(TEXT);
  const scopes = useText(SCOPE_TEXT);
  const [typed, setTyped] = useState('');
  const all = list.rules ?? [];
  const wanted = typed.trim().toLowerCase();
  const has = (rule: ExitRule) =>
    [rule.rule_id, rule.name, rule.scope_key ?? '', names.get(rule.scope_key ?? '') ?? ''].some((word) => word.toLowerCase().includes(wanted));
  const shown = all.filter(has);
  const groups = [...SCOPES].reverse().map((scope: Scope) => ({ scope, rules: shown.filter((rule) => rule.scope === scope) }));
  return (
    <Panel
      title={text.title}
      count={list.rules === undefined ? null : all.length}
      fault={list.fault}
      onRetry={list.retry}
      isLoading={list.isLoading}
      empty={list.rules !== undefined && all.length === 0 ? text.empty : null}
      isFlush
    >
      {all.length >= FIND_FROM && (
        <label className={css.find}>
          <Search size={14} aria-hidden="true" />
          <input aria-label={text.find} placeholder={text.find} value={typed} onChange={(event) => setTyped(event.target.value)} />
        </label>
      )}
      {all.length > 0 && shown.length === 0 && <p className={css.note}>{text.none}</p>}
      <div className={css.groups} data-testid="rules">
        {groups
          .filter(({ rules }) => rules.length > 0)
          .map(({ scope, rules }) => (
            <section key={scope} aria-label={scopes[scope]}>
              <h3 className={css.scope} title={scopes[`${scope}_about`]}>
                {scopes[scope]}
              </h3>
              <ul className={css.list}>
                {rules.map((rule) => {
                  const count = served.get(rule.rule_id) ?? 0;
                  return (
                    <li key={rule.rule_id}>
                      <Link
                        href={`/rules/?rule=${encodeURIComponent(rule.rule_id)}`}
                        className={css.rule}
                        aria-current={rule.rule_id === openId ? 'true' : undefined}
                        data-testid={`rule-${rule.rule_id}`}
                      >
                        <span className={css.head}>
                          <b lang={names.has(rule.scope_key ?? '') ? 'ko' : undefined}>{names.get(rule.scope_key ?? '') ?? rule.scope_key ?? rule.name}</b>
                          {rule.scope_key != null && <span className={css.name}>{rule.name}</span>}
                          <span className={css.tags}>
                            {edited.has(rule.rule_id) && <Tag tone="warn">{text.edited}</Tag>}
                            {!rule.is_active && <Tag tone="muted">{text.inactive}</Tag>}
                            {rule.is_active && !isInForce(rule, today) && <Tag tone="working">{text.later(rule.effective_from ?? '')}</Tag>}
                            {count > 0 && (
                              <span className={css.count} data-testid={`live-${rule.rule_id}`}>
                                {text.serves(count)}
                              </span>
                            )}
                            <span className={css.version}>v{rule.version}</span>
                          </span>
                        </span>
                        <span className={css.summary}>{summaryOf(rule.rules, text.custom, text.nothing)}</span>
                      </Link>
                    </li>
                  );
                })}
              </ul>
            </section>
          ))}
      </div>
      {all.length > 0 && <p className={css.note}>{text.order}</p>}
    </Panel>
  );
}
