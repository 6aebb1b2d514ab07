/** Figures that only orders and their inputs have: times to the millisecond, exact decimals as text. */

import { UNKNOWN } from '../money/format';
import { microsOf } from '../live/instant';

const SEOUL_OFFSET_US = 9n * 3_600_000_000n;

/** Returns microseconds since the epoch as the API writes times. */
export function seoulTime(micros: bigint): string {
  const whole = new Date(Number((micros + SEOUL_OFFSET_US) / 1_000n)).toISOString().slice(0, 19);
  return `${whole}.${(micros % 1_000_000n).toString().padStart(6, '0')}+09:00`;
}

/** A Seoul time of day to the millisecond. */
export function FineTime({ at }: { at: string }) {
  const micros = microsOf(at);
  if (micros === null) return <>{UNKNOWN}</>;
  return (
    <time dateTime={at} title={at}>
      {seoulTime(micros).slice(11, 23)}
    </time>
  );
}

/** Returns how long something took, as short as it is told apart: `12 ms`, `3.4 s`, `2 min 5 s`. */
export function formatSpan(from: string, to: string): string | null {
  const [begin, end] = [microsOf(from), microsOf(to)];
  if (begin === null || end === null) return null;
  const ms = Number(end - begin) / 1_000;
  if (Math.abs(ms) < 10) return `${ms.toFixed(1)} ms`;
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (Math.abs(ms) < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns a decimal as it is written, digits grouped: nothing is lost of a floor with sixteen of them. */
export function groupDecimal(value: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(value);
  if (match === null) return value;
  const [, sign, whole = '', fraction = ''] = match;
  const kept = fraction.replace(/\.?0+$/, '');
  return `${sign === '-' ? '−' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${kept}`;
}
