'use client';

import Link from 'next/link';

import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { Stock, Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Level } from './Level';
import type { Entry } from './log';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Log entry',
    time: 'Time',
    level: 'Level',
    event: 'Event',
    module: 'Module',
    symbol: 'Stock',
    position: 'Position',
    request: 'Request',
    facts: 'Facts',
  },
  {
    title: '로그 상세',
    time: '시각',
    level: '등급',
    event: '이벤트',
    module: '모듈',
    symbol: '종목',
    position: '포지션',
    request: '요청',
    facts: '세부 정보',
  },
);

/** Everything of one log entry. */
export function LogDialog({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const text = useText(TEXT);
  return (
    <Dialog title={text.title} about={entry.message} isOpen onClose={onClose} isWide>
      <Facts
        facts={[
          [text.time, <Time key="ts" at={entry.ts} />],
          [text.level, <Level key="level" level={entry.level} />],
          [text.event, <code key="event">{entry.event}</code>],
          [text.module, entry.module],
          ...(entry.symbol == null ? [] : [[text.symbol, <Stock key="symbol" symbol={entry.symbol} />] as const]),
          ...(entry.position_id == null
            ? []
            : [
                [
                  text.position,
                  <Link key="position" href={`/position/?id=${entry.position_id}`}>
                    {entry.position_id.slice(0, 8)}
                  </Link>,
                ] as const,
              ]),
          ...(entry.request_id == null ? [] : [[text.request, <code key="request">{entry.request_id}</code>] as const]),
        ]}
      />
      {Object.keys(entry.context).length > 0 && (
        <>
          <h3 className={css.heading}>{text.facts}</h3>
          <pre className={css.json} tabIndex={0}>
            {JSON.stringify(entry.context, null, 2)}
          </pre>
        </>
      )}
    </Dialog>
  );
}
