import { ArrowLeft } from 'lucide-react';
import Link from 'next/link';
import { useMemo, useState } from 'react';

import { useMay } from '../access/context';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Tabs } from '../ui/form';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { Conflict } from './Conflict';
import { changesOf, hasKey, type Draft, type ExitRule } from './draft';
import css from './editor.module.css';
import { Effect } from './Effect';
import { isOnForm, judge } from './judge';
import { JsonView } from './JsonView';
import { Ladder, type LivePosition } from './Ladder';
import { rebased } from './rebase';
import { RuleForm } from './RuleForm';
import { RuleHead } from './RuleHead';
import { SaveDialog } from './SaveDialog';
import type { FlawTexts } from './SectionCard';
import { isInForce } from './serving';
import { usePreview } from './usePreview';
import { useSave } from './useRules';
import { FLAW_TEXT, SCOPE_TEXT } from './words';

const TEXT = texts(
  {
    back: 'All rules',
    new: 'New rule',
    form: 'Form',
    json: 'JSON',
    views: 'How the rule is written',
    by: (who: string) => `by ${who}`,
    inactive: 'off',
    later: (day: string) => `from ${day}`,
    unsaved: (count: number) => `${count} change${count === 1 ? '' : 's'} not saved`,
    fresh: 'Not saved yet',
    flaws: (count: number) => `${count} field${count === 1 ? ' needs' : 's need'} attention`,
    sells: (count: number) => `${count} would sell`,
    same: 'As it is stored',
    discard: 'Discard',
    save: 'Review and save…',
    done: (name: string, version: number) => `${name} saved as version ${version}`,
    read: 'Only a trader may try changes, and only an admin may save them.',
    falls: (count: number, to: string) => `${count} position${count === 1 ? '' : 's'} would fall to ${to}.`,
    unguarded: 'no rule at all: unguarded',
  },
  {
    back: '모든 규칙',
    new: '새 규칙',
    form: '양식',
    json: 'JSON',
    views: '규칙 작성 방식',
    by: (who: string) => `${who}`,
    inactive: '꺼짐',
    later: (day: string) => `${day}부터`,
    unsaved: (count: number) => `저장하지 않은 변경 ${count}건`,
    fresh: '아직 저장되지 않음',
    flaws: (count: number) => `확인할 항목 ${count}건`,
    sells: (count: number) => `${count}건 매도`,
    same: '저장된 값 그대로',
    discard: '되돌리기',
    save: '확인 후 저장…',
    done: (name: string, version: number) => `${name} 버전 ${version} 저장됨`,
    read: '수정은 trader, 저장은 admin 권한이 필요합니다.',
    falls: (count: number, to: string) => `포지션 ${count}개가 다음 규칙으로 넘어갑니다: ${to}.`,
    unguarded: '규칙 없음 (보호되지 않음)',
  },
);

/** Fields that are not of the rule's object. */
const HEAD_FIELDS: Readonly<Record<string, true>> = { name: true, description: true, effective_from: true, scope: true, scope_key: true, id: true, reason: true };

interface RuleEditorProps {
  draft: Draft;
  /** The rule as it is stored now; null for a new one. */
  stored: ExitRule | null;
  rules: readonly ExitRule[];
  positions: readonly LivePosition[];
  names: ReadonlyMap<string, string>;
  today: string;
  /** Keeps the draft; null drops it. */
  onChange: (draft: Draft | null) => void;
  onSaved: (rule: ExitRule) => void;
}

