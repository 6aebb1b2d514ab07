import { useEffect, useState } from 'react';
import type { z } from 'zod';

import { zManualExit } from '../api/generated/zod.gen';
import { useActor } from '../access/context';
import { useChange } from '../api/hooks';
import { newKey } from '../orders/key';
import { useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import type { Position } from './reads';
import { SaleOutcome } from './SaleOutcome';
import { SaleReview } from './SaleReview';
import { SaleTicket } from './SaleTicket';
import { SELL_TEXT } from './sellText';

export type Sale = z.infer<typeof zManualExit>;

/** What is to be sold, as it is typed. */
export interface Ticket {
  qty: string;
  reason: string;
}

interface Sent extends Ticket {
  key: string;
  /** Who asks, where no token says it. */
  by: string | undefined;
}

/** How often, and how many times, the server is asked what became of a request. */
const ASK_EVERY_MS = 500;
const ASKS_MAX = 60;

function bodyOf({ qty, reason, key, by }: Sent) {
  const said = reason.trim() === '' ? {} : { reason: reason.trim() };
  return { qty: Number(qty), idempotency_key: key, ...said, asked_by: by };
}

/** A sale by hand: the ticket, what it comes to, and what became of it. One key makes it one request. */
export function SellDialog({ position, onClose }: { position: Position; onClose: () => void }) {
  const text = useText(SELL_TEXT);
  const { asked_by: by } = useActor('asked_by');
  const [ticket, setTicket] = useState<Ticket>({ qty: String(position.qty), reason: '' });
  const [key, setKey] = useState<string | null>(null);
  const [sale, setSale] = useState<Sale | null>(null);
  const [asks, setAsks] = useState(0);
  const change = useChange<Sent, Sale>(
    'POST',
    `/api/v1/positions/${position.position_id}/sell`,
    zManualExit,
    { isQuiet: true, settled: (row) => setSale(row), rereads: ['/api/v1/orders?position_id='] },
    bodyOf,
  );
  const { send, fault } = change;

  const isAsked = sale?.state === 'ASKED' && asks < ASKS_MAX;
  useEffect(() => {
    if (!isAsked || key === null) return;
    // Sent again under its key it is no second request: the server says how the first one stands.
    const timer = setTimeout(() => {
      setAsks((before) => before + 1);
      void send({ ...ticket, key, by });
    }, ASK_EVERY_MS);
    return () => clearTimeout(timer);
  }, [isAsked, asks, key, by, ticket, send]);

  const isNamed = fault !== null && Object.keys(fault.fields).length > 0;
  const edit = () => {
    setKey(null);
    setSale(null);
    setAsks(0);
  };
  return (
    <Dialog title={text.title(position.name)} about={sale === null ? text.about : undefined} isOpen onClose={onClose}>
      {sale !== null ? (
        <SaleOutcome sale={sale} isOver={!isAsked} onEdit={edit} onClose={onClose} />
      ) : key !== null && !isNamed ? (
        <SaleReview
          position={position}
          ticket={ticket}
          fault={fault}
          isRefusal={change.isRefusal}
          isBusy={change.isSending}
          onBack={edit}
          onConfirm={() => void send({ ...ticket, key, by })}
        />
      ) : (
        <SaleTicket
          position={position}
          ticket={ticket}
          faults={isNamed ? fault.fields : {}}
          onChange={(changed) => {
            if (isNamed) edit();
            change.reset();
            setTicket({ ...ticket, ...changed });
          }}
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
