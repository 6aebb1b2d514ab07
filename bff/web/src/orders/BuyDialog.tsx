import { useEffect, useState } from 'react';
import { z } from 'zod';

import { useActor } from '../access/context';
import { zManualEntry, zStock } from '../api/generated/zod.gen';
import { useChange, useRead } from '../api/hooks';
import { usePrice } from '../live/provider';
import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { BuyOutcome } from './BuyOutcome';
import { BuyReview } from './BuyReview';
import { BuyTicket } from './BuyTicket';
import { unplaced } from './faults';
import { newKey } from './key';
import { wholeOf, type Ticket } from './ticket';

const TEXT = texts(
  {
    title: 'Buy by hand',
    about: 'The position belongs to strategy MANUAL. The risk limits apply as to every purchase.',
  },
  {
    title: '수동 매수',
    about: '포지션은 MANUAL 전략에 속하며, 모든 매수와 같이 리스크 한도가 적용됩니다.',
  },
);

type Entry = z.infer<typeof zManualEntry>;

interface Sent {
  ticket: Ticket;
  key: string;
}

/** How often, and how many times, the server is asked what became of a request. */
const ASK_EVERY_MS = 600;
const ASKS_MAX = 40;

const FIELDS = ['symbol', 'qty', 'limit_price', 'reason'];

function bodyOf({ ticket, key }: Sent) {
  const limit = ticket.type === 'LMT' ? { limit_price: wholeOf(ticket.limit) } : {};
  const reason = ticket.reason.trim() === '' ? {} : { reason: ticket.reason.trim() };
  return { symbol: ticket.stock?.symbol, side: 'BUY', qty: wholeOf(ticket.qty), idempotency_key: key, ...limit, ...reason };
}

interface BuyDialogProps {
  /** What is bought, if that is known already. */
  symbol: string | null;
  onClose: () => void;
  onOrder: (id: string) => void;
}

/** A purchase by hand: the ticket, what it comes to, and what became of it. One key makes it one request. */
export function BuyDialog({ symbol, onClose, onOrder }: BuyDialogProps) {
  const text = useText(TEXT);
  const [ticket, setTicket] = useState<Ticket>({ stock: null, type: 'LMT', qty: '', limit: '', reason: '' });
  const [key, setKey] = useState<string | null>(null);
  const [entry, setEntry] = useState<Entry | null>(null);
  const [asks, setAsks] = useState(0);
  const wanted = useRead(symbol === null ? null : `/api/v1/stocks/search?limit=1&q=${encodeURIComponent(symbol)}`, z.array(zStock));
  const named = wanted.data?.find((stock) => stock.symbol === symbol);
  const stock = ticket.stock ?? (named === undefined ? null : { symbol: named.symbol, name: named.name });
  const price = usePrice(stock?.symbol ?? null);
  const whole: Ticket = { ...ticket, stock };
  const actor = useActor('asked_by');
  const change = useChange<Sent, Entry>('POST', '/api/v1/orders', zManualEntry, { isQuiet: true, settled: (row) => setEntry(row) }, (sent) => ({ ...bodyOf(sent), ...actor }));
  const { send, fault } = change;

  const isAsked = entry?.state === 'ASKED' && asks < ASKS_MAX;
  useEffect(() => {
    if (!isAsked || key === null) return;
    // Sent again under its key it is no second request: the server says how the first one stands.
    const timer = setTimeout(() => {
      setAsks((before) => before + 1);
      void send({ ticket: whole, key });
    }, ASK_EVERY_MS);
    return () => clearTimeout(timer);
  }, [isAsked, asks, key, send]);

  // What the ticket has a field for is mended there, everything else is said where it was sent.
  const isNamed = fault !== null && unplaced(fault, FIELDS) === null;
  const edit = () => {
    setKey(null);
    setEntry(null);
    setAsks(0);
  };
  const confirm = () => {
    if (key === null || change.isSending) return;
    void send({ ticket: whole, key });
  };
  const isReviewed = key !== null && entry === null && !isNamed;
  return (
    <Dialog title={text.title} about={text.about} isOpen onClose={onClose}>
      {entry !== null ? (
        <BuyOutcome entry={entry} name={stock?.name ?? entry.symbol} isOver={!isAsked} onEdit={edit} onClose={onClose} onOrder={onOrder} />
      ) : isReviewed ? (
        <BuyReview ticket={whole} price={price} fault={fault} isRefusal={change.isRefusal} isBusy={change.isSending} onBack={edit} onConfirm={confirm} />
      ) : (
        <BuyTicket
          ticket={whole}
          price={price}
          faults={isNamed ? fault.fields : {}}
          onChange={(changed) => setTicket({ ...whole, ...changed })}
          onReview={() => {
            change.reset();
            setKey(newKey());
          }}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}
