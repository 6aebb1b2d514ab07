import { Switch as RadixSwitch, Tabs as RadixTabs } from 'radix-ui';
import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';

import css from './form.module.css';

interface FieldProps {
  label: string;
  /** What is wrong with the value; the field is marked. */
  fault?: string | null | undefined;
  hint?: ReactNode;
  /** Beside the value: a unit. */
  unit?: string;
  isInline?: boolean;
}

function useDescribed({ fault, hint }: FieldProps) {
  const id = useId();
  const isFaulty = fault != null && fault !== '';
  const describedBy = isFaulty ? `${id}-fault` : hint === undefined ? undefined : `${id}-hint`;
  return { id, isFaulty, aria: { id, 'aria-invalid': isFaulty || undefined, 'aria-describedby': describedBy } };
}

function Frame({ label, fault, hint, unit, isInline, id, isFaulty, children }: FieldProps & { id: string; isFaulty: boolean; children: ReactNode }) {
  return (
    <div className={`${css.field} ${isInline === true ? css.inline : ''}`}>
      <label htmlFor={id}>{label}</label>
      <span className={css.control}>
        {children}
        {unit !== undefined && <span className={css.unit}>{unit}</span>}
      </span>
      {isFaulty && (
        <span id={`${id}-fault`} role="alert" className={css.fault}>
          {fault}
        </span>
      )}
      {!isFaulty && hint !== undefined && (
        <span id={`${id}-hint`} className={css.hint}>
          {hint}
        </span>
      )}
    </div>
  );
}

type Own<T> = FieldProps & Omit<T, keyof FieldProps | 'id'>;

export function Input({ label, fault, hint, unit, isInline, ...rest }: Own<InputHTMLAttributes<HTMLInputElement>>) {
  const props = { label, fault, hint, ...(unit === undefined ? {} : { unit }), ...(isInline === undefined ? {} : { isInline }) };
  const { id, isFaulty, aria } = useDescribed(props);
  return (
    <Frame {...props} id={id} isFaulty={isFaulty}>
      <input className={css.input} autoComplete="off" {...aria} {...rest} />
    </Frame>
  );
}

export function Area({ label, fault, hint, ...rest }: Own<TextareaHTMLAttributes<HTMLTextAreaElement>>) {
  const props = { label, fault, hint };
  const { id, isFaulty, aria } = useDescribed(props);
  return (
    <Frame {...props} id={id} isFaulty={isFaulty}>
      <textarea className={css.input} {...aria} {...rest} />
    </Frame>
  );
}

export function Select({ label, fault, hint, isInline, options, ...rest }: Own<SelectHTMLAttributes<HTMLSelectElement>> & { options: readonly { value: string; label: string }[] }) {
  const props = { label, fault, hint, ...(isInline === undefined ? {} : { isInline }) };
  const { id, isFaulty, aria } = useDescribed(props);
  return (
    <Frame {...props} id={id} isFaulty={isFaulty}>
      <select className={css.input} {...aria} {...rest}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

export function Switch({ label, isOn, onChange, isDisabled = false }: { label: string; isOn: boolean; onChange: (isOn: boolean) => void; isDisabled?: boolean }) {
  const id = useId();
  return (
    <span className={css.switched}>
      <RadixSwitch.Root id={id} className={css.switch} checked={isOn} onCheckedChange={onChange} disabled={isDisabled}>
        <RadixSwitch.Thumb className={css.thumb} />
      </RadixSwitch.Root>
      <label htmlFor={id}>{label}</label>
    </span>
  );
}

/** Parts of a page of which one is seen. */
export function Tabs({ label, tabs, at, onChange, children }: { label: string; tabs: readonly { id: string; title: string }[]; at: string; onChange: (id: string) => void; children: ReactNode }) {
  return (
    <RadixTabs.Root value={at} onValueChange={onChange} className={css.tabs}>
      <RadixTabs.List className={css.list} aria-label={label}>
        {tabs.map((tab) => (
          <RadixTabs.Trigger key={tab.id} value={tab.id} className={css.tab}>
            {tab.title}
          </RadixTabs.Trigger>
        ))}
      </RadixTabs.List>
      <RadixTabs.Content value={at} className={css.tabbed} tabIndex={-1}>
        {children}
      </RadixTabs.Content>
    </RadixTabs.Root>
  );
}

/** One of a few, chosen at once: buttons side by side. */
export function Choice<T extends string>({ label, options, at, onChange }: { label: string; options: readonly { value: T; label: string }[]; at: T; onChange: (value: T) => void }) {
  return (
    <div role="group" aria-label={label} className={css.choice}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === at} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
