import css from './ModeChoice.module.css';

interface ModeChoiceProps<Mode extends string> {
  label: string;
  modes: readonly Mode[];
  at: Mode;
  /** Names of the modes, and under `MODE_effect` what each does. */
  text: Record<Mode | `${Mode}_effect`, string>;
  isAllowed: boolean;
  onChange: (mode: Mode) => void;
}

/** One of the modes of an engine, each with what it does. */
export function ModeChoice<Mode extends string>({ label, modes, at, text, isAllowed, onChange }: ModeChoiceProps<Mode>) {
  return (
    <div className={css.modes} role="group" aria-label={label}>
      {modes.map((mode) => (
        <button key={mode} type="button" className={css.mode} data-mode={mode} aria-pressed={mode === at} disabled={!isAllowed} onClick={() => onChange(mode)}>
          <b>{text[mode]}</b>
          <span>{text[`${mode}_effect`]}</span>
        </button>
      ))}
    </div>
  );
}
