/** The rows of one topic, as the server tells them: a snapshot, then what is other than before. */

import type { z } from 'zod';

import { Beat } from './beat';
import { isBefore, microsOf } from './instant';

interface Shape<T> {
  schema: z.ZodType<T>;
  /** The field that names a row; null where there is one row only. */
  key: string | null;
  /** The time by which the newest rows come first; null: in the order of the server. */
  newest: string | null;
}

type Field = Record<string, unknown>;

export class Rows<T> {
  private readonly byKey = new Map<string, T>();
  private sorted: readonly T[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly beat: Beat;
  /** False until the first snapshot. */
  isReady = false;

  constructor(
    private readonly shape: Shape<T>,
    nowMs: () => number,
  ) {
    this.beat = new Beat(() => this.flush(), nowMs);
  }

  /** What is shown now; the same object until something changes. */
  readonly now = (): readonly T[] => this.sorted;

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes the place of everything before. */
  snapshot(rows: readonly unknown[]): void {
    this.byKey.clear();
    this.isReady = true;
    this.put(rows);
  }

  change(upsert: readonly unknown[], removed: readonly unknown[]): void {
    for (const key of removed) this.byKey.delete(String(key));
    this.put(upsert);
  }

  /** Puts a row that the server has returned, unless a later one is known. */
  settle(row: T): void {
    const known = this.byKey.get(this.keyOf(row));
    const at = (value: T) => String((value as Field).updated_ts ?? '');
    if (known !== undefined && isBefore(at(row), at(known))) return;
    this.put([row]);
  }

  stop(): void {
    this.beat.stop();
  }

  private keyOf(row: T): string {
    return this.shape.key === null ? '' : String((row as Field)[this.shape.key]);
  }

  private put(rows: readonly unknown[]): void {
    for (const row of rows) {
      const parsed = this.shape.schema.safeParse(row);
      if (parsed.success) this.byKey.set(this.keyOf(parsed.data), parsed.data);
      else console.error('a row that cannot be read', this.shape.key, parsed.error.issues[0]);
    }
    this.beat.touch();
  }

  private flush(): void {
    const rows = [...this.byKey.values()];
    const { newest } = this.shape;
    if (newest !== null) {
      const at = (row: T) => microsOf(String((row as Field)[newest] ?? '')) ?? 0n;
      const timed = rows.map((row) => [at(row), row] as const);
      timed.sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0));
      this.sorted = timed.map(([, row]) => row);
    } else {
      this.sorted = rows;
    }
    for (const listener of this.listeners) listener();
  }
}
