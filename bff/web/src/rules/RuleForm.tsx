import { texts, useText } from '../text/text';
import type { Remark } from './advice';
import { CustomRules } from './CustomRules';
import css from './form.module.css';
import type { Rules, SectionId } from './schema';
import { SectionCard, type FlawTexts } from './SectionCard';

const TEXT = texts(
  { stops: 'Stops', profits: 'Profits', rest: 'Time and volatility', custom: 'Custom rules', other: 'Other faults' },
  { stops: '손절', profits: '익절', rest: '시간·변동성', custom: '사용자 규칙', other: '기타 오류' },
);

const GROUPS: readonly { id: 'stops' | 'profits' | 'rest'; sections: readonly SectionId[] }[] = [
  { id: 'stops', sections: ['hard_stop', 'sl2', 'sl1', 'break_even', 'gap_down'] },
  { id: 'profits', sections: ['tp1', 'tp2', 'tp3', 'trail'] },
  { id: 'rest', sections: ['time', 'atr'] },
];

interface RuleFormProps {
  rules: Rules;
  onChange: (rules: Rules) => void;
  flaws: FlawTexts;
  /** Flaws that belong to no field of the form. */
  others: readonly (readonly [string, string])[];
  remarks: readonly Remark[];
  isReadOnly: boolean;
}

/** Every parameter of a rule, by what it is for. */
export function RuleForm({ rules, onChange, flaws, others, remarks, isReadOnly }: RuleFormProps) {
  const text = useText(TEXT);
  return (
    <fieldset className={css.form} disabled={isReadOnly}>
      {others.length > 0 && (
        <div className={css.others} role="alert">
          <b>{text.other}</b>
          {others.map(([path, why]) => (
            <p key={path}>
              <code>{path}</code> {why}
            </p>
          ))}
        </div>
      )}
      {GROUPS.map(({ id, sections }) => (
        <div key={id} className={css.group}>
          <h3>{text[id]}</h3>
          <div className={css.cards}>
            {sections.map((section) => (
              <SectionCard key={section} id={section} rules={rules} onChange={onChange} flaws={flaws} remarks={remarks} isReadOnly={isReadOnly} />
            ))}
          </div>
        </div>
      ))}
      <div className={css.group}>
        <h3>{text.custom}</h3>
        <CustomRules rules={rules} onChange={onChange} flaws={flaws} isReadOnly={isReadOnly} />
      </div>
    </fieldset>
  );
}
