'use client';

import { Plus } from 'lucide-react';
import Link from 'next/link';
import { useRouter, useSearchParams } from 'next/navigation';
import { Suspense, useMemo, useState } from 'react';

import { useTopic } from '../live/provider';
import { NAV_TEXT } from '../shell/nav';
import { texts, useText } from '../text/text';
import { Page } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { draftOf, type Draft, type ExitRule } from './draft';
import { Lookup } from './Lookup';
import { openOf } from './open';
import css from './page.module.css';
import { RuleEditor } from './RuleEditor';
import { RuleList } from './RuleList';
import { seoulDate, serving } from './serving';
import { useRules } from './useRules';

const TEXT = texts(
  {
    new: 'New rule',
    editor: 'Rule',
    gone: (id: string) => `There is no rule ${id}. It may have been renamed; choose one of the list.`,
    closed: 'This position is not live: no rule serves it any more.',
    ofSymbol: 'The position names no rule of its own. An override of its stock serves it from the moment it is saved.',
    ofPosition: (id: string) => `The position names rule ${id}, which does not exist. Saved under this id it serves the position at once.`,
  },
  {
    new: '새 규칙',
    editor: '규칙',
    gone: (id: string) => `${id} 규칙이 없습니다. 목록에서 선택하세요.`,
    closed: '보유 중이 아닌 포지션이라 적용되는 규칙이 없습니다.',
    ofSymbol: '포지션이 지정한 규칙이 없습니다. 종목 규칙을 저장하면 즉시 적용됩니다.',
    ofPosition: (id: string) => `포지션이 지정한 ${id} 규칙이 없습니다. 이 ID로 저장하면 즉시 적용됩니다.`,
  },
);

/** Exit rules: who is served by which, and an editor that shows what a change would sell before it is saved. */
function Rules() {
  const text = useText(TEXT);
  const nav = useText(NAV_TEXT);
  const router = useRouter();
  const params = useSearchParams();
  const list = useRules();
  const topic = useTopic('positions');
  // What is being written outlives going from rule to rule.
  const [drafts, setDrafts] = useState<Readonly<Record<string, Draft>>>({});
  const today = seoulDate(Date.now());
  const positions = useMemo(() => topic.rows.filter(({ status }) => status !== 'CLOSED'), [topic.rows]);
  const names = useMemo(() => new Map(topic.rows.map(({ symbol, name }) => [symbol, name])), [topic.rows]);
  const { rules } = list;
  const served = useMemo(() => {
    const counts = new Map<string, number>();
    for (const position of positions) {
      const id = serving(rules ?? [], position, today)[0]?.rule_id;
      if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }, [positions, rules, today]);

  const asked = { rule: params.get('rule'), isNew: params.has('new'), symbol: params.get('symbol'), position: params.get('position') };
  const isReady = rules !== undefined && (asked.position === null || topic.isReady);
  const open = isReady ? openOf(asked, rules, positions, today) : null;
  const isAsked = Object.values(asked).some((one) => one !== null && one !== false);
  const fresh = open?.kind === 'rule' ? draftOf(open.rule) : open?.kind === 'new' ? open.draft : null;
  const draft = open?.kind === 'rule' || open?.kind === 'new' ? (drafts[open.key] ?? fresh) : null;
  const keep = (next: Draft | null) => {
    if (open === null || open.kind === 'none') return;
    setDrafts((before) => {
      const { [open.key]: _dropped, ...others } = before;
      return next === null ? others : { ...others, [open.key]: next };
    });
  };
  const saved = (rule: ExitRule) => {
    keep(null);
    if (open?.kind === 'new') router.replace(`/rules/?rule=${encodeURIComponent(rule.rule_id)}`);
  };
  const openId = open?.kind === 'rule' ? open.rule.rule_id : null;
  const said = open?.kind !== 'none' || open.why === 'nothing' ? null : open.why === 'closed' ? text.closed : text.gone(asked.rule ?? '');
  return (
    <Page
      title={nav.rules}
      actions={
        <Link href="/rules/?new" className={css.new} data-testid="new-rule">
          <Plus size={14} aria-hidden="true" /> {text.new}
        </Link>
      }
    >
      <div className={css.page} data-open={isAsked || undefined}>
        <div className={css.side}>
          <RuleList list={list} openId={openId} edited={new Set(Object.keys(drafts))} served={served} names={names} today={today} />
          <Lookup key={`${asked.position} ${asked.symbol}`} positions={positions} names={names} at={{ positionId: asked.position, symbol: asked.symbol }} />
        </div>
        <div className={css.open}>
          {open?.kind === 'new' && open.because !== null && (
            <p className={css.note}>{open.because === 'position' ? text.ofPosition(open.draft.ruleId) : text.ofSymbol}</p>
          )}
          {draft === null || open === null || open.kind === 'none' ? (
            (said !== null || list.isLoading) && <Panel title={text.editor} isLoading={list.isLoading} empty={said} />
          ) : (
            <RuleEditor
              key={open.key}
              draft={draft}
              stored={open.kind === 'rule' ? open.rule : null}
              rules={rules ?? []}
              positions={positions}
              names={names}
              today={today}
              onChange={keep}
              onSaved={saved}
            />
          )}
        </div>
      </div>
    </Page>
  );
}

export function RulesPage() {
  return (
    <Suspense>
      <Rules />
    </Suspense>
  );
}
