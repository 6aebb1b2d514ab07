'use client';

import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { z } from 'zod';

import { zCalendarDay } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { usePreferences } from '../shell/preferences';
import { seoulDay } from '../shell/session';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { monthAfter, monthOf, weeksOf } from './month';
import css from './data.module.css';

const TEXT = texts(
  {
    title: 'Calendar',
    before: 'Month before',
    after: 'Month after',
    open: 'Open',
    closed: 'Closed',
    unknown: 'Unknown',
    conflict: 'Conflict',
    conflicts: (count: number) => (count === 1 ? '1 conflict' : `${count} conflicts`),
    conflictHint: 'The broker says other than the configuration. What the broker says counts, unless an operator says otherwise.',
    unknownHint: 'Nobody has told: it counts as closed.',
    date: 'Date',
    counts: 'The exchange',
    source: 'Who says so',
    trading: 'Trading day',
    business: 'Business day',
    settlement: 'Settlement day',
    told: 'Told',
    since: 'Since',
    yes: 'Yes',
    no: 'No',
    openDays: (count: number) => `${count} open days`,
  },
  {
    title: '거래일 달력',
    before: '이전 달',
    after: '다음 달',
    open: '개장',
    closed: '휴장',
    unknown: '미확인',
    conflict: '불일치',
    conflicts: (count: number) => `불일치 ${count}건`,
    conflictHint: '증권사와 설정이 서로 다릅니다. 운영자가 따로 정하지 않으면 증권사 값을 따릅니다.',
    unknownHint: '정보가 없는 날은 휴장으로 봅니다.',
    date: '날짜',
    counts: '거래소',
    source: '출처',
    trading: '거래일',
    business: '영업일',
    settlement: '결제일',
    told: '확인',
    since: '변경',
    yes: '예',
    no: '아니오',
    openDays: (count: number) => `개장일 ${count}일`,
  },
);

type Day = z.infer<typeof zCalendarDay>;

/** It is in no feed: how often it is asked for. */
const EVERY_MS = 10_000;

function stateOf(day: Day | undefined): 'open' | 'closed' | 'unknown' {
  if (day === undefined) return 'unknown';
  return day.is_open ? 'open' : 'closed';
}

/** The days of the exchange in a month: open, closed, unknown, and where sources differ. */
export function CalendarPanel({ month: asked, onMonth }: { month: string | null; onMonth: (month: string) => void }) {
  const text = useText(TEXT);
  const { language } = usePreferences();
  const today = seoulDay(Date.now());
  const month = monthOf(asked, today);
  const dates = weeksOf(month);
  const [chosen, setChosen] = useState(today);
  const { data, fault, isLoading, retry } = useRead(`/api/v1/calendar?from=${dates[0]}&to=${dates.at(-1)}`, z.array(zCalendarDay), { everyMs: EVERY_MS });
  const days = new Map((data ?? []).map((day) => [day.date, day]));
  const inMonth = (data ?? []).filter(({ date }) => date.startsWith(month));
  const conflicts = inMonth.filter((day) => day.is_conflict).length;
  const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' });
  const title = new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(Date.parse(`${month}-01T00:00:00Z`));
  const day = days.get(chosen);
  const said = (value: boolean | null | undefined) => (value == null ? UNKNOWN : value ? text.yes : text.no);
  return (
    <Panel
      title={text.title}
      count={`${title} · ${text.openDays(inMonth.filter((one) => one.is_open).length)}`}
      fault={fault}
      onRetry={retry}
      isLoading={isLoading}
      actions={
        <>
          <Button size="small" aria-label={text.before} onClick={() => onMonth(monthAfter(month, -1))}>
            <ChevronLeft size={14} aria-hidden="true" />
          </Button>
          <Button size="small" aria-label={text.after} onClick={() => onMonth(monthAfter(month, 1))}>
            <ChevronRight size={14} aria-hidden="true" />
          </Button>
        </>
      }
    >
      <div className={css.month}>
        {dates.slice(0, 7).map((date) => (
          <span key={date} className={css.weekday}>
            {weekday.format(Date.parse(`${date}T00:00:00Z`))}
          </span>
        ))}
        {dates.map((date) => {
          const one = days.get(date);
          const state = stateOf(one);
          return (
            <button
              key={date}
              type="button"
              className={css.day}
              data-testid={`day-${date}`}
              data-state={state}
              data-conflict={one?.is_conflict === true || undefined}
              data-outside={date.startsWith(month) ? undefined : true}
              data-today={date === today || undefined}
              aria-pressed={date === chosen}
              aria-label={`${date} ${text[state]}${one?.is_conflict === true ? `, ${text.conflict}` : ''}`}
              onClick={() => setChosen(date)}
            >
              <b>{Number(date.slice(8))}</b>
              <span>{one?.is_conflict === true ? text.conflict : text[state]}</span>
            </button>
          );
        })}
      </div>
      <p className={css.legend}>
        {conflicts > 0 && (
          <span>
            {text.conflicts(conflicts)}: {text.conflictHint}
          </span>
        )}
        {dates.some((date) => !days.has(date)) && <span>{text.unknownHint}</span>}
      </p>
      <div className={css.chosen} data-testid="calendar-day">
        <Facts
          facts={[
            [text.date, chosen],
            [text.counts, day === undefined ? text.unknown : day.is_open ? text.open : text.closed],
            [text.source, day?.source ?? UNKNOWN],
            [text.trading, said(day?.is_trading_day)],
            [text.business, said(day?.is_business_day)],
            [text.settlement, said(day?.is_settlement_day)],
            [text.told, <Time key="told" at={day?.fetched_ts} />],
            [text.since, <Time key="since" at={day?.changed_ts} />],
          ]}
        />
      </div>
    </Panel>
  );
}
