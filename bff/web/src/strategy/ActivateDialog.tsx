'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { zPortfolio } from '../api/generated/zod.gen';
import { reread, useChange } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { Difference } from './Difference';
import { PORTFOLIOS_PATH, RUNS_PATH } from './names';
import type { Portfolio } from './PortfolioTab';
import css from './ActivateDialog.module.css';

const TEXT = texts(
  {
    title: (day: string) => `Put the portfolio of ${day} in force`,
    instead: (day: string) => `It takes the place of the one of ${day}, which is archived. The next rebalance sells and buys until the account has its weights.`,
    first: 'No portfolio is in force now. The next rebalance buys until the account has its weights.',
    action: 'Activate',
    reason: 'Reason',
    said: 'Kept with the portfolio',
    done: (day: string) => `The portfolio of ${day} is in force`,
  },
  {
    title: (day: string) => `${day} 포트폴리오 활성화`,
    instead: (day: string) => `${day} 포트폴리오를 대체하며 기존 것은 보관됩니다. 다음 리밸런싱에서 비중에 맞게 매도·매수합니다.`,
    first: '현재 적용 중인 포트폴리오가 없습니다. 다음 리밸런싱에서 비중에 맞게 매수합니다.',
    action: '활성화',
    reason: '사유',
    said: '포트폴리오에 남습니다',
    done: (day: string) => `${day} 포트폴리오를 적용했습니다`,
  },
);

/** Asks before a draft is put in force, with what it changes. */
export function ActivateDialog({ portfolio, active, isOpen, onClose }: { portfolio: Portfolio; active: Portfolio | null; isOpen: boolean; onClose: () => void }) {
  const text = useText(TEXT);
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const path = `${PORTFOLIOS_PATH}/${portfolio.portfolio_id}/activate`;
  const change = useChange<{ asked_by: string; reason?: string }, Portfolio>('POST', path, zPortfolio, {
    settled: () => reread(client, RUNS_PATH),
    rereads: [PORTFOLIOS_PATH],
    done: (row) => text.done(row.as_of),
    isQuiet: true,
  });
  const close = () => {
    setReason('');
    change.reset();
    onClose();
  };
  const confirm = async () => {
    const said = reason.trim();
    const row = await change.send({ asked_by: 'desk', ...(said === '' ? {} : { reason: said }) });
    if (row !== null) close();
  };
  return (
    <Ask
      title={text.title(portfolio.as_of)}
      about={active === null ? text.first : text.instead(active.as_of)}
      isOpen={isOpen}
      onClose={close}
      action={text.action}
      isBusy={change.isSending}
      onConfirm={() => void confirm()}
    >
      {active !== null && (
        <div className={css.difference}>
          <Difference fromId={active.portfolio_id} toId={portfolio.portfolio_id} />
        </div>
      )}
      <Input
        label={text.reason}
        hint={text.said}
        fault={change.fault?.fields.reason ?? change.fault?.message}
        value={reason}
        maxLength={500}
        onChange={(event) => setReason(event.target.value)}
      />
    </Ask>
  );
}
