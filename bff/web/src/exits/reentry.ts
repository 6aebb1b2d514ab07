/** The mode of re-entries and the market regime in force. */

import type { z } from 'zod';

import { zControl, zRegimeNow } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts } from '../text/text';

export const REENTRY_PATH = '/api/v1/reentry/control';
export const REGIME_PATH = '/api/v1/reentry/regime';

export type Control = z.infer<typeof zControl>;
export type RegimeNow = z.infer<typeof zRegimeNow>;

export const MODES = ['RUNNING', 'PAUSE_ENTRY', 'PAUSE_ALL'] as const;

export type Mode = (typeof MODES)[number];

export const REGIMES = ['RISK_ON', 'NEUTRAL', 'RISK_OFF', 'PANIC'] as const;

export type Regime = (typeof REGIMES)[number];

export const MODE_TEXT = texts(
  {
    RUNNING: 'Running',
    PAUSE_ENTRY: 'Pause entries',
    PAUSE_ALL: 'Pause all',
    RUNNING_effect: 'Candidates are made, watched and bought back.',
    PAUSE_ENTRY_effect: 'Candidates are made and watched; nothing is bought.',
    PAUSE_ALL_effect: 'Nothing is watched. Exits that come meanwhile are skipped for good.',
  },
  {
    RUNNING: '가동',
    PAUSE_ENTRY: '진입 정지',
    PAUSE_ALL: '전체 정지',
    RUNNING_effect: '후보를 만들고 감시하며 재매수합니다.',
    PAUSE_ENTRY_effect: '후보를 만들고 감시하지만 매수하지 않습니다.',
    PAUSE_ALL_effect: '감시하지 않습니다. 그동안 발생한 청산은 후보가 되지 않습니다.',
  },
);

export const REGIME_TEXT = texts(
  { RISK_ON: 'Risk on', NEUTRAL: 'Neutral', RISK_OFF: 'Risk off', PANIC: 'Panic' },
  { RISK_ON: '위험 선호', NEUTRAL: '중립', RISK_OFF: '위험 회피', PANIC: '패닉' },
);

export function useReentryControl() {
  return useRead(REENTRY_PATH, zControl, { tables: ['trade.reentry_control'] });
}

export function useRegime() {
  return useRead(REGIME_PATH, zRegimeNow, { tables: ['market.regime_override', 'market.regime_snapshots'] });
}

/** How long what a producer said counts. */
const SNAPSHOT_MS = 5 * 60_000;

/** Who decides the regime: the operator, a producer, or nobody, and then the engine takes RISK_OFF. */
export interface InForce {
  regime: string;
  by: 'operator' | 'producer' | 'nobody';
}

/** Returns the regime that counts at `nowMs`, as the engine chooses it. */
export function regimeInForce(now: RegimeNow, nowMs: number): InForce {
  const isSet = now.regime != null && (now.until_ts == null || Date.parse(now.until_ts) > nowMs);
  if (isSet) return { regime: now.regime ?? '', by: 'operator' };
  const isFresh = now.snapshot != null && now.snapshot_asof != null && nowMs - Date.parse(now.snapshot_asof) <= SNAPSHOT_MS;
  return isFresh ? { regime: now.snapshot ?? '', by: 'producer' } : { regime: 'RISK_OFF', by: 'nobody' };
}
