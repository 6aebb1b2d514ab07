/** Rules to begin a new one from. */

import type { Rules } from './schema';

const RECOMMENDED: Rules = {
  hard_stop: { pnl: -0.07 },
  sl2: { pnl: -0.05, qty: 1 },
  sl1: { pnl: -0.03, qty: 0.5 },
  tp1: { pnl: 0.07, qty: 0.1, floor: 0.006 },
  tp2: { pnl: 0.1, qty: 0.2 },
  tp3: { pnl: 0.15, qty: 0.3, start_trailing: true },
  trail: { pct: 0.03, atr_k: 2, qty: 0.5 },
};

const HYBRID: Rules = {
  atr: { ref: 0.02, factor_min: 0.7, factor_max: 1.6 },
  hard_stop: { pnl: -0.1 },
  sl2: { pnl: -0.05, min: -0.035, max: -0.1, qty: 1 },
  sl1: { pnl: -0.03, min: -0.02, max: -0.06, qty: 0.5 },
  tp1: { pnl: 0.07, min: 0.05, max: 0.12, qty: 0.25, floor: 0.006 },
  tp2: { pnl: 0.1, min: 0.08, max: 0.18, qty: 0.25 },
  tp3: { pnl: 0.16, min: 0.12, max: 0.25, qty: 0.2, start_trailing: true },
  trail: { pct: 0.04, atr_k: 2, qty: 0.5 },
  time: { max_hold_days: 10, no_momentum_days: 3, no_momentum_profit: 0.02 },
};

const HIGH_BETA: Rules = {
  ...HYBRID,
  atr: { ref: 0.03, factor_min: 0.8, factor_max: 1.8 },
  sl2: { pnl: -0.06, min: -0.045, max: -0.12, qty: 1 },
  sl1: { pnl: -0.04, min: -0.025, max: -0.08, qty: 0.5 },
  tp1: { pnl: 0.08, min: 0.06, max: 0.12, qty: 0.3, floor: 0.008 },
  trail: { pct: 0.05, atr_k: 2.3, qty: 0.5 },
  time: { max_hold_days: 7, no_momentum_days: 2, no_momentum_profit: 0.03 },
};

const LOW_VOLATILITY: Rules = {
  ...HYBRID,
  atr: { ref: 0.015, factor_min: 0.6, factor_max: 1.3 },
  sl2: { pnl: -0.04, min: -0.03, max: -0.08, qty: 1 },
  sl1: { pnl: -0.025, min: -0.015, max: -0.05, qty: 0.4 },
  tp1: { pnl: 0.06, min: 0.04, max: 0.1, qty: 0.25, floor: 0.005 },
  trail: { pct: 0.03, atr_k: 1.8, qty: 0.5 },
  time: { max_hold_days: 15, no_momentum_days: 5, no_momentum_profit: 0.015 },
};

export const TEMPLATES = {
  recommended: RECOMMENDED,
  hybrid: HYBRID,
  highBeta: HIGH_BETA,
  lowVolatility: LOW_VOLATILITY,
  empty: {},
} as const satisfies Record<string, Rules>;

export type TemplateId = keyof typeof TEMPLATES;

/** What a section holds when it is switched on. */
export const STARTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ...RECOMMENDED,
  gap_down: { change: -0.03, window_s: 30 },
  break_even: { trigger: 0.03, buffer: 0.01 },
  time: { max_hold_days: 10, no_momentum_days: 3, no_momentum_profit: 0.02 },
  atr: { ref: 0.02, factor_min: 0.7, factor_max: 1.6 },
};
