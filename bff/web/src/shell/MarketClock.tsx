'use client';

import { useEffect, useState } from 'react';
import { z } from 'zod';

import { zCalendarDay } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { phaseAt, seoulDay } from './session';
import css from './MarketClock.module.css';

const TEXT = texts(
  {
    PRE_OPEN: 'Pre-open',
    OPENING: 'Opening auction',
    REGULAR: 'Open',
    CLOSING: 'Closing auction',
    AFTER: 'After hours',
    CLOSED: 'Closed',
    HOLIDAY: 'Holiday',
    UNKNOWN: 'Calendar unknown',
    left: (time: string, phase: string) => `${phase} in ${time}`,
    label: 'Exchange time in Seoul and session by the calendar. The simulated exchange may be in session at any hour.',
  },
  {
    PRE_OPEN: '장전',
    OPENING: '시가 단일가',
    REGULAR: '정규장',
    CLOSING: '종가 단일가',
    AFTER: '시간외',
    CLOSED: '장마감',
    HOLIDAY: '휴장',
    UNKNOWN: '달력 없음',
    left: (time: string, phase: string) => `${time} 후 ${phase}`,
    label: '거래소 시각(서울)과 달력에 따른 세션. 모의 거래소는 언제나 열려 있을 수 있습니다.',
  },
);

function span(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Seoul time, the session of the exchange, and how long it lasts. */
export function MarketClock() {
  const text = useText(TEXT);
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const day = seoulDay(nowMs);
  const { data } = useRead(`/api/v1/calendar?from=${day}&to=${day}`, z.array(zCalendarDay), {
    tables: ['market.calendar'],
  });
  const today = data?.find(({ date }) => date === day);
  const { phase, next, seconds, time } = phaseAt(nowMs, data === undefined ? undefined : today?.is_open);
  return (
    <div className={css.clock} title={text.label} data-testid="market-clock" data-phase={phase}>
      <time className={css.time}>{time}</time>
      <span className={css.phase}>
        <i data-open={phase === 'REGULAR' || phase === 'OPENING' || phase === 'CLOSING'} aria-hidden="true" />
        {text[phase]}
      </span>
      {next !== null && <span className={css.left}>{text.left(span(seconds), text[next])}</span>}
    </div>
  );
}
