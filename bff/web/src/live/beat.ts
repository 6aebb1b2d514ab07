/** The pace of the screen: what changes is shown at once, but never more than ten times a second. */

/** The shortest time between two paints of the same figure. */
export const BEAT_MS = 100;

/** Calls `flush` after {@link Beat.touch}: at once where the last time is a beat ago, else when it is. */
export class Beat {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private lastMs = -Infinity;

  constructor(
    private readonly flush: () => void,
    private readonly nowMs: () => number,
  ) {}

  touch(): void {
    if (this.timer !== null) return;
    const wait = Math.max(0, this.lastMs + BEAT_MS - this.nowMs());
    this.timer = setTimeout(() => {
      this.timer = null;
      this.lastMs = this.nowMs();
      this.flush();
    }, wait);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
