/** The newest figures of every series that the processes keep (docs/metrics.md). */

import { useMemo } from 'react';
import { z } from 'zod';

import { useRead, type Read } from '../api/hooks';
import type { Fault } from '../api/request';

/** How often figures are looked at; the processes keep them every few seconds. */
export const LOOK_EVERY_MS = 5_000;

const zSample = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  value: z.number(),
  ts: z.string(),
});

const zSamples = z.array(zSample);

export type Sample = z.infer<typeof zSample>;

/** Figures by name and label. */
export class Figures {
  constructor(private readonly samples: readonly Sample[]) {}

  /** Whether nobody has told any. */
  get isEmpty(): boolean {
    return this.samples.length === 0;
  }

  /** All series of `name`. */
  all(name: string): readonly Sample[] {
    return this.samples.filter((sample) => sample.name === name);
  }

  /** The newest value of the series of `name` that has these labels; null where nobody has told it. */
  of(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const matches = this.all(name).filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
    return matches.reduce<Sample | null>((newest, one) => (newest === null || one.ts > newest.ts ? one : newest), null)?.value ?? null;
  }

  /** The mean of a histogram since the start, such as seconds of a wait. */
  mean(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const count = this.of(`${name}_count`, labels);
    const sum = this.of(`${name}_sum`, labels);
    return count === null || sum === null || count === 0 ? null : sum / count;
  }
}

/** Beginnings of the names of the series that the page shows. */
const PREFIXES = ['price_sync_', 'kis_', 'naver_', 'postgres_', 'exit_', 'execution_orders_', 'subscriptions_'] as const;

function useSamples(prefix: (typeof PREFIXES)[number]): Read<Sample[]> {
  return useRead(`/api/v1/metrics/latest?name=${prefix}`, zSamples, { everyMs: LOOK_EVERY_MS });
}

export interface FiguresRead {
  figures: Figures;
  /** Why some of them cannot be had. */
  fault: Fault | null;
  isLoading: boolean;
  retry: () => void;
}

/** Reads the figures of all parts. */
export function useFigures(): FiguresRead {
  const [prices, kis, naver, postgres, exits, orders, slots] = [
    useSamples(PREFIXES[0]),
    useSamples(PREFIXES[1]),
    useSamples(PREFIXES[2]),
    useSamples(PREFIXES[3]),
    useSamples(PREFIXES[4]),
    useSamples(PREFIXES[5]),
    useSamples(PREFIXES[6]),
  ];
  const figures = useMemo(
    () => new Figures([prices, kis, naver, postgres, exits, orders, slots].flatMap(({ data }) => data ?? [])),
    [prices.data, kis.data, naver.data, postgres.data, exits.data, orders.data, slots.data],
  );
  const reads = [prices, kis, naver, postgres, exits, orders, slots];
  return {
    figures,
    fault: reads.find(({ fault }) => fault !== null)?.fault ?? null,
    isLoading: reads.some(({ isLoading }) => isLoading),
    retry: () => reads.forEach(({ retry }) => retry()),
  };
}
