/** What of a position is drawn on its chart. */

import type { ChartLine, ChartMark } from '../chart/drawing';
import { isBefore } from '../live/instant';
import { formatQty } from '../money/format';
import type { Execution, ExitEvent, Levels, Position } from './reads';
import type { POSITION_TEXT } from './text';
import type { Order } from './verdicts';

type Text = (typeof POSITION_TEXT)['en'];

/** Returns the lines: average cost, high-water mark, and every level under the name of its rule. */
export function linesOf(position: Position, levels: Levels | undefined, text: Text): ChartLine[] {
  const lines: ChartLine[] = [{ id: 'average', price: position.avg_price, name: text.averageLine, tone: 'accent', style: 'solid' }];
  if (levels?.hwm != null) lines.push({ id: 'hwm', price: levels.hwm, name: text.hwmLine, tone: 'muted', style: 'dotted' });
  for (const level of levels?.levels ?? []) {
    lines.push({
      id: `${level.reason} ${level.rule_id ?? ''}`,
      price: level.level,
      name: level.rule_id == null ? level.reason.replaceAll('_', ' ') : level.rule_id,
      tone: level.side === 'ABOVE' ? 'good' : level.reason === 'HARDSTOP' ? 'danger' : 'warn',
    });
  }
  return lines;
}

/** Returns the marks: entry, every fill, and what closed it. */
export function marksOf(
  position: Position,
  executions: readonly Execution[],
  orders: readonly Order[],
  exit: ExitEvent | undefined,
  text: Text,
): ChartMark[] {
  const reasons = new Map(orders.map((order) => [order.order_id, order.reason_code]));
  const marks: ChartMark[] = [
    { id: 'entry', at: position.entry_ts, name: text.entry(formatQty(position.original_qty)), tone: 'accent', side: 'below', shape: 'up' },
  ];
  const last = executions.reduce<Execution | undefined>((latest, fill) => (latest === undefined || isBefore(latest.ts, fill.ts) ? fill : latest), undefined);
  for (const fill of executions) {
    const isSale = fill.side === 'SELL';
    const isExit = exit !== undefined && fill === last;
    const reason = (reasons.get(fill.order_id) ?? fill.side).replaceAll('_', ' ');
    const sold = text.sold(reason, formatQty(fill.qty));
    marks.push({
      id: fill.fill_id,
      at: fill.ts,
      name: isExit ? text.closed(sold) : isSale ? sold : text.bought(formatQty(fill.qty)),
      tone: isExit ? 'warn' : isSale ? 'text' : 'accent',
      side: isSale ? 'above' : 'below',
      shape: isExit ? 'square' : isSale ? 'down' : 'up',
    });
  }
  // What was sold elsewhere has no fill here.
  if (exit !== undefined && last === undefined) {
    marks.push({ id: 'exit', at: exit.exit_ts, name: text.closed(exit.exit_reason_code.replaceAll('_', ' ')), tone: 'warn', side: 'above', shape: 'square' });
  }
  return marks;
}