/** One rule: its parameters as a form or as JSON, what they would do, and saving them. */
export function RuleEditor({ draft, stored, rules, positions, names, today, onChange, onSaved }: RuleEditorProps) {
  const text = useText(TEXT);
  const flawWords = useText(FLAW_TEXT);
  const scopes = useText(SCOPE_TEXT);
  const mayTry = useMay('TRADER');
  const maySave = useMay('ADMIN');
  const [view, setView] = useState('form');
  const [isBroken, setBroken] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const [sent, setSent] = useState<Draft | null>(null);

  const judged = useMemo(() => judge(draft, stored, rules, positions, today), [draft, stored, rules, positions, today]);
  const { changes, headFlaws, isChanged, overtaken, remarks } = judged;
  const isNew = draft.base === null;
  const flawCount = judged.flaws.length + Object.keys(headFlaws).length + (isBroken ? 1 : 0);
  const hasFlaws = flawCount > 0;
  const question = isBroken ? null : judged.question;
  const preview = usePreview(question);
  const falls = [...judged.fallbacks].map(([to, count]) => text.falls(count, to ?? text.unguarded));
  const fallback = falls.length === 0 ? null : falls.join(' ');
  const save = useSave(
    (rule) => {
      setAsking(false);
      onSaved(rule);
    },
    (rule) => text.done(rule.name, rule.version),
  );
  const { reset } = save;
  const review = () => {
    reset();
    if (question !== null) preview.ask();
    setAsking(true);
  };
  const send = (reason: string) => {
    setSent(draft);
    void save.send({ draft, reason });
  };
  // What the server refused is said at its field until that draft is changed.
  const refused = sent === draft && save.fault !== null ? save.fault.fields : {};
  const flaws: FlawTexts = {
    ...Object.fromEntries(Object.entries(refused).map(([name, why]) => [name.replace(/^rules\./, ''), why])),
    ...Object.fromEntries(judged.flaws.map(({ path, kind }) => [path, flawWords[kind]])),
  };
  const flawList = Object.entries(flaws).filter(([path]) => !(path in HEAD_FIELDS));
  const canReview = isChanged && !hasFlaws && overtaken === null && maySave;
  const change = (next: Draft) => {
    onChange(next.base !== null && changesOf(next, next.base).count === 0 ? null : next);
  };
  const title = draft.base?.name ?? text.new;
  return (
    <div className={css.editor} data-testid="editor">
      <div className={css.main}>
        <Panel
          title={title}
          actions={
            <>
              <Link href="/rules/" className={css.back}>
                <ArrowLeft size={14} aria-hidden="true" /> {text.back}
              </Link>
              {stored !== null && (
                <span className={css.meta}>
                  {hasKey(draft.scope) ? `${scopes[draft.scope]} ` : scopes[draft.scope]}
                  {hasKey(draft.scope) && <b lang="ko">{names.get(draft.scopeKey) ?? draft.scopeKey}</b>} · <code>{draft.ruleId}</code> · v
                  <span data-testid="version">{stored.version}</span> · <Time at={stored.updated_ts} /> {text.by(stored.updated_by ?? stored.created_by)}
                </span>
              )}
              {stored !== null && !stored.is_active && <Tag tone="muted">{text.inactive}</Tag>}
              {stored !== null && stored.is_active && !isInForce(stored, today) && <Tag tone="working">{text.later(stored.effective_from ?? '')}</Tag>}
            </>
          }
        >
          {overtaken !== null && (
            <Conflict draft={draft} stored={overtaken} onTake={() => onChange(null)} onKeep={() => onChange(rebased(draft, overtaken))} />
          )}
          {!mayTry && <p className={css.readOnly}>{text.read}</p>}
          <RuleHead draft={draft} rules={rules} onChange={change} flaws={headFlaws} refused={refused} isReadOnly={!mayTry} />
          <Ladder rules={draft.rules} stored={draft.base?.rules ?? null} positions={judged.served} />
          <Tabs
            label={text.views}
            tabs={[
              { id: 'form', title: text.form },
              { id: 'json', title: text.json },
            ]}
            at={view}
            onChange={(at) => {
              setView(at);
              setBroken(false);
            }}
          >
            {view === 'form' ? (
              <RuleForm
                rules={draft.rules}
                onChange={(next) => change({ ...draft, rules: next })}
                flaws={flaws}
                others={flawList.filter(([path]) => !isOnForm(path))}
                remarks={remarks}
                isReadOnly={!mayTry}
              />
            ) : (
              <JsonView rules={draft.rules} onChange={(next) => change({ ...draft, rules: next })} onBroken={setBroken} flaws={flawList} isReadOnly={!mayTry} />
            )}
          </Tabs>
        </Panel>
        <div className={css.bar}>
          <span className={css.state}>
            {isNew ? text.fresh : isChanged ? text.unsaved(changes.count) : text.same}
            {hasFlaws && <b className={css.flaws}>{text.flaws(flawCount)}</b>}
            {preview.isCurrent && preview.answer !== undefined && (
              <Tag tone={preview.answer.count === 0 ? 'good' : 'bad'}>{text.sells(preview.answer.count)}</Tag>
            )}
          </span>
          <Button onClick={() => onChange(null)} disabled={!isChanged || isNew} data-testid="discard">
            {text.discard}
          </Button>
          <Button kind="primary" needs="ADMIN" onClick={review} disabled={!canReview} data-testid="save">
            {text.save}
          </Button>
        </div>
      </div>
      <aside className={css.rail}>
        <Effect
          draft={draft}
          state={!isChanged ? 'same' : hasFlaws ? 'flawed' : question === null ? 'idle' : 'asked'}
          preview={preview}
          changes={changes}
          replaced={isNew ? judged.replaced : null}
          isNew={isNew}
          remarks={remarks}
          fallback={fallback}
          names={names}
        />
      </aside>
      {isAsking && overtaken === null && (
        <SaveDialog
          name={draft.name.trim() || draft.ruleId}
          changes={changes}
          isNew={isNew}
          preview={question === null ? null : preview}
          fallback={fallback}
          names={names}
          fault={save.fault}
          isBusy={save.isSending}
          onSave={send}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
