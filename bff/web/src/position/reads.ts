/** What the page reads of a position. */

import { useMemo } from 'react';
import { z } from 'zod';

import { zExecution, zExitEvent, zOrder, zPositionLevels, zPositionView, zResolution, zSeoulTime } from '../api/generated/zod.gen';
import { usePages, useRead, type Read } from '../api/hooks';
import { useTopic } from '../live/provider';

export type Position = z.infer<typeof zPositionView>;
export type Levels = z.infer<typeof zPositionLevels>;
export type Execution = z.infer<typeof zExecution>;
export type ExitEvent = z.infer<typeof zExitEvent>;

const zSignals = z.object({
  evaluated_ts: zSeoulTime.nullish(),
  rules: z.array(z.object({ reason: z.string(), rule_id: z.string().nullish(), distance: z.number(), is_triggered: z.boolean() })),
});

export type Signals = z.infer<typeof zSignals>;

const zWithheld = z.object({
  ts: zSeoulTime,
  logical_us: z.number(),
  reason: z.string(),
  rule_id: z.string().nullish(),
  why: z.string(),
  price: z.number(),
  level: z.number(),
});

export type Withheld = z.infer<typeof zWithheld>;

const POSITION = ['trade.positions', 'trade.position_state'];
const ORDERS = ['trade.orders', 'trade.order_events'];

/** How often what is in no table that is followed is read anew. */
const LEVELS_EVERY_MS = 10_000;
const WITHHELD_EVERY_MS = 5_000;
const SIGNALS_EVERY_MS = 15_000;

export function usePosition(id: string) {
  return useRead(`/api/v1/positions/${id}`, zPositionView, { tables: POSITION });
}

/** The levels of a position, the nearest first, as the engine tells them; with the profile they come from. */
export function useLevels(id: string, isLive: boolean): Read<Levels> {
  const read = useRead(`/api/v1/positions/${id}/levels`, zPositionLevels, {
    tables: [...POSITION, ...ORDERS, 'trade.exit_rules'],
    ...(isLive ? { everyMs: LEVELS_EVERY_MS } : {}),
  });
  const told = useTopic('levels').rows.find(({ position_id }) => position_id === id);
  const { data: whole } = read;
  const data = useMemo(() => {
    if (whole === undefined || told === undefined) return whole;
    const price = whole.price ?? 0;
    const levels = [...told.levels].sort((a, b) => Math.abs(a.level - price) - Math.abs(b.level - price));
    return { ...whole, hwm: told.hwm ?? whole.hwm, levels };
  }, [whole, told]);
  return { ...read, data };
}

/** Nothing serves a closed position: it is not asked for. */
export function useResolution(id: string, isLive: boolean) {
  const path = `/api/v1/exit-rules/resolve?position_id=${id}`;
  return useRead(isLive ? path : null, zResolution, { tables: ['trade.exit_rules', 'trade.positions'] });
}

export function useSignals(id: string, isLive: boolean) {
  return useRead(isLive ? `/api/v1/positions/${id}/signals` : null, zSignals, { everyMs: SIGNALS_EVERY_MS });
}

export function useWithheld(id: string, isLive: boolean) {
  return usePages(`/api/v1/positions/${id}/withheld`, zWithheld, {
    tables: [...ORDERS, 'trade.exit_control'],
    ...(isLive ? { everyMs: WITHHELD_EVERY_MS } : {}),
  });
}

export function useOrdersOf(id: string) {
  return usePages(`/api/v1/orders?position_id=${id}`, zOrder, { tables: ORDERS });
}

export function useExecutionsOf(id: string) {
  return usePages(`/api/v1/executions?position_id=${id}`, zExecution, { tables: ['trade.executions', ...ORDERS] });
}

const zExitEvents = z.array(zExitEvent);

/** The exit of a closed position. */
export function useExitOf(id: string, isClosed: boolean) {
  const path = `/api/v1/exit-events?position_id=${id}`;
  const read = useRead(isClosed ? path : null, zExitEvents, { tables: ['trade.exit_events'] });
  return { ...read, data: read.data?.[0] };
}
