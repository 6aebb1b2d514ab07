/**
 * Keeps one resource fresh: requests that come while one is under way are answered by one more
 * after it, so answers never overtake each other and a burst of changes costs two requests.
 */

import { Backoff } from './backoff';

/** How long changes are gathered before the request. */
const LINGER_MS = 80;

export class Refetcher {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isRunning = false;
  private isWanted = false;
  private isStopped = false;
  private readonly backoff: Backoff;

  /** `fetchOnce` says whether it succeeded; after a failure it is called again by itself. */
  constructor(
    private readonly fetchOnce: () => Promise<boolean>,
    random: () => number,
  ) {
    this.backoff = new Backoff(1_000, 30_000, random);
  }

  /** Asks for an answer that was requested after now. */
  request(): void {
    if (this.isRunning) {
      this.isWanted = true;
      return;
    }
    this.schedule(LINGER_MS);
  }

  /** Ends requests; an answer under way is still delivered. */
  stop(): void {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private schedule(delayMs: number): void {
    if (this.isStopped) return;
    // A fresh change must not wait behind the retry of a failure.
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), delayMs);
  }

  private async run(): Promise<void> {
    this.timer = null;
    this.isRunning = true;
    this.isWanted = false;
    const isDone = await this.fetchOnce();
    this.isRunning = false;
    if (isDone) this.backoff.reset();
    if (!isDone) this.schedule(this.backoff.nextMs());
    else if (this.isWanted) this.schedule(LINGER_MS);
  }
}
