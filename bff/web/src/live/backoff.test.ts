import { expect, it } from 'vitest';

import { Backoff } from './backoff';

it('waits between half and the whole of a doubled step, below its cap, and starts over', () => {
  const low = new Backoff(500, 15_000, () => 0);
  const high = new Backoff(500, 15_000, () => 1);
  for (let i = 0; i < 50; i += 1) {
    const whole = Math.min(15_000, 500 * 2 ** i);
    expect(low.nextMs()).toBe(whole / 2);
    expect(high.nextMs()).toBe(whole);
  }
  high.reset();
  expect(high.nextMs()).toBe(500);
});
