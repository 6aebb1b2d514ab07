import { useState } from 'react';

import { useText } from '../text/text';
import { Switch } from '../ui/form';
import type { Remark } from './advice';
import css from './form.module.css';
import { NumberField } from './NumberField';
import { hasEffect, SECTIONS, sectionOf, withField, withSection, type Field, type Rules, type SectionId } from './schema';
import { STARTS } from './templates';
import { FIELD_TEXT, REMARK_TEXT, SECTION_TEXT } from './words';

/** What is wrong with each field, by its path. */
export type FlawTexts = Readonly<Record<string, string>>;

/** Sections whose quantity is of the shares that the position began with. */
const OF_ORIGINAL: readonly SectionId[] = ['tp1', 'tp2', 'tp3'];

interface SectionCardProps {
  id: SectionId;
  rules: Rules;
  onChange: (rules: Rules) => void;
  flaws: FlawTexts;
  remarks: readonly Remark[];
  isReadOnly: boolean;
}

/** One section of a rule: whether it is on, what it does, and its numbers. */
export function SectionCard({ id, rules, onChange, flaws, remarks, isReadOnly }: SectionCardProps) {
  const names = useText(SECTION_TEXT);
  const words = useText(FIELD_TEXT);
  const remarkTexts = useText(REMARK_TEXT);
  const [last, setLast] = useState<Readonly<Record<string, unknown>> | undefined>();
  const section = sectionOf(rules, id);
  const isOn = section !== undefined;
  const isScaled = sectionOf(rules, 'atr') !== undefined && hasEffect(rules, 'atr');
  const toggle = (on: boolean) => {
    if (!on) setLast(section);
    onChange(withSection(rules, id, on ? (last ?? STARTS[id] ?? {}) : null));
  };
  // Bounds count only where thresholds are scaled.
  const fields = (SECTIONS[id] as readonly Field[]).filter(
    ({ key }) => isScaled || !['min', 'max'].includes(key) || section?.[key] !== undefined || flaws[`${id}.${key}`] !== undefined,
  );
  const ofWhat = OF_ORIGINAL.includes(id) ? words.ofOriginal : words.ofRemaining;
  return (
    <section className={css.card} data-off={!isOn || undefined} aria-label={names[id]} data-testid={`section-${id}`}>
      <div className={css.cardHead}>
        <Switch label={names[id]} isOn={isOn} onChange={toggle} isDisabled={isReadOnly} />
        {isOn && !hasEffect(rules, id) && <span className={css.noEffect}>{words.idle}</span>}
      </div>
      <p className={css.about}>{names[`${id}_about`]}</p>
      {flaws[id] !== undefined && <p className={css.flaw}>{flaws[id]}</p>}
      {isOn && (
        <div className={css.fields}>
          {fields.map((field) =>
            field.range === 'flag' ? (
              <div key={field.key} className={css.flag}>
                <Switch
                  label={words[field.key as 'start_trailing']}
                  isOn={(section[field.key] ?? field.absent) === true}
                  onChange={(on) => onChange(withField(rules, id, field.key, on))}
                  isDisabled={isReadOnly}
                />
                {flaws[`${id}.${field.key}`] !== undefined && <p className={css.flaw}>{flaws[`${id}.${field.key}`]}</p>}
              </div>
            ) : (
              <NumberField
                key={field.key}
                field={field}
                label={field.key === 'qty' ? ofWhat : words[field.key as 'pnl']}
                value={section[field.key]}
                onChange={(value) => onChange(withField(rules, id, field.key, value))}
                fault={flaws[`${id}.${field.key}`]}
                testId={`field-${id}.${field.key}`}
              />
            ),
          )}
        </div>
      )}
      {remarks
        .filter((remark) => remark.section === id && remark.kind !== 'noHardStop')
        .map((remark) => (
          <p key={remark.kind} className={css.remark}>
            {remarkTexts[remark.kind]}
          </p>
        ))}
    </section>
  );
}
