/** Waits between attempts: exponential with full jitter in its upper half, capped. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** Returns the next wait: between half and the whole of the doubled last one. */
  nextMs(): number {
    const whole = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    return Math.round(whole * (0.5 + this.random() / 2));
  }

  /** Starts over, after success. */
  reset(): void {
    this.failures = 0;
  }
}
