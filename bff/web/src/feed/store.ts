/** Holds the desk and tells the page about changes, bundled, so that ticks do not repaint it each. */

import { INITIAL, reduce, type Desk, type DeskEvent } from './desk';

/** How long changes are gathered before the page is told. */
const LINGER_MS = 50;

export class Store {
  private current: Desk = INITIAL;
  private published: Desk = INITIAL;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners = new Set<() => void>();

  /** Applies `event` at once; the page learns of it after the linger. */
  readonly dispatch = (event: DeskEvent): void => {
    this.current = reduce(this.current, event);
    if (this.current === this.published) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.published = this.current;
      for (const listener of this.listeners) listener();
    }, LINGER_MS);
  };

  /** The desk as it is now. */
  readonly now = (): Desk => this.current;

  /** The desk as the page shows it. */
  readonly snapshot = (): Desk => this.published;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
