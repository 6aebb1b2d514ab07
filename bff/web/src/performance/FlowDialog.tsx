'use client';

import { useState } from 'react';
import type { z } from 'zod';

import { zCashFlow } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatSignedPrice } from '../money/format';
import { seoulToday } from '../strategy/today';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Choice, Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';

const TEXT = texts(
  {
    title: 'Enter a cash flow',
    about: (account: string) => `Account ${account}. What is entered stays; a wrong flow is made good by its opposite.`,
    direction: 'Direction',
    in: 'Paid in',
    out: 'Paid out',
    day: 'Day',
    dayHint: 'The first day whose equity holds the money',
    amount: 'Amount',
    wrong: 'An amount above 0 with at most 4 decimals',
    note: 'Note',
    noteHint: 'What it is: bank transfer, dividend paid out, …',
    action: (amount: string) => `Enter ${amount} KRW`,
    enter: 'Enter',
    done: (amount: string) => `Entered: ${amount} KRW`,
  },
  {
    title: '입출금 입력',
    about: (account: string) => `계좌 ${account}. 입력한 내역은 지울 수 없으며, 잘못 입력하면 반대 금액으로 바로잡습니다.`,
    direction: '구분',
    in: '입금',
    out: '출금',
    day: '날짜',
    dayHint: '이 돈이 자산에 처음 반영된 날',
    amount: '금액',
    wrong: '0보다 크고 소수점 이하 4자리까지인 금액',
    note: '내용',
    noteHint: '이체, 배당 인출 등',
    action: (amount: string) => `${amount}원 입력`,
    enter: '입력',
    done: (amount: string) => `입력됨: ${amount}원`,
  },
);

interface Entered {
  account_id: string;
  day: string;
  amount: number;
  note: string;
  asked_by: string;
  idempotency_key: string;
}

/** Returns the amount that was typed, commas and blanks aside; null for what is none. */
function amountOf(typed: string): number | null {
  const plain = typed.replaceAll(',', '').trim();
  if (!/^\d{1,15}(\.\d{1,4})?$/.test(plain)) return null;
  const amount = Number(plain);
  return amount > 0 ? amount : null;
}

/** Enters money that was paid in or out of an account. */
export function FlowDialog({ account, isOpen, onClose }: { account: string; isOpen: boolean; onClose: () => void }) {
  const text = useText(TEXT);
  const [direction, setDirection] = useState<'in' | 'out'>('in');
  const [day, setDay] = useState(() => seoulToday(Date.now()));
  const [typed, setTyped] = useState('');
  const [note, setNote] = useState('');
  // One flow is entered once, however often it is sent.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const change = useChange<Entered, z.infer<typeof zCashFlow>>('POST', '/api/v1/performance/cash-flows', zCashFlow, {
    rereads: ['/api/v1/performance'],
    done: (row) => text.done(formatSignedPrice(unitsOf(row.amount))),
    isQuiet: true,
  });
  const { fault } = change;
  const amount = amountOf(typed);
  const signed = amount === null ? null : direction === 'in' ? amount : -amount;
  const close = () => {
    setTyped('');
    setNote('');
    setKey(crypto.randomUUID());
    change.reset();
    onClose();
  };
  const send = async () => {
    if (signed === null) return;
    const row = await change.send({ account_id: account, day, amount: signed, note: note.trim(), asked_by: 'desk', idempotency_key: key });
    if (row !== null) close();
  };
  const isNamed = fault !== null && ['day', 'amount', 'note'].some((name) => name in fault.fields);
  return (
    <Ask
      title={text.title}
      about={text.about(account)}
      isOpen={isOpen}
      onClose={close}
      action={signed === null ? text.enter : text.action(formatSignedPrice(unitsOf(signed)))}
      isBusy={change.isSending}
      isReady={signed !== null && note.trim() !== '' && day !== ''}
      onConfirm={() => void send()}
    >
      <Choice
        label={text.direction}
        at={direction}
        onChange={setDirection}
        options={[
          { value: 'in', label: text.in },
          { value: 'out', label: text.out },
        ]}
      />
      <Input
        label={text.amount}
        unit="KRW"
        inputMode="decimal"
        value={typed}
        fault={fault?.fields.amount ?? (typed !== '' && amount === null ? text.wrong : null)}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Input label={text.day} type="date" max={seoulToday(Date.now())} hint={text.dayHint} value={day} fault={fault?.fields.day} onChange={(event) => setDay(event.target.value)} />
      <Input label={text.note} hint={text.noteHint} maxLength={500} value={note} fault={fault?.fields.note} onChange={(event) => setNote(event.target.value)} />
      {fault !== null && !isNamed && <FaultNote fault={fault} />}
    </Ask>
  );
}
