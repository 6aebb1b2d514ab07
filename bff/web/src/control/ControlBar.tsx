import { useEffect, useRef, useState } from 'react';

import { Time } from '../desk/cells';
import { FaultNote } from '../desk/Panel';
import { ApiError, faultOf, type Api, type ControlChange, type Fault } from '../feed/api';
import type { ControlMode, ExitControl } from '../feed/messages';
import { clickOn, MODES, REASON_MAX, type ControlForm } from './control';
import css from './ControlBar.module.css';
import { FlattenDialog } from './FlattenDialog';

const OPERATOR_KEY = 'turnstile.operator';

const UNSURE = 'The mode may have changed all the same: trust the one shown here once it is live';

interface ControlBarProps {
  control: { value: ExitControl | null; fault: Fault | null };
  /** Live positions, null while they are not known. */
  positions: number | null;
  api: Api | null;
  /** Whether whoever uses the desk may change the mode. */
  isAllowed: boolean;
  /** Who that is, where a token says so. */
  actor: string | null;
  onChanged: (control: ExitControl) => void;
  /** Called when it is not known what became of a change. */
  onUnsure: () => void;
}

function useOperator(actor: string | null): [string, (name: string) => void] {
  const [operator, setOperator] = useState('operator');
  useEffect(() => {
    const stored = window.localStorage.getItem(OPERATOR_KEY) ?? actor;
    if (stored !== null) setOperator(stored);
  }, [actor]);
  return [
    operator,
    (name) => {
      setOperator(name);
      window.localStorage.setItem(OPERATOR_KEY, name);
    },
  ];
}

/** Shows the exit control mode and changes it. */
export function ControlBar({
  control,
  positions,
  api,
  isAllowed,
  actor,
  onChanged,
  onUnsure,
}: ControlBarProps) {
  const [operator, setOperator] = useOperator(actor);
  const [reason, setReason] = useState('');
  const [pending, setPending] = useState<ControlMode | null>(null);
  const [failure, setFailure] = useState<{ fault: Fault; isRefusal: boolean } | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const fields = { reason: useRef<HTMLInputElement>(null), operator: useRef<HTMLInputElement>(null) };
  const form: ControlForm = { reason, operator };
  const current = control.value?.mode ?? null;

  async function send(server: Api, change: ControlChange) {
    setPending(change.mode);
    setFailure(null);
    try {
      onChanged(await server.setControl(change));
      setReason('');
    } catch (error) {
      const isRefusal = error instanceof ApiError && error.isRefusal;
      setFailure({ fault: faultOf(error), isRefusal });
      // Not repeated by itself: it may have been carried out. The mode is read again instead.
      if (!isRefusal) onUnsure();
    } finally {
      setPending(null);
    }
  }

  function click(mode: ControlMode, isConfirmed: boolean) {
    if (api === null) return;
    const outcome = clickOn(mode, { current, pending }, form, isConfirmed);
    setRefusal(outcome.kind === 'refused' ? outcome.why : null);
    if (outcome.kind === 'refused' && !isConfirmed) fields[outcome.field].current?.focus();
    if (outcome.kind === 'confirm') setIsAsking(true);
    if (outcome.kind === 'send') {
      setIsAsking(false);
      void send(api, outcome.change);
    }
  }

  const text = MODES.find(({ mode }) => mode === current);
  return (
    <section className={css.control} aria-label="Exit control">
      <div className={css.row}>
        <div className={css.modes} role="group" aria-label="Exit control mode">
          {MODES.map(({ mode, label, effect }) => (
            <button
              key={mode}
              type="button"
              className={css.mode}
              data-mode={mode}
              aria-pressed={mode === current}
              aria-busy={mode === pending}
              disabled={api === null || !isAllowed}
              aria-disabled={pending !== null}
              title={isAllowed ? effect : 'Your token may only look.'}
              onClick={() => click(mode, false)}
            >
              {label}
            </button>
          ))}
        </div>
        <label className={css.field}>
          <span>Reason</span>
          <input
            ref={fields.reason}
            value={reason}
            maxLength={REASON_MAX}
            placeholder="of the next change"
            autoComplete="off"
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <label className={`${css.field} ${css.operator}`}>
          <span>By</span>
          <input
            ref={fields.operator}
            value={operator}
            maxLength={60}
            autoComplete="off"
            onChange={(event) => setOperator(event.target.value)}
          />
        </label>
      </div>
      <p className={css.now} data-testid="control-state">
        {control.value === null || text === undefined ? (
          'Reading the exit control mode…'
        ) : (
          <>
            <span aria-live="polite">
              <b data-mode={current}>{current}</b> {text.effect}
            </span>{' '}
            <span className={css.who}>
              {control.value.reason !== null && control.value.reason !== '' && (
                <>“{control.value.reason}” · </>
              )}
              {control.value.updated_by} · <Time at={control.value.updated_ts} />
            </span>
          </>
        )}
      </p>
      {refusal !== null && !isAsking && (
        <p role="alert" className={css.refusal}>
          {refusal}
        </p>
      )}
      {failure !== null && (
        <FaultNote
          fault={failure.fault}
          consequence={failure.isRefusal ? 'The mode was not changed' : UNSURE}
          action={{ label: 'Dismiss', run: () => setFailure(null) }}
        />
      )}
      {failure === null && control.fault !== null && (
        <FaultNote fault={control.fault} action={{ label: 'Retry', run: onUnsure }} />
      )}
      {isAsking && (
        <FlattenDialog
          positions={positions}
          reason={reason}
          refusal={refusal}
          onReason={setReason}
          onConfirm={() => click('EMERGENCY_FLATTEN', true)}
          onCancel={() => setIsAsking(false)}
        />
      )}
    </section>
  );
}
