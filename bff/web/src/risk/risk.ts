/** What the risk page reads, and the limits of the account beside what is used of them. */

import { z } from 'zod';

import { zFigures, zRiskViolation, type zRiskLimits, type zRiskReport } from '../api/generated/zod.gen';

export const STOP_PATH = '/api/v1/risk/emergency-stop';
export const LIMITS_PATH = '/api/v1/risk/limits';
export const REPORT_PATH = '/api/v1/risk/report';
export const VIOLATIONS_PATH = '/api/v1/risk/violations';

export const STOP_TABLES = ['system.emergency_stop'];
export const LIMITS_TABLES = ['system.risk_limits', 'system.risk_profile'];

/** Reports and violations are in no table that is followed. */
export const LOOK_EVERY_MS = 5_000;

/** Reports come every five minutes; one that is older than two of them is stale. */
export const STALE_AFTER_MS = 11 * 60_000;

/** Longest reason that is taken, in characters. */
export const REASON_MAX = 500;

export type Report = z.infer<typeof zRiskReport>;
export type Limits = z.infer<typeof zRiskLimits>;
export type Figures = z.infer<typeof zFigures>;

export const PROFILES = ['DEFAULT', 'CONSERVATIVE', 'AGGRESSIVE'] as const;
export type Profile = (typeof PROFILES)[number];

/** Returns the profile that `text` names. */
export function profileOf(text: string | null | undefined): Profile {
  return PROFILES.find((profile) => profile === text) ?? 'DEFAULT';
}

/** Limits of the account, in the order in which the gate checks them. */
export const CHECKS = ['TOTAL_POSITIONS', 'SINGLE_WEIGHT', 'SECTOR_WEIGHT', 'MARKET_WEIGHT', 'DAILY_LOSS', 'TOTAL_LOSS'] as const;
export type Check = (typeof CHECKS)[number];

/** The field of the limits in which the bound of a check stands. */
export const FIELD = {
  TOTAL_POSITIONS: 'positions_max',
  SINGLE_WEIGHT: 'single_max_pct',
  SECTOR_WEIGHT: 'sector_max_pct',
  MARKET_WEIGHT: 'market_max_pct',
  DAILY_LOSS: 'daily_loss_max_pct',
  TOTAL_LOSS: 'total_loss_max_pct',
} as const satisfies Record<Check, keyof Figures>;

export type LimitField = (typeof FIELD)[Check];

export const LEVELS = ['GREEN', 'YELLOW', 'ORANGE', 'RED'] as const;
export type Level = (typeof LEVELS)[number];

/** Returns the level of a usage in percent; what is not known is RED. */
export function levelOf(usage: number | null): Level {
  if (usage === null || usage > 95) return 'RED';
  if (usage >= 85) return 'ORANGE';
  return usage >= 70 ? 'YELLOW' : 'GREEN';
}

/** A part of the account, such as a sector, with its weight in percent of the equity. */
export interface Weight {
  name: string;
  /** Null where the equity is not known. */
  weight: number | null;
}

/** Returns weights of the API, the heaviest first. */
export function weightsOf(weights: Readonly<Record<string, unknown>>): Weight[] {
  const rows = Object.entries(weights).map(([name, weight]) => ({
    name,
    weight: typeof weight === 'number' ? weight : null,
  }));
  return rows.sort((a, b) => (b.weight ?? Infinity) - (a.weight ?? Infinity) || a.name.localeCompare(b.name));
}

/** The symbol of a name that counts as a sector of its own, as the report has it: `(005930)`. */
export function ownSymbol(name: string): string | null {
  return /^\(([0-9A-Z]+)\)$/.exec(name)?.[1] ?? null;
}

/** A limit in force beside what is used of it. */
export interface Usage {
  check: Check;
  /** Names, or percent of the equity; a loss is negative. Null where it is not known. */
  now: number | null;
  /** What it is of: the heaviest symbol, sector or market. */
  of: string | null;
  limit: number | null;
  /** Percent of the limit; null where it is not known or the limit bounds nothing. */
  usage: number | null;
  /** Whether the limit bounds nothing. */
  isOpen: boolean;
}

/** Returns every limit with what the report says of it. */
export function usagesOf(report: Report | undefined, figures: Figures | null | undefined): Usage[] {
  const sector = report === undefined ? undefined : weightsOf(report.sector_weights)[0];
  const market = report === undefined ? undefined : weightsOf(report.market_weights)[0];
  const now: Record<Check, readonly [number | null | undefined, string | null | undefined]> = {
    TOTAL_POSITIONS: [report?.positions, null],
    SINGLE_WEIGHT: [report?.largest_weight, report?.largest_symbol],
    SECTOR_WEIGHT: [sector?.weight, sector?.name],
    MARKET_WEIGHT: [market?.weight, market?.name],
    DAILY_LOSS: [report?.day_result_pct, null],
    TOTAL_LOSS: [report?.total_result_pct, null],
  };
  return CHECKS.map((check) => {
    const limit = figures?.[FIELD[check]] ?? null;
    const usage = report?.usages[check];
    const isWeight = check !== 'TOTAL_POSITIONS';
    return {
      check,
      now: now[check][0] ?? null,
      of: now[check][1] ?? null,
      limit,
      usage: typeof usage === 'number' ? usage : null,
      isOpen: isWeight && limit !== null && limit >= 100,
    };
  });
}

const zFound = z.object({
  check: z.string(),
  passed: z.boolean(),
  value: z.number().nullish(),
  limit: z.number().nullish(),
  reason: z.string().nullish(),
});

/** What one check of the gate found: names, else KRW. */
export type Found = z.infer<typeof zFound>;

/** An entry that the gate refused, with what each check found. */
export const zViolation = zRiskViolation.extend({ results: z.array(zFound) });

export type Violation = z.infer<typeof zViolation>;
