import { describe, expect, it } from 'vitest';

import { flagsOf, listPath, type Stock } from './stock';

const plain: Stock = {
  symbol: '005930',
  name: '삼성전자',
  market: 'KOSPI',
  instrument_type: 'STOCK',
  status: 'ACTIVE',
  is_tradable: true,
  is_managed: false,
  is_caution: false,
  created_ts: '2026-11-24T10:00:00+09:00',
  updated_ts: '2026-11-24T10:00:00+09:00',
};

describe('flags', () => {
  it('are none where nothing is told', () => {
    expect(flagsOf(plain)).toEqual([]);
    expect(flagsOf({ ...plain, trade_halt_reason: '' })).toEqual([]);
  });

  it('name the gravest first, and each once', () => {
    expect(flagsOf({ ...plain, status: 'SUSPENDED', trade_halt_reason: 'merger', is_tradable: false, is_managed: true })).toEqual(['SUSPENDED', 'MANAGED']);
    expect(flagsOf({ ...plain, trade_halt_reason: 'audit', is_tradable: false })).toEqual(['HALTED']);
    expect(flagsOf({ ...plain, is_tradable: false, is_caution: true })).toEqual(['CAUTION', 'NOT_TRADABLE']);
  });
});

it('the path of the list has what narrows it', () => {
  expect(listPath({ market: 'KOSDAQ', search: '에코&', isTradableOnly: true })).toBe(
    '/api/v1/stocks?limit=100&market=KOSDAQ&search=%EC%97%90%EC%BD%94%26&is_tradable=true',
  );
});
