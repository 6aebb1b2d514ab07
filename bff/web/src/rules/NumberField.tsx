import { useState } from 'react';

import { useText } from '../text/text';
import { Input } from '../ui/form';
import { textOf, valueOf } from './numbers';
import type { Field } from './schema';
import { FIELD_TEXT } from './words';

interface NumberFieldProps {
  field: Field;
  label: string;
  value: unknown;
  onChange: (value: number | string | undefined) => void;
  fault?: string | undefined;
  testId: string;
}

/** A number of a rule. It keeps what is typed as it is typed, and says on the way what it means. */
export function NumberField({ field, label, value, onChange, fault, testId }: NumberFieldProps) {
  const text = useText(FIELD_TEXT);
  const [typed, setTyped] = useState('');
  const { unit, absent } = field;
  const stored = value === undefined || value === null ? '' : typeof value === 'number' ? textOf(value, unit) : String(value);
  // What was typed stands as long as it says what the rule holds: `-3.` is −3.
  const shown = valueOf(typed, unit) === (value ?? undefined) ? typed : stored;
  return (
    <Input
      label={label}
      unit={unit === 'd' ? text.d : unit}
      fault={fault}
      inputMode="text"
      placeholder={typeof absent === 'number' ? textOf(absent, unit) : ''}
      value={shown}
      data-testid={testId}
      onChange={(event) => {
        setTyped(event.target.value);
        onChange(valueOf(event.target.value, unit));
      }}
    />
  );
}
