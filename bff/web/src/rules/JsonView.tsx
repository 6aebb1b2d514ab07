import { useState } from 'react';

import { texts, useText } from '../text/text';
import { Area } from '../ui/form';
import css from './editor.module.css';
import { isObject, SECTION_IDS, type Rules } from './schema';

const TEXT = texts(
  { label: 'The rule as JSON', hint: 'Ratios: −0.03 is −3 %. What is absent is off.', broken: (why: string) => `No JSON yet: ${why}`, object: 'An object is expected.' },
  { label: 'JSON 규칙', hint: '비율로 적습니다: −0.03은 −3 %. 없는 항목은 꺼진 것입니다.', broken: (why: string) => `JSON 형식이 아닙니다: ${why}`, object: '객체여야 합니다.' },
);

/** Returns rules as text, a section a line, in the order of the form. */
export function jsonOf(rules: Rules): string {
  const line = (value: unknown) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
  const order: readonly string[] = [...SECTION_IDS, 'custom'];
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const entries = Object.entries(rules).sort(([a], [b]) => place(a) - place(b));
  const parts = entries.map(([key, value]) => {
    const isList = Array.isArray(value) && value.length > 0;
    const shown = isList ? `[\n${value.map((one: unknown) => `    ${line(one)}`).join(',\n')}\n  ]` : line(value);
    return `  ${JSON.stringify(key)}: ${shown}`;
  });
  return parts.length === 0 ? '{}' : `{\n${parts.join(',\n')}\n}`;
}

function parsed(text: string): { rules: Rules } | { why: string | null } {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { rules: value } : { why: null };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

interface JsonViewProps {
  rules: Rules;
  onChange: (rules: Rules) => void;
  /** Told whether the text is a rule at all. */
  onBroken: (isBroken: boolean) => void;
  flaws: readonly (readonly [string, string])[];
  isReadOnly: boolean;
}

/** The rule as the server keeps it, for whoever would rather type it. */
export function JsonView({ rules, onChange, onBroken, flaws, isReadOnly }: JsonViewProps) {
  const text = useText(TEXT);
  const [typed, setTyped] = useState(() => jsonOf(rules));
  const read = parsed(typed);
  const isOther = 'rules' in read && JSON.stringify(read.rules) !== JSON.stringify(rules);
  const shown = isOther ? jsonOf(rules) : typed;
  const fault = 'rules' in read ? null : read.why === null ? text.object : text.broken(read.why);
  return (
    <div className={css.json}>
      <Area
        label={text.label}
        hint={text.hint}
        fault={fault}
        rows={Math.min(28, Math.max(12, shown.split('\n').length + 2))}
        spellCheck={false}
        readOnly={isReadOnly}
        value={shown}
        data-testid="json"
        onChange={(event) => {
          setTyped(event.target.value);
          const next = parsed(event.target.value);
          onBroken(!('rules' in next));
          if ('rules' in next) onChange(next.rules);
        }}
      />
      {flaws.map(([path, why]) => (
        <p key={path} className={css.flaw}>
          <code>{path}</code> {why}
        </p>
      ))}
    </div>
  );
}
