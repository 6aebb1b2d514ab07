/** Changing the exit control mode: what a click does, and what it sends. */

import type { ControlChange } from '../feed/api';
import type { ControlMode } from '../feed/messages';

export interface ModeText {
  mode: ControlMode;
  label: string;
  effect: string;
}

/** In ascending order of intervention. */
export const MODES: readonly ModeText[] = [
  { mode: 'RUNNING', label: 'Running', effect: 'Every exit rule is in force.' },
  {
    mode: 'PAUSE_PROFIT',
    label: 'Pause profit',
    effect: 'Stops stay in force; take-profits and trailing exits wait.',
  },
  { mode: 'PAUSE_ALL', label: 'Pause all', effect: 'Only the hard stop stays in force.' },
  {
    mode: 'EMERGENCY_FLATTEN',
    label: 'Emergency flatten',
    effect: 'Sells every live position at market.',
  },
];

/** Longest reason the form takes, in characters. */
export const REASON_MAX = 200;

export interface ControlForm {
  reason: string;
  operator: string;
}

export interface ControlState {
  /** Null while it is not known. */
  current: ControlMode | null;
  /** The mode a request is under way for. */
  pending: ControlMode | null;
}

export type Click =
  | { kind: 'ignored' }
  | { kind: 'refused'; field: keyof ControlForm; why: string }
  | { kind: 'confirm' }
  | { kind: 'send'; change: ControlChange };

/**
 * Returns what a click on `target` does. It is ignored on the mode in force and while a request is
 * under way. A flatten is confirmed first and needs a reason.
 */
export function clickOn(
  target: ControlMode,
  state: ControlState,
  form: ControlForm,
  isConfirmed = false,
): Click {
  const isFlatten = target === 'EMERGENCY_FLATTEN';
  if (state.pending !== null || target === state.current) return { kind: 'ignored' };
  const operator = form.operator.trim();
  const reason = form.reason.trim();
  if (operator === '') {
    return { kind: 'refused', field: 'operator', why: 'Say who changes the mode.' };
  }
  if (isFlatten && !isConfirmed) return { kind: 'confirm' };
  if (isFlatten && reason === '') {
    return { kind: 'refused', field: 'reason', why: 'Say why everything is sold.' };
  }
  return {
    kind: 'send',
    change: {
      mode: target,
      reason: (reason === '' ? `${target} set from the desk` : reason).slice(0, REASON_MAX),
      updated_by: operator,
    },
  };
}
