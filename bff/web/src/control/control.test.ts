import { describe, expect, it } from 'vitest';

import { clickOn, MODES, REASON_MAX, type ControlState } from './control';

const FORM = { reason: '', operator: 'kim' };
const RUNNING: ControlState = { current: 'RUNNING', pending: null };

describe('a click on a control button', () => {
  it('sends the mode with reason and operator, trimmed', () => {
    const click = clickOn('PAUSE_ALL', RUNNING, { reason: ' feed is late ', operator: ' kim ' });
    expect(click).toEqual({
      kind: 'send',
      change: { mode: 'PAUSE_ALL', reason: 'feed is late', updated_by: 'kim' },
    });
  });

  it('gives a reason of its own where none was typed', () => {
    const click = clickOn('PAUSE_PROFIT', RUNNING, FORM);
    expect(click).toMatchObject({ change: { reason: 'PAUSE_PROFIT set from the desk' } });
  });

  it('does nothing on the mode in force', () => {
    expect(clickOn('RUNNING', RUNNING, FORM)).toEqual({ kind: 'ignored' });
  });

  it('does nothing while a request is under way', () => {
    for (const { mode } of MODES) {
      const state: ControlState = { current: 'RUNNING', pending: 'PAUSE_ALL' };
      expect(clickOn(mode, state, { ...FORM, reason: 'x' }, true)).toEqual({ kind: 'ignored' });
    }
  });

  it('works before the mode in force is known', () => {
    expect(clickOn('RUNNING', { current: null, pending: null }, FORM).kind).toBe('send');
  });

  it('is refused without an operator', () => {
    const click = clickOn('PAUSE_ALL', RUNNING, { reason: 'x', operator: '  ' });
    expect(click).toMatchObject({ kind: 'refused', field: 'operator' });
  });

  it('asks before everything is sold, and then for a reason', () => {
    expect(clickOn('EMERGENCY_FLATTEN', RUNNING, { ...FORM, reason: 'x' })).toEqual({
      kind: 'confirm',
    });
    expect(clickOn('EMERGENCY_FLATTEN', RUNNING, FORM, true)).toMatchObject({
      kind: 'refused',
      field: 'reason',
    });
    expect(clickOn('EMERGENCY_FLATTEN', RUNNING, { ...FORM, reason: 'crash' }, true)).toEqual({
      kind: 'send',
      change: { mode: 'EMERGENCY_FLATTEN', reason: 'crash', updated_by: 'kim' },
    });
  });

  it('leaves a flatten without asking', () => {
    const state: ControlState = { current: 'EMERGENCY_FLATTEN', pending: null };
    expect(clickOn('RUNNING', state, FORM).kind).toBe('send');
  });

  it('cuts a reason that is too long', () => {
    const click = clickOn('PAUSE_ALL', RUNNING, { ...FORM, reason: 'x'.repeat(500) });
    expect(click).toMatchObject({ change: { reason: 'x'.repeat(REASON_MAX) } });
  });
});
