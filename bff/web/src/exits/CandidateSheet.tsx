import Link from 'next/link';

import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { REASON_TEXT, worded } from '../orders/reasons';
import { Part, Sheet } from '../orders/Sheet';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Stock, Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { CandidateState } from './CandidateState';
import { Countdown } from './Countdown';
import { isOpen, type Candidate } from './gates';
import { GateList } from './Gates';
import { LastPrice, SinceExit } from './LivePrice';
import { useVerdicts } from './verdicts';
import css from './CandidateSheet.module.css';

const TEXT = texts(
  {
    gates: 'Gates, in their order',
    facts: 'Of the exit',
    verdicts: 'Verdicts',
    noneYet: 'No verdict is among those that are loaded.',
    further: 'Look further back',
    expire: 'End the candidate…',
    reason: 'Reason',
    exited: 'Exited',
    price: 'Exit price',
    last: 'Last price',
    since: 'Since the exit',
    high: 'High before the exit',
    qty: 'Shares at the first entry',
    rule: 'Re-entry rule',
    cooldown: 'Cooldown until',
    left: 'left',
    position: 'Position',
    open: 'Open the position',
    order: 'Order',
  },
  {
    gates: '게이트 (판정 순서)',
    facts: '청산 정보',
    verdicts: '판정 이력',
    noneYet: '불러온 이력에 판정이 없습니다.',
    further: '더 찾아보기',
    expire: '후보 만료…',
    reason: '사유',
    exited: '청산 시각',
    price: '청산가',
    last: '현재가',
    since: '청산가 대비',
    high: '청산 전 고점',
    qty: '최초 진입 수량',
    rule: '재진입 규칙',
    cooldown: '쿨다운 종료',
    left: '남음',
    position: '포지션',
    open: '포지션 열기',
    order: '주문',
  },
);

interface CandidateSheetProps {
  candidate: Candidate;
  isAsked: boolean;
  onExpire: () => void;
  onClose: () => void;
}

/** One candidate: its gates, what it comes from, and what was said of it. */
export function CandidateSheet({ candidate, isAsked, onExpire, onClose }: CandidateSheetProps) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const { data, fault, retry, hasMore, isLoadingMore, more } = useVerdicts();
  const verdicts = (data ?? []).filter((verdict) => verdict.candidate_id === candidate.candidate_id);
  const { cooldown_until: cooldown } = candidate;
  // One that has bought may buy a second time.
  const mayExpire = isOpen(candidate) || candidate.state === 'ENTERED';
  return (
    <Sheet
      id={candidate.candidate_id}
      title={<Stock name={candidate.name ?? null} symbol={candidate.symbol} />}
      about={<CandidateState candidate={candidate} isAsked={isAsked} />}
      onClose={onClose}
      testId="candidate-sheet"
    >
      {mayExpire && (
        <Part>
          <Button kind="danger" needs="TRADER" disabled={isAsked} onClick={onExpire} data-testid="expire">
            {text.expire}
          </Button>
        </Part>
      )}
      <Part title={text.gates}>
        <GateList candidate={candidate} />
      </Part>
      <Part title={text.facts}>
        <Facts
          facts={[
            [text.reason, worded(reasons, candidate.exit_reason_code)],
            [text.exited, <Time key="exited" at={candidate.exit_ts} />],
            [text.price, formatPrice(unitsOf(candidate.exit_price))],
            [text.last, <LastPrice key="last" symbol={candidate.symbol} />],
            [text.since, <SinceExit key="since" symbol={candidate.symbol} exitPrice={candidate.exit_price} />],
            [text.high, formatPrice(unitsOf(candidate.prior_hwm))],
            [text.qty, formatQty(candidate.original_qty)],
            [text.rule, candidate.rule_id ?? '–'],
            ...(cooldown == null
              ? []
              : [
                  [
                    text.cooldown,
                    <span key="cooldown">
                      <Time at={cooldown} />
                      {candidate.state === 'COOLDOWN' && (
                        <>
                          {' '}
                          (<Countdown until={cooldown} /> {text.left})
                        </>
                      )}
                    </span>,
                  ] as const,
                ]),
            [
              text.position,
              <Link key="position" className={css.link} href={`/position/?id=${candidate.origin_position_id}`}>
                {text.open}
              </Link>,
            ],
          ]}
        />
      </Part>
      <Part title={text.verdicts}>
        {fault !== null && <FaultNote fault={fault} onRetry={retry} />}
        <ol className={css.verdicts}>
          {verdicts.map((verdict) => (
            <li key={verdict.id}>
              <Tag>{verdict.status}</Tag>
              <span className={css.words}>
                {verdict.gate != null && <b>{verdict.gate} </b>}
                {verdict.reason === null || verdict.reason === undefined ? '' : worded(reasons, verdict.reason)}
                {verdict.order_id != null && (
                  <>
                    {' '}
                    <Link className={css.link} href={`/orders/?id=${verdict.order_id}`}>
                      {text.order}
                    </Link>
                  </>
                )}
              </span>
              <Time at={verdict.ts} />
            </li>
          ))}
        </ol>
        {verdicts.length === 0 && <p className={css.none}>{text.noneYet}</p>}
        {hasMore && (
          <Button size="small" isBusy={isLoadingMore} onClick={more}>
            {text.further}
          </Button>
        )}
      </Part>
    </Sheet>
  );
}
