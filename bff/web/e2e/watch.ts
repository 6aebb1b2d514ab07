/** What is measured in the page while it works. Times are of the machine's clock, as the server's are. */

import type { Page } from '@playwright/test';

export interface Watched {
  /** Milliseconds between two frames. */
  frames: number[];
  /** Milliseconds of tasks longer than 50. */
  tasks: number[];
  /** From the tick's receipt by the engine to its price in the page, milliseconds. */
  delays: number[];
  /** Changes of each price and of each row, as times of paint. */
  cells: Record<string, number[]>;
  rows: Record<string, number[]>;
  /** What each row showed at a time: microseconds of the clock, and of the tick. */
  shown: { row: string; nowUs: number; tickUs: number }[];
}

/** The median time between frames of a page that does nothing, in the same browser. */
export async function idleFrameMs(page: Page, seconds: number): Promise<number> {
  const idle = await page.context().newPage();
  await idle.goto('about:blank');
  const frames = await idle.evaluate(
    (ms) =>
      new Promise<number[]>((done) => {
        const gaps: number[] = [];
        const begin = performance.now();
        let last = begin;
        const frame = (now: number) => {
          gaps.push(now - last);
          last = now;
          if (now - begin < ms) requestAnimationFrame(frame);
          else done(gaps);
        };
        requestAnimationFrame(frame);
      }),
    seconds * 1000,
  );
  await idle.close();
  return quantile(frames, 0.5);
}

/** Returns what tells which share of the time since the page's main thread has worked, whatever else the machine does. */
export async function countWork(page: Page): Promise<() => Promise<{ work: number; script: number; style: number }>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return { at: Date.now() / 1000, work: of('TaskDuration'), script: of('ScriptDuration'), style: of('RecalcStyleDuration') + of('LayoutDuration') };
  };
  const begin = await read();
  return async () => {
    const end = await read();
    const share = (name: 'work' | 'script' | 'style') => (end[name] - begin[name]) / (end.at - begin.at);
    return { work: share('work'), script: share('script'), style: share('style') };
  };
}

/** Watches the table of positions for `seconds`. */
export async function watch(page: Page, seconds: number): Promise<Watched> {
  return page.evaluate(
    (ms) =>
      new Promise<Watched>((done) => {
        const PRICE = '[data-testid=price][data-us]';
        const seen: Watched = { frames: [], tasks: [], delays: [], cells: {}, rows: {}, shown: [] };
        const clockMs = () => performance.timeOrigin + performance.now();
        const table = document.querySelector('[data-key]')!.parentElement!;
        const known = new Map<string, string>();
        const usOf = (row: Element) => row.querySelector(PRICE)?.getAttribute('data-us') ?? null;
        for (const row of table.querySelectorAll('[data-key]')) known.set(row.getAttribute('data-key')!, usOf(row) ?? '');

        const changes = new MutationObserver((records) => {
          const now = clockMs();
          const touched = new Set<Element>();
          for (const { target } of records) {
            const element = target instanceof Element ? target : target.parentElement;
            const row = element?.closest('[data-key]');
            if (row != null) touched.add(row);
          }
          for (const row of touched) {
            const key = row.getAttribute('data-key')!;
            (seen.rows[key] ??= []).push(now);
            const us = usOf(row);
            if (us === null || us === known.get(key)) continue;
            known.set(key, us);
            (seen.cells[key] ??= []).push(now);
            seen.delays.push(now - Number(us) / 1000);
          }
        });
        changes.observe(table, { subtree: true, childList: true, attributes: true, characterData: true });
        const tasks = new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration)));
        tasks.observe({ type: 'longtask' });
        const samples = setInterval(() => {
          const nowUs = clockMs() * 1000;
          for (const row of table.querySelectorAll('[data-key]')) {
            const us = usOf(row);
            if (us !== null) seen.shown.push({ row: row.getAttribute('data-key')!, nowUs, tickUs: Number(us) });
          }
        }, 997);
        const begin = performance.now();
        let last: number | null = null;
        const frame = (now: number) => {
          if (last !== null) seen.frames.push(now - last);
          last = now;
          if (now - begin < ms) return void requestAnimationFrame(frame);
          changes.disconnect();
          tasks.disconnect();
          clearInterval(samples);
          done(seen);
        };
        requestAnimationFrame(frame);
      }),
    seconds * 1000,
  );
}

/** Returns the value below which `share` of all lie; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Returns how many of `times` lie within one second at most. */
export function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  times.forEach((time, index) => {
    while (times[first]! <= time - 1000) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}
