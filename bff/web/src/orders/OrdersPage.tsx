'use client';

import { Suspense, useEffect, useState } from 'react';

import { useActor } from '../access/context';
import { zOrderRequest } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { formatQty } from '../money/format';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Choice, Input } from '../ui/form';
import { Page } from '../ui/layout';
import { EmptyList, ListFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { SIDE_TEXT } from '../ui/Tag';
import { AskDialog } from './AskDialog';
import { BuyDialog } from './BuyDialog';
import { newKey } from './key';
import { useLiveList } from './liveList';
import { OrderSheet } from './OrderSheet';
import { OrderTable } from './OrderTable';
import { useParams } from '../shell/address';
import { Beside } from './Sheet';
import { STAGES, stageOf, type AskKind, type Asked, type Order, type Stage } from './state';
import { TEXT } from './text';
import { Waiting } from './Waiting';
import css from './orders.module.css';

interface Sent {
  order: Order;
  kind: AskKind;
  reason: string;
  key: string;
}

const SIDES = ['BUY', 'SELL'] as const;

function isLike(order: Order, typed: string): boolean {
  const text = [order.name, order.symbol, order.reason_code, order.broker_order_no, order.order_id, order.status].join(' ');
  return text.toLowerCase().includes(typed.toLowerCase());
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [role=dialog]') !== null;
}

/** Orders as they come, older ones on demand, one of them in its sheet; buying by hand. */
function Orders() {
  const text = useText(TEXT);
  const sides = useText(SIDE_TEXT);
  const [params, setParams] = useParams(['id', 'stage', 'side', 'q', 'buy']);
  const { rows: orders, isReady, hasMore, isLoadingMore, fault, retry, loadMore } = useLiveList('orders');
  const [asked, setAsked] = useState<Asked>(new Map());
  const [asking, setAsking] = useState<{ kind: AskKind; order: Order; key: string } | null>(null);
  const actor = useActor('asked_by');
  const change = useChange(
    'POST',
    ({ order, kind }: Sent) => `/api/v1/orders/${order.order_id}/${kind}`,
    zOrderRequest,
    {
      expect: ({ order, kind }) => {
        setAsked((before) => new Map(before).set(order.order_id, { kind, updatedTs: order.updated_ts }));
        return () =>
          setAsked((before) => {
            const after = new Map(before);
            after.delete(order.order_id);
            return after;
          });
      },
      rereads: ['/api/v1/orders/'],
    },
    ({ reason, key }) => ({ ...actor, idempotency_key: key, ...(reason === '' ? {} : { reason }) }),
  );
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key !== 'b' || isTyping(event.target)) return;
      if (document.querySelector('[role=dialog]') !== null) return;
      event.preventDefault();
      setParams({ buy: '1' });
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [setParams]);

  const stage: Stage = STAGES.find((one) => one === params.stage) ?? 'all';
  const side = SIDES.find((one) => one === params.side) ?? 'both';
  const typed = (params.q ?? '').trim();
  const ofSide = orders.filter((order) => (side === 'both' || order.side === side) && (typed === '' || isLike(order, typed)));
  const shown = stage === 'all' ? ofSide : ofSide.filter((order) => stageOf(order) === stage);
  const counts = (one: Stage) => ofSide.filter((order) => stageOf(order) === one).length;
  const isFiltered = stage !== 'all' || side !== 'both' || typed !== '';
  const open = (order: Order) => setParams({ id: order.order_id }, params.id === null);
  const ask = (kind: AskKind, order: Order) => setAsking({ kind, order, key: newKey() });
  const confirm = (reason: string) => {
    if (asking !== null) void change.send({ ...asking, reason });
    setAsking(null);
  };
  const list = (
    <>
      <Waiting orders={orders.filter((order) => stageOf(order) === 'approval')} asked={asked} onAsk={ask} onOpen={open} />
      <Panel title={text.title} count={formatQty(shown.length)} isFlush isLoading={!isReady} fault={fault} onRetry={retry}>
        {shown.length === 0 ? (
          <EmptyList text={isFiltered ? text.noneLike : text.none} onClear={isFiltered ? () => setParams({ stage: null, side: null, q: null }) : undefined} />
        ) : (
          <OrderTable
            orders={shown}
            asked={asked}
            openId={params.id}
            onOpen={open}
            onEnd={isFiltered || !hasMore ? undefined : loadMore}
            isLoadingMore={isLoadingMore}
          />
        )}
        <ListFoot loaded={orders.length} hasMore={hasMore} isLoadingMore={isLoadingMore} onMore={loadMore} />
      </Panel>
    </>
  );
  return (
    <Page
      title={text.title}
      actions={
        <Button kind="primary" needs="TRADER" title={text.buyKey} data-testid="buy" onClick={() => setParams({ buy: '1' })}>
          {text.buy}
        </Button>
      }
    >
      <div className={css.filters}>
        <Choice
          label={text.stage}
          at={stage}
          options={STAGES.map((one) => ({ value: one, label: one === 'all' ? text.all : `${text[one]} ${counts(one)}` }))}
          onChange={(value) => setParams({ stage: value === 'all' ? null : value })}
        />
        <Choice
          label={text.side}
          at={side}
          options={[{ value: 'both' as const, label: text.both }, ...SIDES.map((one) => ({ value: one, label: sides[one] }))]}
          onChange={(value) => setParams({ side: value === 'both' ? null : value })}
        />
        <Input isInline type="search" label={text.text} placeholder={text.textHint} value={params.q ?? ''} onChange={(event) => setParams({ q: event.target.value })} />
      </div>
      <Beside
        list={list}
        sheet={
          params.id === null ? null : (
            <OrderSheet
              id={params.id}
              row={orders.find(({ order_id }) => order_id === params.id)}
              asked={asked}
              onAsk={ask}
              onClose={() => setParams({ id: null })}
            />
          )
        }
      />
      {asking !== null && <AskDialog kind={asking.kind} order={asking.order} onClose={() => setAsking(null)} onConfirm={confirm} />}
      {params.buy !== null && (
        <BuyDialog
          symbol={params.buy === '1' ? null : params.buy}
          onClose={() => setParams({ buy: null })}
          onOrder={(id) => setParams({ buy: null, id })}
        />
      )}
    </Page>
  );
}

export function OrdersPage() {
  return (
    <Suspense fallback={null}>
      <Orders />
    </Suspense>
  );
}
