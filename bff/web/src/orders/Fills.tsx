import { useEffect } from 'react';
import type { z } from 'zod';

import { zExecution } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { microsOf } from '../live/instant';
import { divideHalfEven, unitsOf, type Units } from '../money/decimal';
import { formatPrice, formatQty, formatWon } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { FaultNote } from '../ui/Panel';
import { FineTime } from './figures';
import { Part } from './Sheet';
import type { Order } from './state';
import css from './Fills.module.css';

const TEXT = texts(
  {
    title: 'Fills',
    none: 'Nothing is filled yet. Each fill shows here as the broker tells of it.',
    loading: 'Looking for the fills…',
    time: 'Time',
    qty: 'Shares',
    price: 'Price',
    amount: 'Amount',
    costs: 'Fee + tax',
    total: 'All',
    average: (price: string) => `average ${price}`,
    older: 'Some fills lie further back.',
    search: 'Look further back',
  },
  {
    title: '체결 내역',
    none: '아직 체결이 없습니다. 증권사가 알리는 대로 표시됩니다.',
    loading: '체결 내역을 찾는 중…',
    time: '시각',
    qty: '수량',
    price: '체결가',
    amount: '금액',
    costs: '수수료+세금',
    total: '합계',
    average: (price: string) => `평균 ${price}`,
    older: '더 오래된 체결이 있습니다.',
    search: '더 찾아보기',
  },
);

type Execution = z.infer<typeof zExecution>;

/** Pages of fills that are read by themselves before the user is asked. */
const PAGES_MAX = 5;
const PAGE = 100;
const SLACK_US = 60_000_000n;

interface Sums {
  qty: bigint;
  amount: Units;
  costs: Units;
}

function sumsOf(fills: readonly Execution[]): Sums {
  const zero: Sums = { qty: 0n, amount: 0n, costs: 0n };
  return fills.reduce((sum, { qty, price, fee, tax }) => {
    const shares = BigInt(qty);
    return {
      qty: sum.qty + shares,
      amount: sum.amount + shares * (unitsOf(price) ?? 0n),
      costs: sum.costs + (unitsOf(fee) ?? 0n) + (unitsOf(tax) ?? 0n),
    };
  }, zero);
}

/** What of an order the broker has filled, from the list of all fills as far back as the order goes. */
export function Fills({ order }: { order: Order }) {
  const text = useText(TEXT);
  const path = order.filled_qty > 0 ? `/api/v1/executions?limit=${PAGE}` : null;
  const pages = usePages(path, zExecution, { tables: ['trade.order_events'] });
  const { data, hasMore, isLoadingMore, isLoading, more, fault, retry } = pages;
  const fills = (data ?? []).filter((fill) => fill.order_id === order.order_id);
  const sums = sumsOf(fills);
  const read = data?.length ?? 0;
  // No fill is older than its order, give or take the clock of the exchange.
  const oldest = microsOf(data?.at(-1)?.ts) ?? 0n;
  const isBehind = oldest > (microsOf(order.created_ts) ?? 0n) - SLACK_US;
  const isMissing = sums.qty < BigInt(order.filled_qty) && hasMore && isBehind;
  const isPatient = read < PAGES_MAX * PAGE;
  useEffect(() => {
    if (isMissing && isPatient && !isLoadingMore) more();
  }, [isMissing, isPatient, isLoadingMore, more]);
  const average = sums.qty === 0n ? null : divideHalfEven(sums.amount, sums.qty);
  return (
    <Part title={text.title} {...(average === null ? {} : { note: text.average(formatPrice(average)) })}>
      {fault !== null && <FaultNote fault={fault} onRetry={retry} />}
      {order.filled_qty === 0 && <p className={css.none}>{text.none}</p>}
      {order.filled_qty > 0 && fills.length === 0 && (isLoading || isLoadingMore) && <p className={css.none}>{text.loading}</p>}
      {fills.length > 0 && (
        <table className={css.fills} data-testid="fills">
          <thead>
            <tr>
              <th scope="col">{text.time}</th>
              <th scope="col">{text.qty}</th>
              <th scope="col">{text.price}</th>
              <th scope="col">{text.amount}</th>
              <th scope="col">{text.costs}</th>
            </tr>
          </thead>
          <tbody>
            {fills.map((fill) => {
              const one = sumsOf([fill]);
              return (
                <tr key={fill.fill_id} title={fill.source}>
                  <td>
                    <FineTime at={fill.ts} />
                  </td>
                  <td>{formatQty(fill.qty)}</td>
                  <td>{formatPrice(unitsOf(fill.price))}</td>
                  <td>{formatWon(one.amount)}</td>
                  <td>{formatWon(one.costs)}</td>
                </tr>
              );
            })}
          </tbody>
          {fills.length > 1 && (
            <tfoot>
              <tr>
                <th scope="row">{text.total}</th>
                <td>{formatQty(Number(sums.qty))}</td>
                <td>{formatPrice(average)}</td>
                <td>{formatWon(sums.amount)}</td>
                <td>{formatWon(sums.costs)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      )}
      {isMissing && !isPatient && (
        <p className={css.none}>
          {text.older}{' '}
          <Button size="small" isBusy={isLoadingMore} onClick={more}>
            {text.search}
          </Button>
        </p>
      )}
    </Part>
  );
}
