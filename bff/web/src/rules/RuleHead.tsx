import { texts, useText } from '../text/text';
import { StockSearch } from '../shell/StockSearch';
import { Input, Select, Switch } from '../ui/form';
import { hasKey, NAME_MAX, newDraft, TEXT_MAX, type Draft, type ExitRule, type HeadFlaws } from './draft';
import css from './editor.module.css';
import { SCOPES, type Scope } from './serving';
import { TEMPLATES, type TemplateId } from './templates';
import { SCOPE_TEXT } from './words';

const TEXT = texts(
  {
    scope: 'Serves',
    symbol: 'Stock code',
    strategy: 'Strategy',
    strategyHint: 'As positions name it, such as DEMO',
    find: 'or find it',
    ruleId: 'Id',
    ruleIdHint: 'Stays for good',
    from: 'Begin with',
    as: (name: string) => `As ${name}`,
    recommended: 'Recommended default',
    hybrid: 'Hybrid, scaled by volatility',
    highBeta: 'High beta',
    lowVolatility: 'Low volatility',
    empty: 'Nothing',
    chosen: 'What is below',
    name: 'Name',
    description: 'Description',
    since: 'In force from',
    active: 'Active',
    idFlaw: '1 to 128 characters, no blanks at the ends.',
    taken: 'Another rule has this id.',
    symbolFlaw: '1 to 9 letters or digits.',
    strategyFlaw: '1 to 64 characters.',
    long: 'Too long.',
    served: 'Another active rule serves it already. Change that one, or switch it off first.',
  },
  {
    scope: '적용 대상',
    symbol: '종목 코드',
    strategy: '전략',
    strategyHint: '포지션에 적힌 이름 (예: DEMO)',
    find: '종목 찾기',
    ruleId: 'ID',
    ruleIdHint: '나중에 바꿀 수 없습니다',
    from: '시작 값',
    as: (name: string) => `${name} 복사`,
    recommended: '권장 기본값',
    hybrid: '하이브리드 (변동성 조정)',
    highBeta: '고베타',
    lowVolatility: '저변동성',
    empty: '비어 있음',
    chosen: '아래 값',
    name: '이름',
    description: '설명',
    since: '적용 시작일',
    active: '사용',
    idFlaw: '앞뒤 공백 없이 1~128자여야 합니다.',
    taken: '같은 ID의 규칙이 있습니다.',
    symbolFlaw: '영문·숫자 1~9자여야 합니다.',
    strategyFlaw: '1~64자여야 합니다.',
    long: '너무 깁니다.',
    served: '이미 적용 중인 규칙이 있습니다. 그 규칙을 수정하거나 먼저 끄세요.',
  },
);

interface RuleHeadProps {
  draft: Draft;
  rules: readonly ExitRule[];
  onChange: (draft: Draft) => void;
  flaws: HeadFlaws;
  /** The server's words for a field. */
  refused: Readonly<Record<string, string>>;
  isReadOnly: boolean;
}

/** Who a rule is, whom it serves, and from when. Whom it serves is chosen once. */
export function RuleHead({ draft, rules, onChange, flaws, refused, isReadOnly }: RuleHeadProps) {
  const text = useText(TEXT);
  const scopes = useText(SCOPE_TEXT);
  const words = { id: text.idFlaw, taken: text.taken, symbol: text.symbolFlaw, strategy: text.strategyFlaw, long: text.long, served: text.served };
  const flaw = (field: keyof HeadFlaws, name: string) => {
    const kind = flaws[field];
    // What is still to be filled in is no mistake yet.
    if (kind !== undefined && draft[field] === '') return undefined;
    return kind === undefined ? refused[name] : words[kind];
  };
  const place = (scope: Scope, scopeKey: string) => {
    // The id follows whom it serves until somebody writes one.
    const isOwn = draft.ruleId !== newDraft(draft.scope, draft.scopeKey, {}).ruleId;
    const { ruleId } = newDraft(scope, scopeKey, {});
    onChange({ ...draft, scope, scopeKey, ruleId: isOwn ? draft.ruleId : ruleId });
  };
  const begin = (value: string) => {
    const copied = rules.find(({ rule_id }) => `rule:${rule_id}` === value)?.rules;
    onChange({ ...draft, rules: copied ?? TEMPLATES[value as TemplateId] ?? draft.rules });
  };
  const isNew = draft.base === null;
  return (
    <fieldset className={css.head} disabled={isReadOnly}>
      {isNew && (
        <div className={css.headRow}>
          <Select
            label={text.scope}
            hint={scopes[`${draft.scope}_about`]}
            fault={flaw('scope', 'scope')}
            value={draft.scope}
            options={[...SCOPES].reverse().map((scope) => ({ value: scope, label: scopes[scope] }))}
            onChange={(event) => place(event.target.value as Scope, '')}
            data-testid="scope"
          />
          {hasKey(draft.scope) && (
            <Input
              label={draft.scope === 'SYMBOL' ? text.symbol : text.strategy}
              fault={flaw('scopeKey', 'scope_key')}
              hint={draft.scope === 'STRATEGY' ? text.strategyHint : text.symbolFlaw}
              value={draft.scopeKey}
              maxLength={draft.scope === 'SYMBOL' ? 9 : NAME_MAX}
              onChange={(event) => place(draft.scope, event.target.value)}
              data-testid="scope-key"
            />
          )}
          {draft.scope === 'SYMBOL' && !isReadOnly && (
            <div className={css.find}>
              <span>{text.find}</span>
              <div>
                <StockSearch onChoose={({ symbol }) => place('SYMBOL', symbol)} />
              </div>
            </div>
          )}
          <Input
            label={text.ruleId}
            hint={text.ruleIdHint}
            fault={flaw('ruleId', 'id')}
            value={draft.ruleId}
            onChange={(event) => onChange({ ...draft, ruleId: event.target.value })}
            data-testid="rule-id"
          />
          <Select
            label={text.from}
            value=""
            options={[
              { value: '', label: text.chosen },
              ...rules.map((rule) => ({ value: `rule:${rule.rule_id}`, label: text.as(rule.name) })),
              ...Object.keys(TEMPLATES).map((id) => ({ value: id, label: text[id as TemplateId] })),
            ]}
            onChange={(event) => begin(event.target.value)}
          />
        </div>
      )}
      <div className={css.identity}>
        <Input
          label={text.name}
          fault={flaw('name', 'name')}
          placeholder={draft.ruleId}
          value={draft.name}
          onChange={(event) => onChange({ ...draft, name: event.target.value })}
          data-testid="name"
        />
        <Input
          label={text.description}
          fault={flaw('description', 'description')}
          maxLength={TEXT_MAX}
          value={draft.description}
          onChange={(event) => onChange({ ...draft, description: event.target.value })}
        />
        <Input
          label={text.since}
          type="date"
          fault={refused.effective_from}
          value={draft.effectiveFrom}
          onChange={(event) => onChange({ ...draft, effectiveFrom: event.target.value })}
        />
        <div className={css.active}>
          <Switch label={text.active} isOn={draft.isActive} onChange={(isActive) => onChange({ ...draft, isActive })} isDisabled={isReadOnly} />
        </div>
      </div>
    </fieldset>
  );
}
