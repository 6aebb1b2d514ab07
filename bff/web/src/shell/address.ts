'use client';

import { useSearchParams } from 'next/navigation';
import { useMemo } from 'react';

/** Changes some parameters; null or an empty text takes one away. `isStep`: the way back undoes it. */
type Change<K extends string> = (change: Readonly<Partial<Record<K, string | null>>>, isStep?: boolean) => void;

/** The parameters of a page's address: what it shows can be sent as a link. */
export interface Address {
  get: (name: string) => string | null;
  set: Change<string>;
}

function change(changed: Readonly<Partial<Record<string, string | null>>>, isStep = false): void {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(changed)) {
    if (value == null || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href === window.location.href) return;
  if (isStep) window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
}

/** Reads and changes the parameters of the address, without asking the server for the page again. */
export function useAddress(): Address {
  const params = useSearchParams();
  return useMemo(() => ({ get: (name) => params.get(name), set: change }), [params]);
}

export type Params<K extends string> = Record<K, string | null>;

/** Returns the parameters `names`, and what changes some of them. */
export function useParams<K extends string>(names: readonly K[]): [Params<K>, Change<K>] {
  const address = useAddress();
  const values = Object.fromEntries(names.map((name) => [name, address.get(name)])) as Params<K>;
  return [values, address.set];
}
