'use client';

import { useState } from 'react';
import type { z } from 'zod';

import { zRunRequest } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { RUNS_PATH } from './names';
import { seoulToday } from './today';

const TEXT = texts(
  {
    run: 'Run now',
    title: 'Run the strategy',
    about: 'Universe, factors, signals, ranking and a portfolio are computed anew. The portfolio is a draft: the run itself trades nothing.',
    day: 'Day',
    dayHint: 'Empty: the last session that has bars',
    reason: 'Reason',
    said: 'Kept with the request',
  },
  {
    run: '지금 실행',
    title: '전략 실행',
    about: '유니버스, 팩터, 시그널, 랭킹, 포트폴리오를 새로 계산합니다. 포트폴리오는 초안이며 실행만으로는 매매하지 않습니다.',
    day: '기준일',
    dayHint: '비우면 봉 데이터가 있는 마지막 거래일',
    reason: '사유',
    said: '요청 기록에 남습니다',
  },
);

/** What is sent to ask for a run; sent again, it asks what became of it. */
export interface AskedRun {
  as_of?: string;
  reason?: string;
  asked_by: string;
  idempotency_key: string;
}

export type RunRequest = z.infer<typeof zRunRequest>;

/** Asks for a run of the strategy. */
export function RunNow({ isUnderWay, onAsked }: { isUnderWay: boolean; onAsked: (asked: AskedRun) => void }) {
  const text = useText(TEXT);
  const [isOpen, setOpen] = useState(false);
  const [day, setDay] = useState('');
  const [reason, setReason] = useState('');
  const change = useChange<AskedRun, RunRequest>('POST', RUNS_PATH, zRunRequest, { rereads: [RUNS_PATH], isQuiet: true });
  const close = () => {
    setOpen(false);
    change.reset();
  };
  const send = async () => {
    const asked: AskedRun = {
      asked_by: 'desk',
      idempotency_key: crypto.randomUUID(),
      ...(day === '' ? {} : { as_of: day }),
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    };
    const request = await change.send(asked);
    if (request === null) return;
    setReason('');
    close();
    onAsked(asked);
  };
  const { fault } = change;
  const isNamed = fault !== null && ('as_of' in fault.fields || 'reason' in fault.fields);
  return (
    <>
      <Button kind="primary" needs="TRADER" isBusy={isUnderWay} onClick={() => setOpen(true)} data-testid="run-now">
        {text.run}
      </Button>
      <Ask title={text.title} about={text.about} isOpen={isOpen} onClose={close} action={text.run} isBusy={change.isSending} onConfirm={() => void send()}>
        <Input
          label={text.day}
          type="date"
          max={seoulToday(Date.now())}
          hint={text.dayHint}
          fault={fault?.fields.as_of}
          value={day}
          onChange={(event) => setDay(event.target.value)}
        />
        <Input
          label={text.reason}
          hint={text.said}
          fault={fault?.fields.reason ?? (fault !== null && !isNamed ? `${fault.code}: ${fault.message}` : null)}
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Ask>
    </>
  );
}
