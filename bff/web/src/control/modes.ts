/** The modes of the exit engine, in ascending order of intervention. */

import type { z } from 'zod';

import type { zControl } from '../api/generated/zod.gen';
import { texts } from '../text/text';

export const MODES = ['RUNNING', 'PAUSE_PROFIT', 'PAUSE_ALL', 'EMERGENCY_FLATTEN'] as const;

export type Mode = (typeof MODES)[number];

/** Longest reason that is taken, in characters. */
export const REASON_MAX = 200;

export type ExitControl = z.infer<typeof zControl>;

export const CONTROL_PATH = '/api/v1/exit/control';

export const CONTROL_TABLES = ['trade.exit_control', 'trade.exit_pauses'];

export const MODE_TEXT = texts(
  {
    RUNNING: 'Running',
    PAUSE_PROFIT: 'Pause profit',
    PAUSE_ALL: 'Pause all',
    EMERGENCY_FLATTEN: 'Flatten',
    RUNNING_effect: 'Every exit rule is in force.',
    PAUSE_PROFIT_effect: 'Stops stay in force; take-profits and trailing exits wait.',
    PAUSE_ALL_effect: 'Only the hard stop stays in force.',
    EMERGENCY_FLATTEN_effect: 'Sells every live position at the market.',
  },
  {
    RUNNING: '가동',
    PAUSE_PROFIT: '익절 정지',
    PAUSE_ALL: '전체 정지',
    EMERGENCY_FLATTEN: '전량 청산',
    RUNNING_effect: '모든 청산 규칙이 적용됩니다.',
    PAUSE_PROFIT_effect: '손절은 유지되고 익절·추적 청산은 멈춥니다.',
    PAUSE_ALL_effect: '하드스톱만 유지됩니다.',
    EMERGENCY_FLATTEN_effect: '모든 보유 포지션을 시장가로 매도합니다.',
  },
);

/** Returns the mode that `text` names; one of a later server counts as the strictest pause. */
export function modeOf(text: string | undefined): Mode | null {
  if (text === undefined) return null;
  return MODES.find((mode) => mode === text) ?? 'PAUSE_ALL';
}
