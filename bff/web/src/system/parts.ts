/** The parts of the system with how they are, from the health of the server and the figures of the processes. */

import type { z } from 'zod';

import type { zDetailed } from '../api/generated/zod.gen';
import type { Figures } from './metrics';

export type Health = z.infer<typeof zDetailed>;

export const STATUSES = ['ok', 'degraded', 'down', 'off'] as const;

/** `off`: nobody says how it is. */
export type Status = (typeof STATUSES)[number];

export const PARTS = ['database', 'cache', 'feed', 'prices', 'stream', 'engine', 'naver'] as const;

export type PartId = (typeof PARTS)[number];

/** A price older than this is worth a look, milliseconds. */
const PRICE_OLD_MS = 10_000;
/** An engine that has not judged for this long is silent, seconds (alarm `engine_silent`). */
const SILENT_S = 10;

function known(status: string | undefined): Status {
  return STATUSES.find((one) => one === status) ?? 'off';
}

/** Returns the status of a part. */
export function statusOf(part: PartId, health: Health | undefined, figures: Figures): Status {
  switch (part) {
    case 'database':
      return known(health?.database.status);
    case 'cache':
      return known(health?.cache.status);
    case 'feed':
      return known(health?.feed.status);
    case 'prices': {
      const age = health?.prices.age_ms;
      if (age == null) return 'off';
      return age > PRICE_OLD_MS || health?.prices.mode === 'polling' ? 'degraded' : 'ok';
    }
    case 'stream': {
      const connected = figures.of('price_sync_ws_connected');
      if (connected === null) return 'off';
      if (connected < 1) return 'down';
      return (figures.of('price_sync_ws_sessions_away') ?? 0) > 0 ? 'degraded' : 'ok';
    }
    case 'engine': {
      const engines = figures.of('exit_active_engines');
      if (engines === null) return 'off';
      if (engines < 1) return 'down';
      return engines > 1 || (figures.of('exit_evaluation_age_seconds') ?? 0) > SILENT_S ? 'degraded' : 'ok';
    }
    case 'naver': {
      if (figures.all('naver_calls_total').length === 0) return 'off';
      return (figures.of('price_sync_naver_off') ?? 0) > 0 || (figures.of('naver_blocked') ?? 0) > 0 ? 'degraded' : 'ok';
    }
  }
}

/** Returns the worst of them that is known. */
export function worst(statuses: readonly Status[]): Status {
  if (statuses.includes('down')) return 'down';
  if (statuses.includes('degraded')) return 'degraded';
  return statuses.includes('ok') ? 'ok' : 'off';
}
