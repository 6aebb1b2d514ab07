'use client';

import { z } from 'zod';

import { zStock } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { useTopic } from '../live/provider';
import { Stock } from '../ui/figures';
import { ownSymbol } from './risk';

/** A stock by its symbol, with the name of the position, else of the list of issues. */
export function NamedStock({ symbol }: { symbol: string }) {
  const { rows, isReady } = useTopic('positions');
  const held = rows.find((position) => position.symbol === symbol);
  const isAsked = isReady && held === undefined;
  const found = useRead(isAsked ? `/api/v1/stocks/search?q=${symbol}&limit=1` : null, z.array(zStock));
  const listed = found.data?.find((stock) => stock.symbol === symbol);
  return <Stock symbol={symbol} name={held?.name ?? listed?.name ?? null} />;
}

/** What a weight is of: a sector or market as named, or a stock that counts as a sector of its own. */
export function NameOf({ name }: { name: string }) {
  const symbol = ownSymbol(name) ?? (/^[0-9][0-9A-Z]{5}$/.test(name) ? name : null);
  return symbol === null ? <span lang="ko">{name}</span> : <NamedStock symbol={symbol} />;
}
