import { Plus, Trash2 } from 'lucide-react';

import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Input, Select, Switch } from '../ui/form';
import css from './form.module.css';
import { NumberField } from './NumberField';
import { customOf, withCustom, type Field, type Rules } from './schema';
import type { FlawTexts } from './SectionCard';
import { FIELD_TEXT } from './words';

const TEXT = texts(
  {
    add: 'Add a rule',
    remove: (id: string) => `Remove ${id}`,
    none: 'No custom rules. Each fires once a position at a return of your choice, between the stops and the take profits.',
    on: (id: string) => `${id} is on`,
  },
  {
    add: '규칙 추가',
    remove: (id: string) => `${id} 삭제`,
    none: '사용자 규칙이 없습니다. 정한 수익률에서 포지션마다 한 번, 손절과 익절 사이에서 발동합니다.',
    on: (id: string) => `${id} 사용`,
  },
);

const PNL: Field = { key: 'pnl', range: 'either', unit: '%', absent: 0 };
const QTY: Field = { key: 'qty', range: 'share', unit: '%', absent: 0 };

interface CustomRulesProps {
  rules: Rules;
  onChange: (rules: Rules) => void;
  flaws: FlawTexts;
  isReadOnly: boolean;
}

/** Rules of the operator's own: at a return, sell a part. */
export function CustomRules({ rules, onChange, flaws, isReadOnly }: CustomRulesProps) {
  const text = useText(TEXT);
  const words = useText(FIELD_TEXT);
  const list: readonly unknown[] = Array.isArray(rules.custom) ? rules.custom : [];
  const custom = customOf(rules);
  const put = (place: number, key: string, value: unknown) =>
    onChange(
      withCustom(
        rules,
        list.map((rule, at) => {
          if (at !== place) return rule;
          const next: Record<string, unknown> = { ...(rule as object), [key]: value };
          if (value === undefined) delete next[key];
          return next;
        }),
      ),
    );
  const add = () => {
    const ids = new Set(custom.map(([, { id }]) => id));
    let count = 1;
    while (ids.has(`custom-${count}`)) count += 1;
    onChange(withCustom(rules, [...list, { id: `custom-${count}`, enabled: true, condition: 'profit_above', pnl: 0.04, qty: 0.2, base: 'REMAINING' }]));
  };
  return (
    <>
      {flaws.custom !== undefined && <p className={css.flaw}>{flaws.custom}</p>}
      {custom.length === 0 && <p className={css.about}>{text.none}</p>}
      <div className={css.cards}>
        {custom.map(([place, rule]) => {
          const at = `custom[${place}]`;
          const id = typeof rule.id === 'string' ? rule.id : '';
          return (
            <section key={place} className={css.card} aria-label={id} data-off={rule.enabled === false || undefined} data-testid={at}>
              <div className={css.cardHead}>
                <Switch label={text.on(id)} isOn={rule.enabled !== false} onChange={(on) => put(place, 'enabled', on)} isDisabled={isReadOnly} />
                <Button
                  kind="quiet"
                  size="small"
                  aria-label={text.remove(id)}
                  onClick={() => onChange(withCustom(rules, list.filter((_rule, other) => other !== place)))}
                >
                  <Trash2 size={14} aria-hidden="true" />
                </Button>
              </div>
              <div className={css.fields}>
                <Input label={words.id} value={id} fault={flaws[`${at}.id`]} onChange={(event) => put(place, 'id', event.target.value)} />
                <Select
                  label={words.condition}
                  fault={flaws[`${at}.condition`]}
                  value={String(rule.condition ?? '')}
                  options={[
                    { value: 'profit_above', label: words.profit_above },
                    { value: 'profit_below', label: words.profit_below },
                  ]}
                  onChange={(event) => put(place, 'condition', event.target.value)}
                />
                <NumberField field={PNL} label={words.pnl} value={rule.pnl} fault={flaws[`${at}.pnl`]} onChange={(value) => put(place, 'pnl', value)} testId={`field-${at}.pnl`} />
                <NumberField field={QTY} label={words.qty} value={rule.qty} fault={flaws[`${at}.qty`]} onChange={(value) => put(place, 'qty', value)} testId={`field-${at}.qty`} />
                <Select
                  label={words.base}
                  fault={flaws[`${at}.base`]}
                  value={String(rule.base ?? 'REMAINING')}
                  options={[
                    { value: 'REMAINING', label: words.REMAINING },
                    { value: 'ORIGINAL', label: words.ORIGINAL },
                  ]}
                  onChange={(event) => put(place, 'base', event.target.value)}
                />
              </div>
            </section>
          );
        })}
      </div>
      <Button className={css.add} onClick={add} data-testid="add-custom">
        <Plus size={14} aria-hidden="true" />
        {text.add}
      </Button>
    </>
  );
}
