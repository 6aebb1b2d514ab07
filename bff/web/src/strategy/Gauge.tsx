import css from './Gauge.module.css';
import { formatScore } from './names';

/** A figure from 0 to 100 with its place on the way. */
export function Gauge({ value }: { value: number }) {
  return (
    <span className={css.gauge}>
      <span className={css.track} aria-hidden="true">
        <i style={{ width: `${Math.max(0, Math.min(100, value))}%` }} />
      </span>
      {formatScore(value)}
    </span>
  );
}
