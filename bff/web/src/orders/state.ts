/** Orders as the page sorts them, and what was asked of them a moment ago. */

import type { z } from 'zod';

import { zOrder } from '../api/generated/zod.gen';

export type Order = z.infer<typeof zOrder>;

/** Parts of the life of an order by which the list is narrowed. */
export const STAGES = ['all', 'working', 'approval', 'ended'] as const;

export type Stage = (typeof STAGES)[number];

const ENDED: readonly string[] = ['FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR'];

export function stageOf(order: Order): Exclude<Stage, 'all'> {
  if (order.status === 'PENDING_APPROVAL') return 'approval';
  return ENDED.includes(order.status) ? 'ended' : 'working';
}

export type AskKind = 'approve' | 'reject' | 'cancel';

/** What was asked of orders, until something is heard of them. */
export type Asked = ReadonlyMap<string, { kind: AskKind; updatedTs: string }>;

/** Returns what was asked of `order`, if nothing has become of it yet. */
export function askedOf(asked: Asked, order: Order): AskKind | null {
  const ask = asked.get(order.order_id);
  return ask !== undefined && ask.updatedTs === order.updated_ts && stageOf(order) !== 'ended' ? ask.kind : null;
}
