import { useEffect, useId, useRef } from 'react';

import { REASON_MAX } from './control';
import css from './ControlBar.module.css';

interface FlattenDialogProps {
  positions: number | null;
  reason: string;
  refusal: string | null;
  onReason: (reason: string) => void;
  onConfirm: () => void;
  onCancel: () => void;
}

function question(positions: number | null): string {
  if (positions === null) return 'Sell every live position at market?';
  return `Sell ${positions === 1 ? 'the one live position' : `all ${positions} live positions`} at market?`;
}

/** Asks before everything is sold. Modal: the browser keeps the focus inside, Escape cancels. */
export function FlattenDialog(props: FlattenDialogProps) {
  const { positions, reason, refusal, onReason, onConfirm, onCancel } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const titleId = useId();
  const textId = useId();
  useEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, []);
  useEffect(() => {
    if (refusal !== null) field.current?.focus();
  }, [refusal]);
  return (
    <dialog
      ref={dialog}
      role="alertdialog"
      className={css.dialog}
      aria-labelledby={titleId}
      aria-describedby={textId}
      onClose={onCancel}
    >
      <h2 id={titleId}>Emergency flatten</h2>
      <p id={textId}>
        {question(positions)} Positions that open while the mode stands are sold too. Orders already
        filled cannot be taken back.
      </p>
      <label className={css.field}>
        <span>Reason</span>
        <input
          ref={field}
          value={reason}
          maxLength={REASON_MAX}
          aria-invalid={refusal !== null}
          autoComplete="off"
          onChange={(event) => onReason(event.target.value)}
        />
      </label>
      {refusal !== null && (
        <p role="alert" className={css.refusal}>
          {refusal}
        </p>
      )}
      <div className={css.answers}>
        <button type="button" className={css.cancel} onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" className={css.flatten} data-testid="confirm-flatten" onClick={onConfirm}>
          Sell everything
        </button>
      </div>
    </dialog>
  );
}
