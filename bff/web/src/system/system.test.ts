import { describe, expect, it } from 'vitest';

import { standing, type Alarm } from './alarms';
import { changesOf, inShort, type Change } from './audit';
import { jobsOf, tookMs, type Run } from './jobs';
import { hasText, type Entry } from './log';
import { Figures } from './metrics';
import { statusOf, worst } from './parts';
import { typed, untyped } from './settings';
import { agesOf, formatAge, sourcesOf, type BestPrice } from './sources';

const sample = (name: string, value: number, labels: Record<string, string> = {}, ts = '2026-02-20T10:00:00+09:00') => ({ name, labels, value, ts });

const price = (age_ms: number, part: Partial<BestPrice> = {}): BestPrice => ({
  symbol: '005930',
  price: 70_000,
  source: 'KIS_WS',
  received_ts: '2026-02-20T10:00:00+09:00',
  age_ms,
  fresh_until: '2026-02-20T10:00:02+09:00',
  is_stale: false,
  ...part,
});

describe('figures', () => {
  it('finds a series by its labels, the newest where two processes tell it', () => {
    const figures = new Figures([
      sample('postgres_up', 0),
      sample('postgres_up', 1, {}, '2026-02-20T10:00:05+09:00'),
      sample('waiting', 3, { lane: 'order' }),
    ]);
    expect(figures.of('postgres_up')).toBe(1);
    expect(figures.of('waiting', { lane: 'order' })).toBe(3);
    expect(figures.of('waiting', { lane: 'query' })).toBeNull();
    expect(new Figures([sample('x_count', 4), sample('x_sum', 2)]).mean('x')).toBe(0.5);
    expect(new Figures([sample('x_count', 0), sample('x_sum', 0)]).mean('x')).toBeNull();
  });

  it('tells of a part what is known of it', () => {
    expect(statusOf('engine', undefined, new Figures([]))).toBe('off');
    expect(statusOf('engine', undefined, new Figures([sample('exit_active_engines', 0)]))).toBe('down');
    expect(statusOf('engine', undefined, new Figures([sample('exit_active_engines', 2)]))).toBe('degraded');
    expect(statusOf('engine', undefined, new Figures([sample('exit_active_engines', 1), sample('exit_evaluation_age_seconds', 0.1)]))).toBe('ok');
    expect(statusOf('stream', undefined, new Figures([sample('price_sync_ws_connected', 0)]))).toBe('down');
    expect([worst(['ok', 'off']), worst(['ok', 'degraded', 'down']), worst(['off']), worst(['ok', 'degraded'])]).toEqual(['ok', 'down', 'off', 'degraded']);
  });
});

describe('prices', () => {
  it('counts fresh and stale ones of each source with their reasons', () => {
    const [stream, calls] = sourcesOf([price(100), price(300), price(9_000, { is_stale: true, stale_reason: 'WS_TIMEOUT' }), price(5, { source: 'NAVER' })]);
    expect(stream).toMatchObject({ symbols: 3, fresh: 2, stale: 1, medianMs: 300, oldestMs: 9_000, reasons: [['WS_TIMEOUT', 1]] });
    expect(calls).toMatchObject({ symbols: 0, medianMs: null });
  });

  it('puts every price in one class of age', () => {
    const classes = agesOf([price(0), price(499), price(500), price(60_000, { is_stale: true })]);
    expect(classes.map(({ fresh, stale }) => fresh + stale)).toEqual([2, 1, 0, 0, 0, 0, 0, 1]);
    expect(classes.at(-1)).toEqual({ belowMs: null, fresh: 0, stale: 1 });
  });

  it('writes ages as they are read', () => {
    expect([0, 99, 100, 9_900, 10_000, 119_000, 150_000, 7_200_000, 200_000_000, null].map(formatAge)).toEqual([
      '0 ms', '99 ms', '0.1 s', '9.9 s', '10 s', '119 s', '3 min', '2 h', '2 d', '–',
    ]);
  });
});

describe('alarms, jobs, logs, audit', () => {
  it('shows alarms that stand: those not noted first, the worst first', () => {
    const alarm = (id: string, level: string, part: Partial<Alarm> = {}) => ({ id, level, raised_ts: '2026-02-20T10:00:00+09:00', cleared_ts: null, ...part }) as Alarm;
    const rows = [alarm('1', 'WARNING'), alarm('2', 'P0', { acknowledged_by: 'me' }), alarm('3', 'CRITICAL'), alarm('4', 'P0', { cleared_ts: 'x' })];
    expect(standing(rows).map(({ id }) => id)).toEqual(['3', '1', '2']);
  });

  it('finds of each job its last run and the last that was done', () => {
    const run = (job: string, status: string) => ({ job, status, started_ts: '2026-02-20T10:00:00+09:00', ended_ts: '2026-02-20T10:00:01.5+09:00' }) as Run;
    const [a, b] = jobsOf([run('b', 'FAILED'), run('a', 'DONE'), run('b', 'DONE')]);
    expect([a?.job, a?.last.status, b?.last.status, b?.done?.status]).toEqual(['a', 'DONE', 'FAILED', 'DONE']);
    expect(tookMs(run('a', 'DONE'))).toBe(1_500);
  });

  it('finds a text in anything of an entry', () => {
    const entry = { event: 'BROKER_DOWN', module: 'stream', message: 'no answer', context: { code: 'EGW00201' } } as unknown as Entry;
    expect([hasText(entry, 'broker'), hasText(entry, 'egw'), hasText(entry, 'back'), hasText(entry, '')]).toEqual([true, true, false, true]);
  });

  it('tells what of a row is other than before', () => {
    const change = { op: 'UPDATE', was: { a: 1, b: { c: 2 }, version: 1 }, now: { a: 2, b: { c: 2 }, version: 2, d: 'x' } } as unknown as Change;
    expect(changesOf(change).map(({ field }) => field)).toEqual(['a', 'd', 'version']);
    expect(inShort(change)).toBe('a: 1 → 2, d: ∅ → x');
  });
});

describe('settings', () => {
  it('shows shares as percent and takes them back without loss', () => {
    for (const share of [0.05, 0.01, 0.07, 0.95, 0.333333]) expect(untyped(typed(share, 'SHARE'), 'SHARE')).toBe(share);
    expect(typed(0.07, 'SHARE')).toBe('7');
    expect([untyped('-2', 'PERCENT'), untyped('1e3', 'SECONDS'), untyped('', 'COUNT'), untyped(' 2.5 ', 'SECONDS')]).toEqual([-2, null, null, 2.5]);
  });
});
